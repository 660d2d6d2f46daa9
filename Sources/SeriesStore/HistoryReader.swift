import OakumEngine
import OakumModel

/// Answers questions from segments, without holding the writer up: it works on a list of segments taken at one instant.
struct HistoryReader {
    /// A service that is recycled all the time has many processes: the newest are shown.
    static let maximumProcesses = 1000

    var full: [Segment]
    var short: [Segment]
    var long: [Segment]
    /// The newest instant in them.
    var newest: Int64
    var limits: HistoryLimits

    func buckets(service: String, since: Int64, width wanted: Int64, limit: Int) throws(StoreError) -> [StoredBuckets] {
        let earliest = max(
            since, [full, short, long].compactMap { $0.first { $0.start > .min }?.start }.min() ?? since)
        guard newest >= earliest, limit > 0 else { return [] }
        let width = max(wanted, 1, (newest - earliest) / Int64(limit) + 1)
        var merge = BucketMerge(width: width, since: since)
        let base = Tier.long.isFineEnough(for: width) ? Tier.long : Tier.short.isFineEnough(for: width) ? .short : .full
        let wants: (SeriesKey) -> Bool = { $0.worker.service == service }

        // Coarse tiers give what finer ones no longer have; finer ones what has not reached the coarse ones yet.
        let finer = short.isEmpty ? full : short
        let longUntil = base == .long ? Int64.max : Self.handover(from: long, .long, to: finer)
        var longEnd = Int64.min
        try scan(
            long, .long, wants,
            onBucket: { start, extents in
                longEnd = max(longEnd, start + (Tier.long.bucketMilliseconds ?? 0))
                if start < longUntil { merge.add(extents, at: start, width: Tier.long.bucketMilliseconds) }
            }, since: since)
        let shortUntil = base == .full ? Self.handover(from: short, .short, to: full) : Int64.max
        let shortFrom = base == .long ? longEnd : Int64.min
        var shortEnd = longEnd
        try scan(
            short, .short, wants,
            onBucket: { start, extents in
                shortEnd = max(shortEnd, start + (Tier.short.bucketMilliseconds ?? 0))
                guard start >= shortFrom, start < shortUntil else { return }
                merge.add(extents, at: start, width: Tier.short.bucketMilliseconds)
            }, since: since)
        let fullFrom = base == .full ? Int64.min : shortEnd
        try scan(
            full, .full, wants,
            onTick: { wall, samples in
                if wall >= fullFrom { merge.add(samples.map { ($0, $1.extent) }, at: wall, width: nil) }
            }, since: since)
        return merge.result(limit: limit, processes: Self.maximumProcesses)
    }

    func recent(_ process: ProcessIdentity) throws(StoreError) -> [Sample] {
        var found: [Sample] = []
        try scan(
            full, .full, { $0.process == process },
            onTick: { _, samples in
                for (_, sample) in samples {
                    // Time went back: a process of an earlier boot that had the same pid and start ticks.
                    if let last = found.last, sample.at < last.at { found = [] }
                    found.append(sample)
                }
            }, since: .min)
        guard let last = found.last else { return [] }
        return found.filter { last.at - $0.at <= limits.fullSeconds }
    }

    /// Until when a coarse tier is needed where a finer one exists: until the finer begins, and not at all when the
    /// finer has everything (the first coarse bucket then begins a little earlier only because it is wider).
    private static func handover(from coarse: [Segment], _ tier: Tier, to fine: [Segment]) -> Int64 {
        guard let first = start(of: coarse) else { return .min }
        guard let fineStart = start(of: fine) else { return .max }
        return first + (tier.bucketMilliseconds ?? 0) <= fineStart ? fineStart : .min
    }

    private static func start(of segments: [Segment]) -> Int64? {
        segments.first { $0.start > .min }?.start
    }

    private func scan(
        _ segments: [Segment], _ tier: Tier, _ wants: @escaping (SeriesKey) -> Bool,
        onTick: @escaping (Int64, [(SeriesKey, Sample)]) -> Void = { _, _ in },
        onBucket: @escaping (Int64, [(SeriesKey, Extent)]) -> Void = { _, _ in }, since: Int64
    ) throws(StoreError) {
        let scan = SegmentScan(
            limit: TierLog.readLimit(tier, limits), wants: wants, onTick: onTick, onBucket: onBucket)
        for segment in segments.suffix(from: HistoryWriter.firstIndex(segments, reaching: since)) {
            // Damage was told when the history was opened.
            _ = try scan.read(segment)
        }
    }
}

extension Tier {
    fileprivate func isFineEnough(for width: Int64) -> Bool {
        (bucketMilliseconds ?? 0) <= width
    }
}

/// Collects buckets of several widths into buckets of one width.
struct BucketMerge {
    let width: Int64
    let since: Int64
    private var extents: [SeriesKey: [Int64: Extent]] = [:]

    init(width: Int64, since: Int64) {
        self.width = width
        self.since = since
    }

    /// - Parameter width: of the source bucket; nil for a sample.
    mutating func add(_ found: [(SeriesKey, Extent)], at start: Int64, width sourceWidth: Int64?) {
        guard start + (sourceWidth ?? 1) > since else { return }
        let bucket = BucketAccumulator.floor(start, to: width)
        for (key, extent) in found {
            if extents[key, default: [:]][bucket]?.include(extent) == nil { extents[key]?[bucket] = extent }
        }
    }

    /// The newest processes, by worker number and age; the newest buckets of each, rising.
    func result(limit: Int, processes: Int) -> [StoredBuckets] {
        let newest = extents.sorted { ($0.value.keys.max() ?? .min) > ($1.value.keys.max() ?? .min) }.prefix(processes)
        return newest.sorted {
            ($0.key.worker, $0.key.process.startTicks) < ($1.key.worker, $1.key.process.startTicks)
        }.map { key, buckets in
            let rising = buckets.sorted { $0.key < $1.key }.suffix(limit).map { start, extent in
                MemoryBucket(
                    start: WallTime(milliseconds: start), floor: ByteCount(extent.floor), peak: ByteCount(extent.peak))
            }
            return StoredBuckets(worker: key.worker, process: key.process, buckets: rising)
        }
    }
}
