import AlertRules
import OakumApp
import OakumModel
import Testing

@Suite
struct AlertReadingTests {
    @Test func `without a word every rule has its default`() throws {
        let configuration = try read("")
        #expect(configuration.services[0].alerts == AlertSettings())
        #expect(configuration.response.hostAlerts == HostAlertSettings())
    }

    @Test func `a rule is switched off, or changed in what is named`() throws {
        let text = """
            alerts:
              acknowledge_within: 2min
              mitigate_within: 8min
              cpu: off
              memory: {raise: 80%, clear: 70%}
              error_rate: {target: 99.5%, windows: [{long: 1h, short: 5min, burn: 10, severity: error}]}
              latency: {threshold: 300ms, minimum_requests: 50}
              restarts: {count: 5, worse_count: off}
              runbooks: {memory_leak: "https://wiki.example.org/leak"}
              host: {disk: off, memory_pressure: {raise: 20%, clear: 10%}}
            """
        let configuration = try read(
            text, services: oneService + "    alerts: {cpu: {raise: 95%}, memory: {for: 9s}}\n")
        let alerts = configuration.services[0].alerts
        #expect(alerts.ackSeconds == 120)
        #expect(alerts.reactionSeconds == 600)
        #expect(alerts.cpu?.raise == 0.95)
        #expect(alerts.cpu?.clear == ThresholdSettings.cpu.clear)
        #expect(alerts.memory?.raise == 0.8)
        #expect(alerts.memory?.raiseSeconds == 9)
        #expect(alerts.errorRate?.target == 0.995)
        #expect(
            alerts.errorRate?.pairs == [
                BurnWindows(longSeconds: 3_600, shortSeconds: 300, factor: 10, severity: .error)
            ])
        #expect(alerts.latency?.thresholdSeconds == 0.3)
        #expect(alerts.latency?.burn.minimumRequests == 50)
        #expect(alerts.latency?.burn.target == BurnRateSettings.latency.target)
        #expect(alerts.restarts?.count == 5)
        #expect(alerts.restarts?.worseCount == nil)
        #expect(alerts.runbooks == [.memoryLeak: "https://wiki.example.org/leak"])
        let host = configuration.response.hostAlerts
        #expect(host.disk == nil)
        #expect(host.memoryPressure?.raise == 20)
        #expect(host.memory == .hostMemory)
        #expect(host.ackSeconds == 120)
        #expect(try read("alerts: {host: off}").response.hostAlerts.memory == nil)
    }

    @Test func `what the business counts stands with its service`() throws {
        let business = """
                business:
                  - {name: sign-ups, metric: signups_total, labels: {outcome: created}, time_zone: America/New_York}
                  - {name: logins, metric: logins_total, minimum_drop: 40%, worse_drop: 90%, raise_after: 2min}

            """
        let settings = try read("", services: oneService + business).services[0].alerts.business
        #expect(settings.map(\.name) == ["sign-ups", "logins"])
        #expect(settings[0].labels == ["outcome": "created"])
        #expect(settings[0].timeZone == "America/New_York")
        #expect(settings[1].minimumDrop == 0.4)
        #expect(settings.map(\.raiseSeconds) == [10, 120])
        let one = try read("", services: oneService + "    business: {name: orders, metric: orders_total}\n")
        #expect(one.services[0].alerts.business == [BusinessSettings(name: "orders", counter: "orders_total")])
    }

    @Test(arguments: [
        ("alerts: {cpus: off}", "did you mean `cpu`?"),
        ("alerts: {cpu: on}", "`cpu` must be a mapping"),
        ("alerts: {cpu: {raise: 0.9}}", "such as 90%"),
        ("alerts: {cpu: {raise: 70%}}", "`cpu` must be cleared below 70.0%"),
        ("alerts: {memory: {raise: 99%}}", "gets worse at 98.0%, where it is raised already"),
        ("alerts: {error_rate: {target: 100%}}", "within 50.0–99.999 %"),
        (
            "alerts: {error_rate: {windows: [{long: 5min, short: 5min, burn: 2, severity: error}]}}",
            "shorter than `long`"
        ),
        ("alerts: {error_rate: {windows: []}}", "`windows` is empty"),
        ("alerts: {restarts: {count: 10}}", "gets worse at 10"),
        ("alerts: {runbooks: {leak: \"https://x\"}}", "no alert is of the kind `leak` (one of memory_leak"),
        ("alerts: {runbooks: {memory_leak: wiki}}", "must be a URL"),
        ("alerts: {host: {cpu: off}}", "unknown key `cpu` in `host`"),
        ("alerts: {cpu: {severity: bad}}", "one of info, warning, error, critical"),
    ])
    func `what makes no sense is refused`(text: String, said: String) {
        let told = problem(text)
        #expect(told?.contains(said) ?? false, "\(told ?? "accepted")")
        #expect(told?.hasPrefix("line 1: ") ?? false)
    }

    @Test(arguments: [
        ("{metric: x_total}", "`name` is missing"), ("{name: x, metric: \"a{b}\"}", "is not the name of a metric"),
        ("{name: x, metric: y, minimum_drop: 80%, worse_drop: 20%}", "must not be less"),
        ("[{name: x, metric: y}, {name: x, metric: z}]", "two entries of `business` are called `x`"),
        ("{name: x, metric: y, time_zone: Nowhere}", "there is no time zone `Nowhere`"),
        ("{name: x, metric: y, plural: z}", "unknown key `plural`"),
    ])
    func `what cannot be counted is refused`(text: String, said: String) {
        let told = problem("", services: oneService + "    business: \(text)\n")
        #expect(told?.contains(said) ?? false, "\(told ?? "accepted")")
    }
}
