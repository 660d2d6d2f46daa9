package import OakumModel

/// What was read of one service at one moment. nil: not measured, which is never zero.
package struct ServiceReading: Hashable, Sendable {
    package var at: Moment
    /// Those that serve and those that drain, each once.
    package var workers: [WorkerReading]
    /// How many there should be.
    package var desired: Int
    /// Workers that are down or not ready yet.
    package var notServing: Int
    /// Workers that ended without having been told to, since somebody counts.
    package var unaskedEnds: Int?
    /// Workers the kernel killed for want of memory, since somebody counts.
    package var outOfMemoryKills: Int?
    /// Of the host.
    package var cores: Int?

    package init(
        at: Moment, workers: [WorkerReading], desired: Int, notServing: Int = 0, unaskedEnds: Int? = nil,
        outOfMemoryKills: Int? = nil, cores: Int? = nil
    ) {
        self.at = at
        self.workers = workers
        self.desired = desired
        self.notServing = notServing
        self.unaskedEnds = unaskedEnds
        self.outOfMemoryKills = outOfMemoryKills
        self.cores = cores
    }
}

/// What was read of one worker.
package struct WorkerReading: Hashable, Sendable {
    package enum Answer: Hashable, Sendable {
        case answered
        /// Nothing in time, or something else than yes.
        case failed
    }

    package var number: UInt32
    package var process: ProcessIdentity
    /// When its process was started, so that its counters began at zero; nil: it ran before anybody watched.
    package var startedAt: Uptime?
    /// It has been told to stop: what it still counts counts, its silence is none.
    package var isDraining: Bool
    /// Its readiness probe; nil: not asked this time.
    package var probe: Answer?
    /// Its `/metrics` was asked for this time.
    package var wasAsked: Bool
    /// What it told; nil: not asked, or no answer.
    package var counters: WorkerCounters?
    /// User and system time since its start.
    package var cpuSeconds: Double?
    package var rss: ByteCount?
    /// What it may hold.
    package var budget: ByteCount?
    /// Of its leak; nil: it shows none.
    package var timeToLimit: TimeToLimit?
    package var fileDescriptors: Int?
    package var fileDescriptorLimit: Int?

    package init(
        number: UInt32, process: ProcessIdentity, startedAt: Uptime? = nil, isDraining: Bool = false,
        probe: Answer? = nil, wasAsked: Bool = false, counters: WorkerCounters? = nil, cpuSeconds: Double? = nil,
        rss: ByteCount? = nil, budget: ByteCount? = nil, timeToLimit: TimeToLimit? = nil,
        fileDescriptors: Int? = nil, fileDescriptorLimit: Int? = nil
    ) {
        self.number = number
        self.process = process
        self.startedAt = startedAt
        self.isDraining = isDraining
        self.probe = probe
        self.wasAsked = wasAsked
        self.counters = counters
        self.cpuSeconds = cpuSeconds
        self.rss = rss
        self.budget = budget
        self.timeToLimit = timeToLimit
        self.fileDescriptors = fileDescriptors
        self.fileDescriptorLimit = fileDescriptorLimit
    }
}

/// What a worker tells of its work: totals since its start.
package struct WorkerCounters: Hashable, Sendable {
    package var requests: Double?
    /// Of them, those the service failed to answer well (5xx).
    package var failures: Double?
    package var durationSum: Double?
    package var durationCount: Double?
    /// Rising in `bound`, cumulative, without the one of infinity. At most `bucketLimit`.
    package var durations: [DurationBucket]
    package var inFlight: Double?
    /// By `BusinessSettings.name`.
    package var business: [String: Double]

    package static let bucketLimit = 64

    package init(
        requests: Double? = nil, failures: Double? = nil, durationSum: Double? = nil, durationCount: Double? = nil,
        durations: [DurationBucket] = [], inFlight: Double? = nil, business: [String: Double] = [:]
    ) {
        self.requests = requests
        self.failures = failures
        self.durationSum = durationSum
        self.durationCount = durationCount
        self.durations = durations
        self.inFlight = inFlight
        self.business = business
    }
}

/// How many requests took at most `bound` seconds.
package struct DurationBucket: Hashable, Sendable {
    package var bound: Double
    package var count: Double

    package init(bound: Double, count: Double) {
        self.bound = bound
        self.count = count
    }
}

/// What was read of the host at one moment. nil: not measured.
package struct HostReading: Hashable, Sendable {
    package var at: Moment
    /// Available, of all memory: 0 to 1.
    package var memoryAvailable: Double?
    /// `some avg10`, percent.
    package var memoryPressure: Double?
    package var cpuPressure: Double?
    package var ioPressure: Double?
    /// Free share of each watched volume, 0 to 1, by its path. At most `volumeLimit` are looked at, the first by path.
    package var diskFree: [String: Double]

    package static let volumeLimit = 16

    package init(
        at: Moment, memoryAvailable: Double? = nil, memoryPressure: Double? = nil, cpuPressure: Double? = nil,
        ioPressure: Double? = nil, diskFree: [String: Double] = [:]
    ) {
        self.at = at
        self.memoryAvailable = memoryAvailable
        self.memoryPressure = memoryPressure
        self.cpuPressure = cpuPressure
        self.ioPressure = ioPressure
        self.diskFree = diskFree
    }
}
