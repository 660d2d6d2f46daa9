/// How much a cache may hold. At least one bound is always set; both may be.
public struct CacheBound: Sendable, Equatable {
    /// Bytes: keys, values and the cache's own memory together. Nil: only the number of entries is bounded.
    public let bytes: Int?
    /// Number of entries. Nil: only bytes are bounded.
    public let entries: Int?

    private init(bytes: Int?, entries: Int?) {
        self.bytes = bytes.map { max($0, 0) }
        self.entries = entries.map { max($0, 0) }
    }

    /// Bounded by bytes actually held, the cache's own overhead included.
    public static func bytes(_ count: Int) -> CacheBound { CacheBound(bytes: count, entries: nil) }

    /// Bounded by the number of entries: for values of one known size.
    public static func entries(_ count: Int) -> CacheBound { CacheBound(bytes: nil, entries: count) }

    /// Bounded by both, whichever is reached first.
    public static func bytes(_ bytes: Int, entries: Int) -> CacheBound { CacheBound(bytes: bytes, entries: entries) }
}

/// How long entries live. Everything is off by default; a cache that uses none of it spends no memory on time.
public struct CacheTimes: Sendable {
    /// After an entry was written it is served so long.
    public var timeToLive: Duration?
    /// After an entry was last used or written it is kept so long.
    public var idleTime: Duration?
    /// After an entry was written so long ago, a loading look-up serves it and has it reloaded, once.
    public var refreshAfter: Duration?
    /// When a reload fails, an expired value is served for so much longer instead of the error.
    public var staleOnError: Duration?
    /// When a loader finds that there is no value, that is remembered so long. Nil: not at all.
    public var negativeTimeToLive: Duration?
    /// Whether insertions may bring a lifetime of their own even if nothing above is set.
    public var allowsLifetimes: Bool

    /// All off.
    public init(
        timeToLive: Duration? = nil, idleTime: Duration? = nil, refreshAfter: Duration? = nil,
        staleOnError: Duration? = nil, negativeTimeToLive: Duration? = nil, allowsLifetimes: Bool = false
    ) {
        self.timeToLive = timeToLive
        self.idleTime = idleTime
        self.refreshAfter = refreshAfter
        self.staleOnError = staleOnError
        self.negativeTimeToLive = negativeTimeToLive
        self.allowsLifetimes = allowsLifetimes
    }

    var isUsed: Bool {
        timeToLive != nil || idleTime != nil || refreshAfter != nil || negativeTimeToLive != nil || allowsLifetimes
    }
}

/// What a cache is told at its creation.
public struct CacheSettings: Sendable {
    /// Stands in metrics, in verdicts and in the registry.
    public var name: String
    /// May be changed later by `resize`.
    public var bound: CacheBound
    /// Who leaves when room is needed.
    public var policy: EvictionPolicy = .s3fifo
    /// How long entries live.
    public var times = CacheTimes()
    /// Where the time comes from; only asked by caches that use time.
    public var clock = CacheClock.monotonic
    /// Parts with a lock each, rounded up to a power of two. Nil: by the number of processors and the bound.
    public var shards: Int?
    /// The heaviest entry that is let in, in bytes. Nil: an eighth of the bound, so that one entry cannot empty the cache.
    public var heaviestEntry: Int?
    /// How dear it is to make the entries again: under memory pressure cheap caches shrink first.
    public var rebuildCost = RebuildCost.moderate

    /// Everything but name and bound has a default.
    public init(name: String, bound: CacheBound) {
        self.name = name
        self.bound = bound
    }

    func shardCount(processors: Int) -> Int {
        if let shards { return max(1, min(shards, 1_024)).roundedUpToPowerOfTwo }
        let wanted = (4 * max(processors, 1)).roundedUpToPowerOfTwo
        let byEntries = bound.entries.map { $0 / 1_024 } ?? Int.max
        let byBytes = bound.bytes.map { $0 / (256 * 1_024) } ?? Int.max
        let most = max(1, min(byEntries, byBytes, 1 << 20))
        return min(wanted, (most / 2 + 1).roundedUpToPowerOfTwo)
    }
}

/// How dear it is to make a cache's entries again.
public enum RebuildCost: Int, Sendable, Comparable, CaseIterable {
    /// Computed in memory.
    case cheap
    /// Read from a local database or disk.
    case moderate
    /// Fetched over the network, or computed for long.
    case dear

    /// Cheap before dear.
    public static func < (left: RebuildCost, right: RebuildCost) -> Bool { left.rawValue < right.rawValue }
}
