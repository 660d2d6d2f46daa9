/// A cache as others see it who know nothing of its keys and values: metrics, and the governor of memory pressure.
public protocol ManagedCache: AnyObject, Sendable {
    /// Stands in metrics and verdicts.
    var name: String { get }
    /// How dear its entries are to make again.
    var rebuildCost: RebuildCost { get }
    /// The bound it keeps now.
    var bound: CacheBound { get }
    /// What it holds and what went through it.
    var reading: CacheReading { get }

    /// Changes the bound; what does not fit any more leaves before this returns.
    ///
    /// - Returns: bytes that were freed.
    @discardableResult
    func resize(to bound: CacheBound) -> Int
}

/// What a cache holds, and what went through it.
public struct CacheReading: Sendable, Equatable {
    /// The cache's name.
    public var name: String
    /// Bytes it holds, its own memory included.
    public var heldBytes: Int
    /// Bytes of its own memory alone.
    public var overheadBytes: Int
    /// Entries it holds.
    public var entries: Int
    /// The bound it keeps.
    public var bound: CacheBound
    /// What it did since it was made.
    public var statistics: CacheStatistics

    /// How full it is, 0 to 1, by the bound that is nearer.
    public var fill: Double {
        let byBytes = bound.bytes.map { Double(heldBytes) / Double(max($0, 1)) } ?? 0
        let byEntries = bound.entries.map { Double(entries) / Double(max($0, 1)) } ?? 0
        return max(byBytes, byEntries)
    }

    /// Entries that came in or left since the cache was made: its rate tells how fast the contents turn over.
    public var turnover: UInt64 { statistics.insertions + statistics.removals.total }
}

extension BoundedCache: ManagedCache {
    /// What it holds and what went through it, as of now.
    public var reading: CacheReading {
        CacheReading(
            name: name, heldBytes: heldBytes, overheadBytes: overheadBytes, entries: count, bound: bound,
            statistics: statistics)
    }
}
