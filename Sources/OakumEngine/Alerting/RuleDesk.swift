import AlertRules
import OakumModel

/// The rules of all services and of the host, and what they have to know beside readings. Pure.
struct RuleDesk: Sendable {
    private(set) var books: [String: RuleBook] = [:]
    private var host: HostRules
    private var unaskedEnds: [String: Int] = [:]
    private var killed: [String: Int] = [:]
    /// Ends by SIGKILL that nobody asked for since the last round: were they the kernel's doing?
    private var kills: [String: Int] = [:]
    private var kernelKills: Double?

    /// - Parameter zones: what time zones add to UTC, by name; nil: the host's.
    init(services: [ServiceConfiguration], host: HostAlertSettings, zones: [String?: ZoneOffsets] = [:]) {
        self.host = HostRules(host)
        for service in services {
            books[service.name] = RuleBook(service: service.name, settings: service.alerts, zones: zones)
        }
    }

    /// The counters that the rules of a service want.
    func choices(of service: String) -> [CounterChoice] {
        books[service]?.settings.business.map {
            CounterChoice(name: $0.name, counter: $0.counter, labels: $0.labels)
        } ?? []
    }

    /// Ends of workers that nobody asked for count for two rules.
    mutating func take(_ event: Event) {
        guard event.kind == .workerExited, event.facts["asked"] == "false", let service = event.service else { return }
        unaskedEnds[service, default: 0] += 1
        if event.facts["signal"] == "9" { kills[service, default: 0] += 1 }
    }

    /// - Parameter kernelKills: processes the kernel has killed for want of memory since boot; nil: not known.
    mutating func noteKernelKills(_ count: Double?) {
        defer {
            kernelKills = count ?? kernelKills
            kills = [:]
        }
        guard let count, let before = kernelKills, count > before else { return }
        var left = Int(min(count - before, 1_000_000))
        for (service, number) in kills.sorted(by: { $0.key < $1.key }) {
            killed[service, default: 0] += min(number, left)
            left -= min(number, left)
        }
    }

    mutating func add(_ reading: ServiceReading, of service: String) -> RuleBook.News? {
        var reading = reading
        reading.unaskedEnds = unaskedEnds[service, default: 0]
        reading.outOfMemoryKills = kernelKills == nil ? nil : killed[service, default: 0]
        return books[service]?.add(reading)
    }

    mutating func add(_ machine: MachineReading, at now: Moment) -> [Alert] {
        host.add(
            HostReading(
                at: now, memoryAvailable: machine.memoryAvailable, memoryPressure: machine.memoryPressure,
                cpuPressure: machine.cpuPressure, ioPressure: machine.ioPressure,
                diskFree: machine.diskFree))
    }

    /// Alerts that fired when Oakum ended.
    mutating func assume(_ alerts: [Alert], at now: Moment) {
        var left = host.assume(alerts, at: now)
        for name in books.keys.sorted() { left = books[name]?.assume(left, at: now) ?? left }
    }

    /// What was counted of a metric on earlier days.
    mutating func load(_ metric: String, _ buckets: [BusinessBucket], of service: String, at now: Moment) {
        books[service]?.load(metric, buckets, at: now)
    }

    /// What is expected of a metric of the business now.
    func expectation(of metric: String, service: String) -> BusinessExpectation.Rate? {
        books[service]?.expectation(of: metric)
    }

    /// What users and the business lose of a service, as measured now.
    func impacts(of service: String) -> [Impact] {
        books[service]?.impacts ?? []
    }
}
