internal import Synchronization

/// What a cache did since it was made, and holds now. Counters only ever rise; they are read shard by shard, so they may be
/// some operations apart.
public struct CacheStatistics: Sendable, Equatable {
    /// Look-ups that found something, a remembered absence included.
    public var hits: UInt64 = 0
    /// Look-ups that found nothing, or something expired.
    public var misses: UInt64 = 0
    /// Hits whose answer was a remembered absence.
    public var negativeHits: UInt64 = 0
    /// Expired values that were served because their reload failed.
    public var staleHits: UInt64 = 0
    /// Values that came in, replacements included.
    public var insertions: UInt64 = 0
    /// Values that were too heavy to come in.
    public var rejected: UInt64 = 0
    /// Entries that left, by cause.
    public var removals = RemovalCounts()
    /// Loads that were started.
    public var loads: UInt64 = 0
    /// Loads that threw, other than by cancellation.
    public var loadFailures: UInt64 = 0
    /// Time spent in loads that came to an end.
    public var loadNanoseconds: UInt64 = 0
    /// Times somebody waited for another's load.
    public var loadWaits: UInt64 = 0
    /// Loads that somebody took over from a cancelled one.
    public var loadHandOvers: UInt64 = 0
    /// Reloads of values that were due for one.
    public var refreshes: UInt64 = 0
    /// Reloads that were put off because too many waited.
    public var refreshesDropped: UInt64 = 0

    /// Of a cache that has done nothing yet.
    public init() {}

    /// Hits among all look-ups, 0 to 1; nil before the first.
    public var hitRatio: Double? {
        hits + misses == 0 ? nil : Double(hits) / Double(hits + misses)
    }
}

extension BoundedCache {
    /// How many entries there are, expired ones that were not yet taken out included.
    public var count: Int {
        (0..<shards.count).reduce(0) { sum, index in sum + shards.withShard(index) { $0.count } }
    }

    /// Bytes the cache holds: keys, values and its own memory, at one instant. Never more than the bound.
    ///
    /// Locks all shards for as long as reading takes. In a cache without a measure of its values only its own memory.
    public var heldBytes: Int { fixedBytes + heldByShards(from: 0) }

    /// Bytes the cache holds beside what keys and values hold on the heap: slots, index, policy, time, tags.
    public var overheadBytes: Int {
        fixedBytes
            + (0..<shards.count).reduce(0) { sum, index in sum + shards.withShard(index) { $0.structureBytes } }
    }

    /// The bound it keeps now.
    public var bound: CacheBound {
        switch (bounds.bytes?.limit, bounds.entries?.limit) {
        case (let bytes?, let entries?): .bytes(bytes, entries: entries)
        case (let bytes?, nil): .bytes(bytes)
        case (nil, let entries): .entries(entries ?? 0)
        }
    }

    /// Counters since the cache was made.
    public var statistics: CacheStatistics {
        var sum = CacheStatistics()
        for index in 0..<shards.count {
            let (counters, hits) = shards.withShard(index) { ($0.counters, $0.hits) }
            sum.hits += hits
            sum.misses += counters.misses
            sum.negativeHits += counters.negativeHits
            sum.staleHits += counters.staleHits
            sum.insertions += counters.insertions
            sum.rejected += counters.rejected
            sum.removals += counters.removals
        }
        sum.loads = loads.loads.load(ordering: .relaxed)
        sum.loadFailures = loads.failures.load(ordering: .relaxed)
        sum.loadNanoseconds = loads.nanoseconds.load(ordering: .relaxed)
        sum.loadWaits = loads.waits.load(ordering: .relaxed)
        sum.loadHandOvers = loads.handOvers.load(ordering: .relaxed)
        sum.refreshes = loads.refreshes.load(ordering: .relaxed)
        sum.refreshesDropped = loads.refreshesDropped.load(ordering: .relaxed)
        return sum
    }

    private func heldByShards(from index: Int) -> Int {
        guard index < shards.count else { return 0 }
        return shards.withShard(index) { core in core.heldBytes + heldByShards(from: index + 1) }
    }
}
