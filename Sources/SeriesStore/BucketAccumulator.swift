/// Folds what comes into the bucket of its time, and hands the bucket over when a later (or earlier) one begins.
struct BucketAccumulator: Sendable {
    /// Processes within one bucket; further ones are left out, which only a spawn storm can reach.
    static let maximumSeries = HistoryRecord.maximumCount - 1

    let width: Int64
    private(set) var open: ClosedBucket?

    init(width: Int64) {
        self.width = width
    }

    /// - Parameter at: wall clock, milliseconds.
    /// - Returns: the bucket before, when this one is another.
    mutating func add(_ extents: [(SeriesKey, Extent)], at: Int64) -> ClosedBucket? {
        let start = Self.floor(at, to: width)
        var closed: ClosedBucket?
        if let open, open.start != start {
            closed = open
            self.open = nil
        }
        var bucket = self.open.take() ?? ClosedBucket(start: start, extents: [:])
        for (key, extent) in extents {
            if bucket.extents[key] != nil {
                bucket.extents[key]?.include(extent)
            } else if bucket.extents.count < Self.maximumSeries {
                bucket.extents[key] = extent
            }
        }
        open = bucket
        return closed
    }

    static func floor(_ time: Int64, to width: Int64) -> Int64 {
        let remainder = time % width
        return remainder >= 0 ? time - remainder : time - remainder - width
    }
}
