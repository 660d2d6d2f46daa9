extension BoundedCache {
    /// Whether an entry of that size is let in at all.
    @usableFromInline
    func isLightEnough(_ heap: Int) -> Bool {
        guard heap >= 0, heap + layout.entryWeight < Int(UInt32.max) else { return false }
        guard let limit = bounds.bytes?.limit else { return true }
        return heap + layout.entryWeight <= heaviestEntry ?? limit / 8
    }

    /// The new value does not come in; the old one must not be served for it.
    @usableFromInline
    func refuse(_ arrival: Arrival<Key, Value>) -> InsertOutcome {
        var departures = Departures<Key, Value>()
        let outcome = shards.withShard(shards.shard(of: arrival.hash)) { core -> InsertOutcome in
            if let slot = find(arrival.key, tag: arrival.tag, in: core) {
                guard permits(arrival, slot, in: &core) else { return .conditionFailed }
                core.detach(slot)
                depart(slot, .replaced, from: &core, to: &departures)
            }
            core.counters.rejected &+= 1
            file(&departures)
            return .tooHeavy
        }
        conclude(departures)
        return outcome
    }

    /// Makes other shards give back what one entry needs: the one it belongs to is empty and has still no room.
    @usableFromInline
    func reclaim(heap: Int, for needy: Int) {
        let needed = heap + layout.entryWeight + 4_096
        var freed = 0
        for step in 1..<max(shards.count, 2) where freed < needed && shards.count > 1 {
            freed += shrinkShard((needy + step) % shards.count, by: min(needed - freed, needed))
        }
        // The needy shard's own reserve is as good as anybody's.
        _ = shrinkShard(needy, by: 0)
    }

    /// Evicts so many bytes (or one entry, where only entries count) from a shard, 256 entries at a time, and returns what
    /// it was granted for them to the budgets.
    ///
    /// - Returns: how many bytes were freed.
    func shrinkShard(_ index: Int, by bytes: Int) -> Int {
        var freed = 0
        var isEmpty = false
        repeat {
            var departures = Departures<Key, Value>()
            let step = shards.withShard(index) { core -> (bytes: Int, isEmpty: Bool) in
                let before = core.heldBytes
                var evicted = 0
                var isEmpty = false
                while freed + before - core.heldBytes < bytes, evicted < 256 {
                    guard let victim = core.evict() else {
                        isEmpty = true
                        break
                    }
                    depart(victim, .evicted, from: &core, to: &departures)
                    evicted += 1
                }
                tidy(&core, giveBackEverything: true)
                file(&departures)
                return (before - core.heldBytes, isEmpty)
            }
            conclude(departures)
            freed += step.bytes
            isEmpty = step.isEmpty
        } while freed < bytes && !isEmpty
        return freed
    }
}
