import OakumApp
import Testing

/// What cannot be used is told with its line and with what to write instead.
@Suite
struct RefusalTests {
    private static let people = "people: [{name: ada, contact: {channel: pages}}]\n"

    @Test(arguments: [
        ("people: [{nam: ada}]", "line 1: unknown key `nam` in a person (did you mean `name`?)"),
        ("people:\n  - {name: a b}", "line 2: `a b` cannot be the name of a person"),
        ("people:\n  - {name: ada}\n  - {name: ada}", "line 3: two persons are called `ada`"),
        ("people: [{name: oakum}]", "cannot be called `oakum`"),
        ("people: [{name: ada, contact: {channel: fax}}]", "there is no channel `fax` (there are pages, console)"),
        ("people: [{name: ada, contact: {channel: pages, address: x}}]", "leave `address` out"),
        ("people: [{name: ada, time_zone: ../../etc/passwd}]", "cannot be a time zone (a name of the tz database"),
        ("people: [{name: ada, time_zone: Europe/Wien}]", "there is no time zone `Europe/Wien`"),
    ])
    func `people`(text: String, said: String) {
        #expect(problem(text)?.contains(said) ?? false, "\(problem(text) ?? "accepted")")
    }

    @Test(arguments: [
        ("channels: []", "`channels` is empty"),
        ("channels: [{name: x}]", "the channel `x` needs one kind (one of smtp, webhook"),
        ("channels: [{name: x, console: {}, file: {path: a}}]", "needs one kind"),
        ("channels: [{name: x, smtp: {url: \"http://m\", from: a@b.c}}]", "`url` must hold a URL (such as smtp://"),
        ("channels: [{name: x, smtp: {url: \"smtp://u:pw@m\", from: a@b.c}}]", "holds a user name or a password"),
        ("channels: [{name: x, smtp: {url: \"smtp://m/x\", from: a@b.c}}]", "a mail server and nothing more"),
        ("channels: [{name: x, smtp: {url: \"smtp://m.example\", from: nobody}}]", "not a mail address"),
        (
            "channels: [{name: x, smtp: {url: \"smtp://m\", from: a@b.c, password: x}}]",
            "`password_file: secrets/password`"
        ),
        ("channels: [{name: x, smtp: {url: \"smtps://m\", from: a@b.c, security: none}}]", "contradicts the URL"),
        ("channels: [{name: x, smtp: {url: \"smtp://m\", from: a@b.c, security: ssl}}]", "one of tls, starttls"),
        ("channels: [{name: x, slack: {url: \"https://hooks.example.org/T/B/x\"}}]", "`url_file: secrets/url`"),
        ("channels: [{name: x, slack: {}}]", "`url_file` is missing"),
        ("channels: [{name: x, pagerduty: {routing_key: abc}}]", "must not stand in the configuration"),
        ("channels: [{name: x, ntfy: {server: ftp://x}}]", "`server` must hold a URL"),
        (
            "channels: [{name: x, webhook: {url: \"https://x.example\", headers: {authorization: y}}}]",
            "authorization_file"
        ),
        ("channels: [{name: x, file: {path: a, size: 1KiB}}]", "at least 64KiB"),
        ("channels: [{name: x, timeout: 1h, console: {}}]", "within 1.0–120.0 s"),
    ])
    func `channels`(text: String, said: String) {
        let told = problem(text)
        #expect(told?.contains(said) ?? false, "\(told ?? "accepted")")
        #expect(told?.hasPrefix("line 1: ") ?? false)
    }

    private static func rotation(_ text: String) -> String {
        people + "schedules: [{name: s, time_zone: Europe/Vienna, rotation: {members: [ada], \(text)}}]"
    }

    @Test(arguments: [
        ("every: 1w, start: 2026-01-06, handover: \"Mon 09:00\"", "2026-01-06 is a Tue, and the handover is on Mon"),
        ("every: 1d, start: 2026-01-06, handover: \"Tue 09:00\"", "only turns of whole weeks have a weekday"),
        ("every: 1d, start: 2026-01-06", "at what time of the day?"),
        ("every: 1d, start: 2026-02-30 09:00", "`2026-02-30 09:00` is not a date"),
        ("every: 1d, start: 2026-01-06 08:00, handover: \"09:00\"", "different times of the day"),
        ("every: 90min, start: 2026-01-06 08:00", "whole hours, days or weeks"),
        ("every: 10s, start: 2026-01-06 08:00", "within 3600.0–"),
        ("start: 2026-01-06 08:00", "`every` is missing"),
        (
            "every: 1d, start: 2026-01-06 08:00, hours: {days: Mo-Fr, from: \"09:00\", to: \"17:00\"}",
            "`Mo` is not a weekday"
        ),
        ("every: 1d, start: 2026-01-06 08:00, hours: {from: \"24:00\", to: \"17:00\"}", "a day begins at 00:00"),
        ("every: 1d, start: 2026-01-06 08:00, hours: {from: \"9\", to: \"17:00\"}", "`9` is not a time of the day"),
        ("every: 1d, start: 2026-01-06 08:00, membres: [ada]", "did you mean `members`?"),
    ])
    func `rotations`(text: String, said: String) {
        let told = problem(Self.rotation(text))
        #expect(told?.contains(said) ?? false, "\(told ?? "accepted")")
        #expect(told?.hasPrefix("line 2: ") ?? false)
    }

    @Test(arguments: [
        ("overrides: [{person: zoe, from: 2026-01-01, to: 2026-01-02}]", "there is no person `zoe` (there are ada)"),
        ("overrides: [{person: ada, from: 2026-01-02, to: 2026-01-02}]", "ends after it begins"),
        (
            "overrides: [{person: ada, from: 2026-01-02, to: 2026-01-03, add: true, instead_of: ada}]",
            "leave one of them out"
        ),
    ])
    func `overrides`(text: String, said: String) {
        let told = problem(
            Self.people
                + "schedules:\n  - name: s\n    time_zone: UTC\n"
                + "    rotation: {every: 1d, start: 2026-01-01 09:00, members: [ada]}\n    \(text)")
        #expect(told?.contains(said) ?? false, "\(told ?? "accepted")")
        #expect(told?.hasPrefix("line 6: ") ?? false)
    }

    @Test(arguments: [
        ("policies: []", "`policies` is empty"),
        ("policies: [{name: p, steps: []}]", "a policy needs a step"),
        ("policies: [{name: none, steps: []}]", "a policy cannot be called `none` (`policy: none` of a service"),
        ("policies: [{name: p, steps: [{notify: []}]}]", "the step tells nobody"),
        ("policies: [{name: p, steps: [{notify: ada}]}]", "`ada` is nobody to tell (`person NAME`"),
        ("policies: [{name: p, steps: [{notify: person zoe}]}]", "there is no person zoe (there are ada)"),
        ("policies: [{name: p, steps: [{notify: schedule x}]}]", "there is no schedule x (there is none)"),
        (
            "policies: [{name: p, steps: [{notify: person ada}, {notify: channel pages}]}]",
            "how long after the step before?"
        ),
        ("policies: [{name: p, steps: [{notify: person ada, after: 5}]}]", "write a number and a unit"),
        ("policies: [{name: p, repeat: 101, steps: [{notify: person ada}]}]", "within 0–100"),
    ])
    func `policies`(text: String, said: String) {
        let told = problem(Self.people + text)
        #expect(told?.contains(said) ?? false, "\(told ?? "accepted")")
        #expect(told?.hasPrefix("line 2: ") ?? false)
    }

    @Test(arguments: [
        ("audiences: [{name: b, channel: pages, when: [opened]}]", "one of impact, cause_known"),
        (
            "audiences: [{name: b, channel: pages, services: [shop]}]",
            "there is no service `shop` (there are registrar)"
        ),
        ("intake: {listen: \"0.0.0.0:9105\"}", "without TLS"),
        ("intake: {listen: \"0.0.0.0:9105\", behind_proxy: true}", "could open incidents"),
        ("public_url: oakum.example.org", "`public_url` must hold a URL"),
        ("public_url: https://u:p@oakum.example.org", "a user name or a password"),
        ("public_url: https://oakum.example.org/?a=b", "ends before any ?"),
        ("dead_man: {every: 1min}", "`url` is missing"),
        ("dead_man: {url: \"https://x.example\", every: 1s}", "within 10.0–"),
        ("network: {allow: [\"10.0.0.0/33\"]}", "neither a range of addresses nor a host"),
        ("network: {trusted_certificates: no.pem}", "there is no file /nowhere/no.pem"),
        ("incidents: {pages_from: high}", "one of info, warning, error, critical"),
    ])
    func `the rest`(text: String, said: String) {
        let told = problem(text)
        #expect(told?.contains(said) ?? false, "\(told ?? "accepted")")
        #expect(told?.hasPrefix("line 1: ") ?? false)
    }

    @Test func `a service names a policy that is there, or one is called default`() {
        let policies = """
            policies:
              - {name: day, steps: [{notify: channel pages}]}
              - {name: night, steps: [{notify: channel pages}]}
            """
        #expect(problem(policies)?.contains("it names no policy (`policy: NAME` here") ?? false)
        #expect(problem(policies, services: oneService + "    policy: night\n") == nil)
        #expect(
            problem(policies, services: oneService + "    policy: noon\n")?
                .contains("line 9: there is no policy `noon` (there are day, night; `none` pages nobody)") ?? false)
        #expect(problem(policies, services: oneService + "    policy: none\n") == nil)
        #expect(problem("", services: oneService + "    runbook: wiki\n")?.contains("`runbook` must be a URL") ?? false)
    }

    @Test(arguments: [
        ("{name: a, id: 0123456789abcdef, every: 1h}", "`id` is a secret and must not stand in the configuration"),
        ("{name: a, every: 1h}", "`id_file` is missing: it ends the job's address"),
        ("{name: a, id_env: SHORT, every: 1h}", "16 to 128 letters, digits, _ and -"),
        ("{name: a, id_env: ODD, every: 1h}", "16 to 128 letters, digits, _ and -"),
        ("{name: a, id_env: GOOD}", "`every` is missing"),
        ("{name: a, id_env: GOOD, every: 5s}", "within 10.0–"),
        ("{name: a, id_env: GOOD, every: 1h, service: shop}", "there is no service `shop` (there are registrar)"),
        ("{id_env: GOOD, every: 1h}", "`name` is missing"),
        ("{name: a, id_env: GOOD, every: 1h}, {name: a, id_env: OTHER, every: 1h}", "two heartbeats are called `a`"),
        ("{name: a, id_env: GOOD, every: 1h}, {name: b, id_env: GOOD, every: 1h}", "have the same id"),
    ])
    func `heartbeats`(text: String, said: String) {
        let environment = [
            "GOOD": "0123456789abcdef", "OTHER": "fedcba9876543210", "SHORT": "012345678",
            "ODD": "../../../../../../etc",
        ]
        let told = problem("heartbeats: [\(text)]", environment: environment)
        #expect(told?.contains(said) ?? false, "\(told ?? "accepted")")
        #expect(told?.hasPrefix("line 1: ") ?? false)
        #expect(told?.contains("0123456789abcdef") != true && told?.contains("/etc") != true)
    }

    @Test func `lists have an end`() {
        let many = (0...100).map { "{name: c\($0), console: {}}" }.joined(separator: ", ")
        #expect(problem("channels: [\(many)]")?.contains("101 entries, more than 100") ?? false)
    }
}
