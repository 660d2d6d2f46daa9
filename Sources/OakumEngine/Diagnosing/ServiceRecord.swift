package import Diagnosis
package import OakumModel

/// What was read of all workers of a service together, over the last half hour: what a diagnosis without a leak is made from.
///
/// Counters of workers are added up as they grow, so that a worker that goes takes nothing away and a new one adds nothing
/// at once. About 100 KiB.
package struct ServiceRecord: Sendable {
    package static let seconds = 1_800.0

    /// Once in two seconds.
    private struct Reading {
        /// Of one worker, the mean; bytes.
        var memory: Double
        /// Of all together.
        var cores: Double?
    }

    /// What workers told of themselves since Oakum watches, all together.
    private struct Told {
        var requests: Double?
        var failures: Double?
        var durationSum: Double?
        var durationCount: Double?
        var inFlight: Double?
    }

    private var readings = RecentSeries<Reading>(seconds: Self.seconds, spacing: 1.9)
    private var told = RecentSeries<Told>(seconds: Self.seconds, spacing: 3.9)
    private var totals = Told()
    private var last: [ProcessIdentity: ServiceMeasures] = [:]
    /// Since the last `closeRound`.
    private var coresSince: (sum: Double, count: Double) = (0, 0)
    private var atLastRound: (seconds: Double, told: Told)?
    /// What latency and failures were last told for: few requests wait for more.
    private var atLatency = Told()
    private var atFailures = Told()

    package init() {}

    /// Takes in one second's samples.
    package mutating func add(memory: [ByteCount], cores: [Double], at now: Uptime) {
        guard !memory.isEmpty else { return }
        let mean = Double(memory.reduce(0) { $0 + $1.bytes }) / Double(memory.count)
        // Right after a start it is not known of each yet: a sum of some would be a dip.
        let sum = cores.count == memory.count ? cores.reduce(0, +) : nil
        if let sum { coresSince = (coresSince.sum + sum, coresSince.count + 1) }
        readings.append(Reading(memory: mean, cores: sum), at: now.seconds)
    }

    /// Takes in what a worker told of itself.
    ///
    /// - Parameter isFresh: it began under Oakum's eyes, so its counters began at zero.
    package mutating func add(_ measures: ServiceMeasures, of process: ProcessIdentity, isFresh: Bool) {
        let before = last.updateValue(measures, forKey: process) ?? (isFresh ? .zero : measures)
        func grow(_ total: WritableKeyPath<Told, Double?>, _ part: KeyPath<ServiceMeasures, Double?>) {
            guard let now = measures[keyPath: part] else { return }
            totals[keyPath: total] = (totals[keyPath: total] ?? 0) + max(0, now - (before[keyPath: part] ?? now))
        }
        grow(\.requests, \.requests)
        grow(\.failures, \.failures)
        grow(\.durationSum, \.durationSum)
        grow(\.durationCount, \.durationCount)
    }

    package mutating func forget(_ process: ProcessIdentity) {
        last[process] = nil
    }

    /// All workers were asked: what they told becomes one reading, and what a watch of symptoms looks at comes out. Nil when
    /// the last round was a moment ago, and at the first.
    package mutating func closeRound(at now: Uptime) -> SymptomReading? {
        var told = totals
        let inFlight = last.values.compactMap(\.inFlight)
        told.inFlight = inFlight.isEmpty ? nil : inFlight.reduce(0, +)
        self.told.append(told, at: now.seconds)
        guard let before = atLastRound else {
            atLastRound = (now.seconds, told)
            (atLatency, atFailures) = (told, told)
            return nil
        }
        let seconds = now.seconds - before.seconds
        guard seconds >= 3.9 else { return nil }
        atLastRound = (now.seconds, told)
        var reading = SymptomReading(seconds: now.seconds)
        if coresSince.count > 0 { reading[.cpu] = coresSince.sum / coresSince.count }
        coresSince = (0, 0)
        reading[.inFlight] = told.inFlight
        if let requests = told.requests, let earlier = before.told.requests {
            reading.requestsPerSecond = (requests - earlier) / seconds
        }
        reading[.latency] = latency(told)
        reading[.errors] = errors(told)
        return reading
    }

    /// Over twenty requests at least: fewer say little.
    private mutating func latency(_ now: Told) -> Double? {
        guard let sum = now.durationSum, let count = now.durationCount else { return nil }
        let answered = count - (atLatency.durationCount ?? count)
        guard atLatency.durationCount == nil || answered >= 20 else { return nil }
        defer { atLatency = now }
        return answered > 0 ? (sum - (atLatency.durationSum ?? sum)) / answered : nil
    }

    /// Over fifty requests or five failures at least.
    private mutating func errors(_ now: Told) -> Double? {
        guard let requests = now.requests, let failures = now.failures else { return nil }
        let asked = requests - (atFailures.requests ?? requests)
        let failed = failures - (atFailures.failures ?? failures)
        guard atFailures.requests == nil || asked >= 50 || failed >= 5 else { return nil }
        defer { atFailures = now }
        return asked > 0 ? min(1, failed / asked) : nil
    }

    /// Everything since then as series; those without a reading are left out.
    package func signals(since begin: Double) -> [Signal] {
        let read = readings.readings.filter { $0.seconds >= begin }
        let told = told.readings.filter { $0.seconds >= begin }
        func points(_ value: KeyPath<Told, Double?>) -> [SeriesPoint] {
            told.compactMap { told in
                told.reading[keyPath: value].map { SeriesPoint(seconds: told.seconds, value: $0) }
            }
        }
        let result = [
            Signal(.memory, points: read.map { SeriesPoint(seconds: $0.seconds, value: $0.reading.memory) }),
            Signal(
                .cpu,
                points: read.compactMap { read in
                    read.reading.cores.map { SeriesPoint(seconds: read.seconds, value: $0) }
                }),
            .rate(.requests, counter: points(\.requests)),
            Signal(.inFlight, points: points(\.inFlight)),
            Signal(.latency, points: WorkerRecord.ratio(points(\.durationSum), points(\.durationCount))),
            Signal(.errors, points: WorkerRecord.ratio(points(\.failures), points(\.requests))),
        ]
        return result.filter { !$0.points.isEmpty }
    }
}

extension ServiceMeasures {
    /// Counters of a process that has just begun.
    fileprivate static let zero: ServiceMeasures = {
        var result = ServiceMeasures()
        (result.requests, result.failures, result.durationSum, result.durationCount) = (0, 0, 0, 0)
        return result
    }()
}
