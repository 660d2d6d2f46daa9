package import OakumModel

/// Workers that do not answer their readiness probe, and services of which no worker serves.
package struct UnresponsiveRule: Sendable {
    private struct Silence: Sendable {
        var since: Moment
        var failures: Int
    }

    package let settings: UnresponsiveSettings
    private var silences: [ProcessIdentity: Silence] = [:]
    private var lastAt: Uptime?
    private var hasServed = false
    private var noneSince: Moment?
    /// Of the service's workers none answered from then on.
    package private(set) var outage: (from: Moment, until: Moment?)?
    /// Of the last reading.
    package private(set) var silent: [UInt32] = []
    package private(set) var wanted = 0
    private var serving = 0

    package init(_ settings: UnresponsiveSettings) {
        self.settings = settings
    }

    /// It has not answered for so long that it is held to serve nobody.
    package func isSilent(_ process: ProcessIdentity, at now: Uptime) -> Bool {
        silences[process].map { $0.failures >= 2 && now - $0.since.uptime >= settings.forSeconds } ?? false
    }

    package mutating func condition(_ reading: ServiceReading) -> Condition {
        let now = reading.at
        if let lastAt, now.uptime - lastAt > Latch.patience {
            silences = [:]
            noneSince = nil
        }
        lastAt = now.uptime
        let workers = reading.workers.filter { !$0.isDraining }
        for worker in workers { note(worker, at: now) }
        let living = Set(workers.map(\.process))
        silences = silences.filter { living.contains($0.key) }
        serving = workers.count
        wanted = max(reading.desired, workers.count, 1)
        if !workers.isEmpty { hasServed = true }
        silent = workers.filter { isSilent($0.process, at: now.uptime) }.map(\.number).sorted()
        return judge(workers, desired: reading.desired, at: now)
    }

    private mutating func note(_ worker: WorkerReading, at now: Moment) {
        switch worker.probe {
        case .failed:
            silences[worker.process, default: Silence(since: now, failures: 0)].failures += 1
        case .answered: silences[worker.process] = nil
        case nil: break
        }
    }

    private mutating func judge(_ workers: [WorkerReading], desired: Int, at now: Moment) -> Condition {
        guard hasServed, desired > 0 else { return .unknown }
        noneSince = workers.isEmpty ? noneSince ?? now : nil
        let none = noneSince.map { now.uptime - $0.uptime >= settings.forSeconds } ?? false
        let bad = none ? wanted : silent.count
        noteOutage(all: none || (!workers.isEmpty && silent.count == workers.count), workers, at: now)
        guard bad >= max(1, settings.workers) else {
            if workers.isEmpty || !silences.isEmpty { return .between }
            return workers.contains { $0.probe != nil } ? .low : .unknown
        }
        let share = Double(bad) / Double(wanted)
        return .high(share >= settings.worseShare ? settings.worseSeverity : settings.severity)
    }

    private mutating func noteOutage(all: Bool, _ workers: [WorkerReading], at now: Moment) {
        let answers = workers.contains { $0.probe == .answered }
        if all, outage == nil || outage?.until != nil {
            // The last of them fell silent then.
            let last = workers.compactMap { silences[$0.process]?.since }.max { $0.uptime < $1.uptime }
            outage = (last ?? noneSince ?? now, nil)
        } else if answers, outage != nil, outage?.until == nil {
            outage?.until = now
        }
    }

    func text(service: String, over: Bool) -> AlertText {
        var impact: [Impact] = []
        if let outage {
            let all = Double(wanted)
            impact = [
                Impact(
                    what: "workers that answer", service: service, actual: 0,
                    expected: Estimate(estimate: all, low: all, high: all), from: outage.from.wall,
                    until: outage.until?.wall, basis: "their readiness probes")
            ]
        }
        if over { return AlertText("\(service): all workers answer again", impact: impact) }
        let oldest = silences.values.map(\.since).min { $0.uptime < $1.uptime }
        if serving == 0 {
            return AlertText(
                "\(service): none of \(Words.plural(wanted, "worker")) serves", labels: ["workers": "0"],
                since: noneSince, impact: impact)
        }
        guard !silent.isEmpty else {
            return AlertText(
                "\(service): all workers have answered the readiness probe again, not for long enough yet to call it over",
                labels: ["workers": "0"], since: oldest, impact: impact)
        }
        let names = silent.prefix(16).map { "\(service)/\($0)" }.joined(separator: ", ")
        return AlertText(
            "\(service): \(Words.workers(silent.count, of: wanted)) "
                + "\(silent.count == 1 ? "does" : "do") not answer the readiness probe (\(names))",
            labels: ["workers": names], since: oldest, impact: impact)
    }
}
