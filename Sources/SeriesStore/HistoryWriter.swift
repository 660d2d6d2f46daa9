import OakumEngine
import OakumModel

/// The writing side: the three logs, and the buckets that are still open. What a killed process had in open buckets is
/// rebuilt from the finer tier by the next one.
struct HistoryWriter: Sendable {
    /// Closed buckets that found no room on the disk: the newest are kept for when there is some. Eleven minutes' worth;
    /// the tick that comes with them fails by itself and is reported.
    static let maximumPending = 64

    private(set) var full: TierLog
    private(set) var short: TierLog
    private(set) var long: TierLog
    /// The newest instant known, milliseconds of the wall clock.
    private(set) var newest: Int64 = .min
    /// What could not be read when the history was opened, in words; at most 16.
    private(set) var damage: [String] = []

    private var shortBuckets = BucketAccumulator(width: Tier.short.bucketMilliseconds ?? 1)
    private var longBuckets = BucketAccumulator(width: Tier.long.bucketMilliseconds ?? 1)
    private var pendingShort: [ClosedBucket] = []
    private var pendingLong: [ClosedBucket] = []

    init(folder: String, limits: HistoryLimits, disk: SegmentDisk) throws(StoreError) {
        full = try TierLog(.full, folder: folder, limits: limits, disk: disk)
        short = try TierLog(.short, folder: folder, limits: limits, disk: disk)
        long = try TierLog(.long, folder: folder, limits: limits, disk: disk)
        try rebuild(limits)
    }

    mutating func append(_ samples: [StoredSample], at moment: Moment) throws(StoreError) {
        guard samples.count < HistoryRecord.maximumCount else {
            throw .failed("\(samples.count) samples at once are too many for the history")
        }
        guard samples.allSatisfy({ $0.worker.service.utf8.count <= HistoryRecord.maximumServiceName }) else {
            throw .failed("a service name is longer than \(HistoryRecord.maximumServiceName) bytes")
        }
        let wall = moment.wall.milliseconds
        let keys = samples.map { SeriesKey(worker: $0.worker, process: $0.process) }
        try full.append(keys, wall: wall) { numbers in
            .tick(
                wall: wall,
                samples: zip(numbers, samples).map { HistoryRecord.NumberedSample(series: $0, sample: $1.sample) })
        }
        newest = max(newest, wall)
        fold(zip(keys, samples).map { ($0, $1.sample.extent) }, at: wall)
        writePending()
    }

    private mutating func fold(_ extents: [(SeriesKey, Extent)], at wall: Int64) {
        guard let closed = shortBuckets.add(extents, at: wall) else { return }
        pendingShort.append(closed)
        if pendingShort.count > Self.maximumPending { pendingShort.removeFirst() }
        foldLong(closed.extents.map { ($0.key, $0.value) }, at: closed.start)
    }

    private mutating func foldLong(_ extents: [(SeriesKey, Extent)], at start: Int64) {
        guard let closed = longBuckets.add(extents, at: start) else { return }
        pendingLong.append(closed)
        if pendingLong.count > Self.maximumPending { pendingLong.removeFirst() }
    }

    private mutating func writePending() {
        do throws(StoreError) {
            while let bucket = pendingShort.first {
                try Self.write(bucket, to: &short)
                pendingShort.removeFirst()
            }
            while let bucket = pendingLong.first {
                try Self.write(bucket, to: &long)
                pendingLong.removeFirst()
            }
        } catch {
            // Tried again with the next tick: the samples themselves are stored, and on a full disk the next tick fails.
        }
    }

    private static func write(_ bucket: ClosedBucket, to log: inout TierLog) throws(StoreError) {
        let extents = bucket.extents.sorted {
            ($0.key.worker, $0.key.process.startTicks) < ($1.key.worker, $1.key.process.startTicks)
        }
        try log.append(extents.map(\.key), wall: bucket.start) { numbers in
            .bucket(
                start: bucket.start,
                extents: zip(numbers, extents).map { HistoryRecord.NumberedExtent(series: $0, extent: $1.value) })
        }
    }

    /// Carries on where the last run stopped: folds again what had not reached the coarser tiers.
    private mutating func rebuild(_ limits: HistoryLimits) throws(StoreError) {
        let longEnd = try end(of: long, limits)
        let shortEnd = try end(of: short, limits)
        var buckets: [ClosedBucket] = []
        for segment in short.segments.suffix(from: Self.firstIndex(short.segments, reaching: longEnd)) {
            try scan(
                segment, .short, limits,
                onBucket: { start, extents in
                    guard start >= longEnd else { return }
                    buckets.append(ClosedBucket(start: start, extents: Dictionary(extents) { $1 }))
                })
        }
        for bucket in buckets { foldLong(bucket.extents.map { ($0.key, $0.value) }, at: bucket.start) }
        var ticks: [(Int64, [(SeriesKey, Extent)])] = []
        var latest = max(shortEnd, longEnd)
        for segment in full.segments {
            try scan(
                segment, .full, limits,
                onTick: { wall, samples in
                    latest = max(latest, wall)
                    if wall >= shortEnd { ticks.append((wall, samples.map { ($0, $1.extent) })) }
                })
        }
        for (wall, extents) in ticks { fold(extents, at: wall) }
        newest = latest
    }

    /// Where the buckets of a tier end; the smallest number when it has none.
    private mutating func end(of log: TierLog, _ limits: HistoryLimits) throws(StoreError) -> Int64 {
        for segment in log.segments.reversed() {
            var last: Int64?
            try scan(segment, log.tier, limits, onBucket: { start, _ in last = max(last ?? start, start) })
            if let last { return last + (log.tier.bucketMilliseconds ?? 0) }
        }
        return .min
    }

    private mutating func scan(
        _ segment: Segment, _ tier: Tier, _ limits: HistoryLimits,
        onTick: @escaping (Int64, [(SeriesKey, Sample)]) -> Void = { _, _ in },
        onBucket: @escaping (Int64, [(SeriesKey, Extent)]) -> Void = { _, _ in }
    ) throws(StoreError) {
        let scan = SegmentScan(
            limit: TierLog.readLimit(tier, limits), wants: { _ in true }, onTick: onTick, onBucket: onBucket)
        let unread = try scan.read(segment)
        let note = "\(segment.path): the last \(unread) bytes are torn or damaged and left out"
        if unread > 0, damage.count < 16, !damage.contains(note) { damage.append(note) }
    }

    /// The first segment that may hold something at or after `time`: the one before the first that begins after it.
    static func firstIndex(_ segments: [Segment], reaching time: Int64) -> Int {
        max(0, (segments.firstIndex { $0.start > time } ?? segments.count) - 1)
    }
}
