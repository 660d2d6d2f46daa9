import OakumModel

/// What one worker did since its last reading; nil: not known.
struct WorkerIncrement {
    var errors: RateRatioTest.Counts?
    var cpu: CPUWork?
    var latency: LatencyCounts?
    /// Counters went back, and nobody had said why.
    var isUnexplainedRestart = false
}

/// One worker as it is read.
struct WorkerTrack: Sendable {
    let worker: GateWorker
    private(set) var lastSeen: Double?
    /// Time between readings, without longer silences.
    private(set) var observedSeconds = 0.0
    private(set) var memory = MemoryTrack()
    /// The process of the start is gone: its memory tells no more.
    private(set) var hasRestarted = false
    private var awaitsReset = false
    private var requests = 0.0
    private var paired = RateRatioTest.Counts()
    private var cpu: CPUWork?
    private var latency: LatencyCounts?

    init(_ worker: GateWorker) {
        self.worker = worker
    }

    /// The next reading is another process's.
    mutating func expectReset() {
        awaitsReset = true
        hasRestarted = true
    }

    /// Nil when it lies before the last one. Seconds from the start of the comparison.
    mutating func add(_ reading: GateReading, at seconds: Double, stale: Double) -> WorkerIncrement? {
        guard seconds.isFinite, seconds >= 0, seconds > lastSeen ?? -.infinity else { return nil }
        observedSeconds += min(stale, seconds - (lastSeen ?? max(0, seconds - stale)))
        lastSeen = seconds
        var increment = WorkerIncrement()
        let served = Self.valid(reading.requests)
        if let served {
            if served < requests || awaitsReset {
                increment.isUnexplainedRestart = !awaitsReset
                reset()
            }
            requests = served
        }
        if let served, let failed = Self.valid(reading.failed), failed >= paired.failed {
            increment.errors = RateRatioTest.Counts(
                requests: served - paired.requests, failed: min(served, failed) - paired.failed)
            paired = RateRatioTest.Counts(requests: served, failed: min(served, failed))
        }
        if let served, let used = Self.valid(reading.cpuSeconds) {
            let now = CPUWork(requests: served, seconds: used)
            // From the first reading on: what the start cost is no request's.
            if let cpu, used >= cpu.seconds {
                increment.cpu = CPUWork(requests: served - cpu.requests, seconds: used - cpu.seconds)
            }
            cpu = now
        }
        if let counts = reading.latency {
            increment.latency = latency.flatMap { counts.since($0) } ?? counts
            latency = counts
        }
        remember(reading, at: seconds, served)
        return increment
    }

    private mutating func remember(_ reading: GateReading, at seconds: Double, _ served: Double?) {
        let inUse = Self.valid(reading.bytesInUse.map { Double($0.bytes) })
        let resident = Self.valid(reading.residentBytes.map { Double($0.bytes) })
        guard !hasRestarted, let served, inUse != nil || resident != nil else { return }
        memory.add(
            MemoryPoint(
                seconds: seconds, requests: served, bytesInUse: inUse, residentBytes: resident,
                openDescriptors: Self.valid(reading.openDescriptors.map(Double.init))))
    }

    private mutating func reset() {
        awaitsReset = false
        hasRestarted = true
        paired = RateRatioTest.Counts()
        cpu = nil
        latency = nil
    }

    private static func valid(_ value: Double?) -> Double? {
        guard let value, value.isFinite, value >= 0 else { return nil }
        return value
    }
}
