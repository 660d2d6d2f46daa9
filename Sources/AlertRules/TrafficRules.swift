import OakumModel

/// Errors and latency: what requests of all workers came to.
struct TrafficRules: Sendable {
    private let service: String
    private var requests = CounterMemory()
    private var failures = CounterMemory()
    private var durations = CounterMemory()
    private var slow = CounterMemory()
    private var seconds = CounterMemory()
    private var errorRate: (rule: BurnRule, impact: ShareImpact, slot: AlertSlot)?
    private var latency: (rule: LatencyRule, slot: AlertSlot)?
    private var last: Moment?

    init(service: String, settings: AlertSettings) {
        self.service = service
        let runbooks = settings.runbooks
        errorRate = settings.errorRate.map { burn in
            let rule = BurnRule(burn)
            let slot = AlertSlot(
                .errorRate, service: service, raiseSeconds: 0, clearSeconds: burn.clearSeconds, runbooks: runbooks)
            return (rule, ShareImpact(allowed: rule.allowed), slot)
        }
        latency = settings.latency.map { latency in
            let slot = AlertSlot(
                .latency, service: service, raiseSeconds: 0, clearSeconds: latency.burn.clearSeconds,
                runbooks: runbooks)
            return (LatencyRule(latency), slot)
        }
    }

    var firing: [Alert] { [errorRate?.slot.told, latency?.slot.told].compactMap { $0 } }

    mutating func assume(_ alert: Alert, at now: Moment) -> Bool {
        if errorRate?.slot.fingerprint == alert.fingerprint {
            errorRate?.slot.assume(alert, at: now)
            errorRate?.rule.assume()
        } else if latency?.slot.fingerprint == alert.fingerprint {
            latency?.slot.assume(alert, at: now)
            latency?.rule.assume()
        } else {
            return false
        }
        return true
    }

    private static let answeredWell = "requests answered well"

    var impacts: [Impact] {
        (errorRate?.impact.impact(Self.answeredWell, service: service) ?? [])
            + (latency.map { $0.rule.text(service: service, at: last ?? .origin).over.impact } ?? [])
    }

    mutating func add(_ reading: ServiceReading) -> [Alert] {
        let processes = Set(reading.workers.map(\.process))
        requests.keep(processes)
        failures.keep(processes)
        durations.keep(processes)
        slow.keep(processes)
        seconds.keep(processes)
        count(reading)
        last = reading.at
        return tell(at: reading.at)
    }

    private mutating func count(_ reading: ServiceReading) {
        let now = reading.at
        var errors = (all: 0.0, bad: 0.0)
        var slowness = (all: 0.0, bad: 0.0)
        for worker in reading.workers {
            guard let counters = worker.counters else { continue }
            if let grown = failed(worker, counters, at: now.uptime) {
                errorRate?.rule.add(all: grown.all.amount, bad: grown.bad, from: grown.all.from, until: now.uptime)
                errors = (errors.all + grown.all.amount, errors.bad + grown.bad)
            }
            if let grown = tooSlow(worker, counters, at: now.uptime) {
                slowness = (slowness.all + grown.all, slowness.bad + grown.bad)
            }
        }
        let from = last ?? now
        errorRate?.impact.add(all: errors.all, bad: errors.bad, from: from, at: now)
        latency?.rule.addToImpact(all: slowness.all, slow: slowness.bad, from: from, at: now)
    }

    /// Both or neither: a share needs both of the same time.
    private mutating func failed(
        _ worker: WorkerReading, _ counters: WorkerCounters, at now: Uptime
    ) -> (all: Increase, bad: Double)? {
        guard errorRate != nil, let all = counters.requests, let bad = counters.failures else { return nil }
        let requests = requests.increase(of: worker.process, to: all, startedAt: worker.startedAt, at: now)
        let failures = failures.increase(of: worker.process, to: bad, startedAt: worker.startedAt, at: now)
        guard let requests, let failures else { return nil }
        return (requests, min(requests.amount, failures.amount))
    }

    private mutating func tooSlow(
        _ worker: WorkerReading, _ counters: WorkerCounters, at now: Uptime
    ) -> (all: Double, bad: Double)? {
        guard latency != nil, let count = counters.durationCount else { return nil }
        let all = durations.increase(of: worker.process, to: count, startedAt: worker.startedAt, at: now)
        if let total = latency?.rule.slowTotal(counters) {
            let late = slow.increase(of: worker.process, to: total, startedAt: worker.startedAt, at: now)
            guard let all, let late else { return nil }
            latency?.rule.add(all: all.amount, slow: late.amount, from: all.from, until: now)
            return (all.amount, min(all.amount, late.amount))
        }
        guard let sum = counters.durationSum else { return nil }
        let time = seconds.increase(of: worker.process, to: sum, startedAt: worker.startedAt, at: now)
        guard let all, let time else { return nil }
        latency?.rule.addMean(count: all.amount, seconds: time.amount, from: all.from, until: now)
        return nil
    }

    private mutating func tell(at now: Moment) -> [Alert] {
        var alerts: [Alert?] = []
        if let condition = errorRate?.rule.condition(at: now.uptime), let rule = errorRate?.rule,
            let impact = errorRate?.impact
        {
            let told = errorRate?.slot.take(condition, at: now) { [service] in
                Self.text(service, rule, impact, over: $0, at: now)
            }
            alerts.append(told ?? nil)
        }
        if let condition = latency?.rule.condition(at: now.uptime), let rule = latency?.rule {
            let told = latency?.slot.take(condition, at: now) { [service] over in
                let text = rule.text(service: service, at: now)
                return over ? text.over : text.going
            }
            alerts.append(told ?? nil)
        }
        return alerts.compactMap { $0 }
    }

    private static func text(
        _ service: String, _ rule: BurnRule, _ impact: ShareImpact, over: Bool, at now: Moment
    ) -> AlertText {
        let told = impact.impact(answeredWell, service: service)
        let since = impact.episode?.from
        guard !over, let reading = rule.readings(at: now.uptime).first, let share = reading.long.badShare else {
            return AlertText("\(service): requests are answered well again", since: since, impact: told)
        }
        var details = rule.details("failed", at: now.uptime)
        if let episode = impact.episode, episode.until == nil {
            let length = Words.seconds(now.uptime - episode.from.uptime)
            details.append(
                "In the \(length) since it began \(Words.count(episode.bad)) of \(Words.count(episode.all)) requests failed"
            )
        }
        return AlertText(
            "\(service): \(Words.percent(share)) of requests fail "
                + "(\(Words.count(reading.long.bad)) of \(Words.count(reading.long.all)) in "
                + "\(Words.seconds(reading.windows.longSeconds))); \(Words.percent(rule.allowed)) may",
            details: details, labels: ["window_s": Words.fixed(reading.windows.longSeconds, 0)], since: since,
            impact: told)
    }
}

extension Moment {
    static let origin = Moment(uptime: Uptime(seconds: 0), wall: WallTime(milliseconds: 0))
}
