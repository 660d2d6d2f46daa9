extension BoundedCache {
    /// Changes the bound while the cache is in use. What does not fit any more leaves before this returns.
    ///
    /// A cache keeps the kind of bound it was made with: a part that was nil stays nil. Evicts 256 entries at a time, so
    /// others wait for no longer than that. O(number of entries that leave).
    /// - Returns: bytes that were freed.
    @discardableResult
    public func resize(to bound: CacheBound) -> Int {
        if let bytes = bound.bytes { bounds.bytes?.setLimit(bytes) }
        if let entries = bound.entries { bounds.entries?.setLimit(entries) }
        var freed = 0
        // What shards hold in reserve comes first.
        for index in 0..<shards.count { freed += shrinkShard(index, by: 0) }
        var stuck = 0
        while stuck < 2, let excess = excess {
            let share = excess.bytes / shards.count + 1
            let before = freed
            for index in 0..<shards.count {
                if excess.bytes > 0 { freed += shrinkShard(index, by: share) }
                if excess.entries > 0 { freed += shrinkShard(index, byEntries: excess.entries / shards.count + 1) }
            }
            // Only the cache's own smallest structures are left, or nothing that leaves brings bytes.
            stuck = freed == before ? stuck + 1 : 0
        }
        for index in 0..<shards.count { shards.withShard(index) { $0.refit() } }
        return freed
    }

    /// By how much shards hold more than the bound allows; nil when they do not.
    private var excess: (bytes: Int, entries: Int)? {
        let bytes = max(0, -(bounds.bytes?.available ?? 0))
        let entries = max(0, -(bounds.entries?.available ?? 0))
        return bytes > 0 || entries > 0 ? (bytes, entries) : nil
    }

    /// - Returns: bytes that were freed.
    private func shrinkShard(_ index: Int, byEntries wanted: Int) -> Int {
        var freed = 0
        var left = wanted
        while left > 0 {
            var departures = Departures<Key, Value>()
            let step = shards.withShard(index) { core -> (bytes: Int, evicted: Int) in
                let before = core.heldBytes
                var evicted = 0
                while evicted < min(left, 256), let victim = core.evict() {
                    depart(victim, .evicted, from: &core, to: &departures)
                    evicted += 1
                }
                tidy(&core, giveBackEverything: true)
                file(&departures)
                return (before - core.heldBytes, evicted)
            }
            conclude(departures)
            freed += step.bytes
            guard step.evicted > 0 else { break }
            left -= step.evicted
        }
        return freed
    }
}
