import OakumModel

/// Lines in each of the latest buckets: a ring of fixed size, kept from the first line on.
struct BucketCounts: Sendable {
    private(set) var total = 0
    private let capacity: Int
    private var counts: [UInt32] = []
    /// The bucket of `counts[newest % capacity]`.
    private var newest = Int64.min

    init(capacity: Int) {
        self.capacity = capacity
    }

    mutating func add(_ bucket: Int64) {
        total += 1
        add(1, to: bucket)
    }

    mutating func merge(_ other: BucketCounts) {
        total += other.total
        guard other.newest > .min else { return }
        for age in stride(from: Int64(other.capacity) - 1, through: 0, by: -1) {
            let bucket = other.newest - age
            let count = other.value(bucket)
            if count > 0 { add(count, to: bucket) }
        }
    }

    /// One point a bucket, for those from `first` on that the ring can hold.
    func points(from first: Int64, until last: Int64, width: Double) -> [SeriesPoint] {
        guard last >= first else { return [] }
        return (max(first, last - Int64(capacity) + 1)...last).map { bucket in
            SeriesPoint(seconds: (Double(bucket) + 0.5) * width, value: Double(value(bucket)))
        }
    }

    private func value(_ bucket: Int64) -> UInt32 {
        guard newest > .min, bucket <= newest, newest - bucket < Int64(capacity) else { return 0 }
        return counts[index(bucket)]
    }

    private mutating func add(_ count: UInt32, to bucket: Int64) {
        if counts.isEmpty { counts = [UInt32](repeating: 0, count: capacity) }
        if newest == .min { newest = bucket }
        if bucket > newest {
            let steps = min(bucket - newest, Int64(capacity))
            for step in 0..<steps { counts[index(bucket - step)] = 0 }
            newest = bucket
        }
        // Older than the ring reaches: it is in the total alone.
        guard newest - bucket < Int64(capacity) else { return }
        let (sum, overflow) = counts[index(bucket)].addingReportingOverflow(count)
        counts[index(bucket)] = overflow ? .max : sum
    }

    private func index(_ bucket: Int64) -> Int {
        let rest = Int(bucket % Int64(capacity))
        return rest >= 0 ? rest : rest + capacity
    }
}
