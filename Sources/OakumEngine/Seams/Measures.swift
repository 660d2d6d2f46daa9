/// What all processes of a machine share, at one moment. What could not be read is nil, never zero.
package struct MachineReading: Hashable, Sendable {
    /// Pressure stall, `some avg10`, percent.
    package var cpuPressure: Double?
    package var memoryPressure: Double?
    package var ioPressure: Double?
    /// 0 to 1.
    package var memoryAvailable: Double?
    /// Free share of each volume that matters, 0 to 1, by the path it was asked for.
    package var diskFree: [String: Double] = [:]
    /// TCP segments since boot.
    package var segmentsSent: Double?
    package var segmentsRetransmitted: Double?
    /// Processes the kernel has killed for want of memory since boot, `/proc/vmstat` `oom_kill`.
    package var kernelKills: Double?
    /// Processors that can be used.
    package var cores: Int?

    package init() {}
}

/// Open descriptors of one process.
package struct DescriptorReading: Hashable, Sendable {
    package var open: Int
    /// How many there may be; nil: there is no limit, or it could not be read.
    package var limit: Int?

    package init(open: Int, limit: Int? = nil) {
        self.open = open
        self.limit = limit
    }
}

/// What a worker tells of its own work in `/metrics`. Counters since its start; what it does not tell is nil.
package struct ServiceMeasures: Hashable, Sendable {
    /// `http_requests_total`, all of it and its `5xx`.
    package var requests: Double?
    package var failures: Double?
    /// `http_request_duration_seconds`, sum and count.
    package var durationSum: Double?
    package var durationCount: Double?
    /// `http_requests_in_flight`.
    package var inFlight: Double?
    /// Counters of its own, by name: at most `workLimit`, the first by name.
    package var work: [String: Double] = [:]
    /// By name, at most `cacheLimit`.
    package var caches: [String: CacheMeasures] = [:]

    package static let workLimit = 24
    package static let cacheLimit = 16

    package init() {}
}

/// What a cache publishes of itself: `cache_bytes`, `cache_bound_bytes`, `cache_evictions_total`, each with the label `cache`.
package struct CacheMeasures: Hashable, Sendable {
    package var bytes: Double
    /// Nil: not bounded by bytes.
    package var bound: Double?
    package var evictions: Double?

    package init(bytes: Double, bound: Double? = nil, evictions: Double? = nil) {
        self.bytes = bytes
        self.bound = bound
        self.evictions = evictions
    }
}
