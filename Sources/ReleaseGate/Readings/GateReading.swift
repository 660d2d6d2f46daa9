package import OakumModel

/// One reading of one worker of the comparison. What could not be read is nil, never zero. Counters count from the worker's
/// start and rise.
package struct GateReading: Hashable, Sendable, Codable {
    package var at: Uptime
    /// As the allocator counts it.
    package var bytesInUse: ByteCount?
    package var residentBytes: ByteCount?
    package var requests: Double?
    /// Of the requests, those the worker failed to answer well.
    package var failed: Double?
    package var latency: LatencyCounts?
    /// User and system time.
    package var cpuSeconds: Double?
    package var openDescriptors: Int?

    package init(
        at: Uptime, bytesInUse: ByteCount? = nil, residentBytes: ByteCount? = nil, requests: Double? = nil,
        failed: Double? = nil, latency: LatencyCounts? = nil, cpuSeconds: Double? = nil, openDescriptors: Int? = nil
    ) {
        self.at = at
        self.bytesInUse = bytesInUse
        self.residentBytes = residentBytes
        self.requests = requests
        self.failed = failed
        self.latency = latency
        self.cpuSeconds = cpuSeconds
        self.openDescriptors = openDescriptors
    }

    private enum CodingKeys: String, CodingKey {
        case at = "uptime_s"
        case bytesInUse = "bytes_in_use"
        case residentBytes = "rss_bytes"
        case requests
        case failed
        case latency
        case cpuSeconds = "cpu_s"
        case openDescriptors = "open_fds"
    }
}

/// How long requests took: counts by bucket, cumulative over the bounds and since the worker's start, as Prometheus
/// histograms tell it.
package struct LatencyCounts: Hashable, Sendable, Codable {
    /// Upper bounds in seconds, rising, without the one of infinity.
    package let bounds: [Double]
    /// How many took at most the bound.
    package let counts: [Double]
    /// How many there were in all: the bucket of infinity.
    package let total: Double

    /// More buckets than this are refused.
    package static let bucketLimit = 128

    /// Nil when bounds or counts do not rise, do not match, or are no finite numbers.
    package init?(bounds: [Double], counts: [Double], total: Double) {
        guard bounds.count == counts.count, 1...Self.bucketLimit ~= bounds.count, total.isFinite,
            bounds.allSatisfy(\.isFinite), bounds[0] > 0, counts.allSatisfy(\.isFinite), counts[0] >= 0,
            zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }),
            zip(counts, counts.dropFirst()).allSatisfy({ $0 <= $1 }),
            counts[counts.count - 1] <= total
        else { return nil }
        self.bounds = bounds
        self.counts = counts
        self.total = total
    }

    private init(valid bounds: [Double], counts: [Double], total: Double) {
        self.bounds = bounds
        self.counts = counts
        self.total = total
    }

    /// What came since; nil when the buckets are others, or counts went back.
    func since(_ earlier: LatencyCounts) -> LatencyCounts? {
        guard bounds == earlier.bounds, total >= earlier.total else { return nil }
        var fresh = counts
        var before = 0.0
        for index in counts.indices {
            fresh[index] -= earlier.counts[index]
            guard fresh[index] >= before else { return nil }
            before = fresh[index]
        }
        guard before <= total - earlier.total else { return nil }
        return LatencyCounts(valid: bounds, counts: fresh, total: total - earlier.total)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let bounds = try container.decode([Double].self, forKey: .bounds)
        let counts = try container.decode([Double].self, forKey: .counts)
        let total = try container.decode(Double.self, forKey: .total)
        guard let valid = LatencyCounts(bounds: bounds, counts: counts, total: total) else {
            throw DecodingError.dataCorruptedError(
                forKey: .counts, in: container,
                debugDescription: "latency buckets must rise, one count for each bound, none above the total")
        }
        self = valid
    }

    private enum CodingKeys: String, CodingKey {
        case bounds = "bounds_s"
        case counts
        case total
    }
}
