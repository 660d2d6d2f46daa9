extension BoundedCache {
    /// Forgets a key. A load of it that is under way still answers who waits for it, but its result is not kept.
    ///
    /// - Returns: whether there was an entry.
    @discardableResult
    public func invalidate(_ key: Key) -> Bool {
        flights.disown(key)
        let hash = keyHash.hash(key)
        var departures = Departures<Key, Value>()
        let wasThere = shards.withShard(shards.shard(of: hash)) { core -> Bool in
            guard let slot = find(key, tag: UInt32(truncatingIfNeeded: hash), in: core) else { return false }
            core.detach(slot)
            depart(slot, .invalidated, from: &core, to: &departures)
            if core.canVacate { tidy(&core, giveBackEverything: false) }
            file(&departures)
            return true
        }
        conclude(departures)
        return wasThere
    }

    /// Forgets every entry that was inserted with the tag. Takes time in proportion to their number.
    ///
    /// Loads that are under way are not kept, whatever their keys.
    /// - Returns: how many there were.
    @discardableResult
    public func invalidate(tag: CacheTag) -> Int {
        flights.disownAll()
        let hash = keyHash.hash(tag)
        return drainShards { core in core.tags.firstEntry(of: hash) }
    }

    /// Forgets every entry.
    @discardableResult
    public func invalidateAll() -> Int {
        flights.disownAll()
        var removed = 0
        for index in 0..<shards.count {
            // From the last slot down: entries that are moved meanwhile move down too.
            var end = UInt32.max
            while end > 0 {
                var departures = Departures<Key, Value>()
                let count = shards.withShard(index) { core -> (removed: Int, end: UInt32) in
                    end = min(end, UInt32(core.store.slotCount))
                    var count = 0
                    while end > 0, count < 256 {
                        end -= 1
                        guard core.store.isUsed(end) else { continue }
                        core.detach(end)
                        depart(end, .invalidated, from: &core, to: &departures)
                        count += 1
                    }
                    if end == 0 { tidy(&core, giveBackEverything: false) }
                    file(&departures)
                    return (count, end)
                }
                conclude(departures)
                removed += count.removed
                end = count.end
            }
        }
        return removed
    }

    /// Forgets every entry the predicate says true of. Looks at all entries; the predicate runs outside every lock, on a
    /// copy of 256 entries at a time, and an entry that was replaced in between is judged by the value it had.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func invalidate(where predicate: (Key, Value) throws -> Bool) rethrows -> Int {
        flights.disownAll()
        var removed = 0
        for index in 0..<shards.count {
            var from = UInt32.max
            while from > 0 {
                let (batch, next) = copy(of: index, from: from)
                for entry in batch where try predicate(entry.key, entry.value) {
                    if invalidate(entry.key) { removed += 1 }
                }
                from = next
            }
        }
        return removed
    }

    /// Takes out every entry whose time is over; insertions do the same by and by. For a cache that is seldom written.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func removeExpired() -> Int {
        guard timing.isUsed else { return 0 }
        let now = timing.now()
        var removed = 0
        for index in 0..<shards.count {
            var mayBeMore = true
            while mayBeMore {
                var departures = Departures<Key, Value>()
                let (count, more) = shards.withShard(index) { core -> (Int, Bool) in
                    core.advance(to: now)
                    var attempts = 256
                    var count = 0
                    while let slot = core.takeExpired(at: now, stale: timing.stale, attempts: &attempts) {
                        depart(slot, .expired, from: &core, to: &departures)
                        count += 1
                    }
                    tidy(&core, giveBackEverything: false)
                    file(&departures)
                    return (count, attempts == 0)
                }
                conclude(departures)
                removed += count
                mayBeMore = more
            }
        }
        return removed
    }

    /// Copies of all entries, neither in order nor at one instant: each shard is copied 256 entries at a time, and
    /// an entry that the cache moves meanwhile may appear twice.
    public func snapshot() -> [(key: Key, value: Value)] {
        var all: [(key: Key, value: Value)] = []
        for index in 0..<shards.count {
            var from = UInt32.max
            while from > 0 {
                let (batch, next) = copy(of: index, from: from)
                all.append(contentsOf: batch)
                from = next
            }
        }
        return all
    }

    /// Up to 256 entries in the slots below `from`, downwards: entries that are moved meanwhile move down too, so none
    /// that stays is missed, though one may be seen twice.
    private func copy(of index: Int, from: UInt32) -> (batch: [(key: Key, value: Value)], next: UInt32) {
        let now = timing.now()
        return shards.withShard(index) { core -> (batch: [(key: Key, value: Value)], next: UInt32) in
            var batch: [(key: Key, value: Value)] = []
            var slot = min(from, UInt32(core.store.slotCount))
            while slot > 0, batch.count < 256 {
                slot -= 1
                if core.store.isUsed(slot), !isNegative(slot, in: core), isServed(slot, at: now, in: &core) {
                    batch.append((keyPointer(slot, in: core).pointee, valuePointer(slot, in: core).pointee))
                }
            }
            return (batch, slot)
        }
    }

    private func drainShards(_ next: (borrowing ShardCore) -> UInt32?) -> Int {
        var removed = 0
        for index in 0..<shards.count {
            var isDone = false
            while !isDone {
                var departures = Departures<Key, Value>()
                let count = shards.withShard(index) { core -> Int in
                    var count = 0
                    while count < 256, let slot = next(core) {
                        core.detach(slot)
                        depart(slot, .invalidated, from: &core, to: &departures)
                        count += 1
                    }
                    tidy(&core, giveBackEverything: false)
                    file(&departures)
                    return count
                }
                conclude(departures)
                removed += count
                isDone = count < 256
            }
        }
        return removed
    }
}
