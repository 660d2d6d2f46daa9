/// When an insertion takes place.
@usableFromInline
enum InsertCondition: Sendable {
    case always
    /// Nothing that may be served is there.
    case absent
    /// The entry is the one that was read: its version has not changed.
    case version(UInt16)
}

/// What became of an insertion.
@usableFromInline
enum InsertOutcome: Sendable {
    case stored
    case conditionFailed
    /// The shard is empty, and there is still no room: other shards hold it.
    case noRoom
    case tooHeavy
}

/// An entry on its way in.
@usableFromInline
struct Arrival<Key: Sendable, Value: Sendable>: Sendable {
    @usableFromInline let key: Key
    /// Nil for the remembered absence of a value.
    @usableFromInline let value: Value?
    @usableFromInline let hash: UInt64
    @usableFromInline let heap: Int
    @usableFromInline let now: Int64
    @usableFromInline let times: ShardCore.Times?
    /// Nil keeps the tags of the entry that is there.
    @usableFromInline let tags: [UInt64]?
    @usableFromInline let condition: InsertCondition

    @usableFromInline
    init(
        key: Key, value: Value?, hash: UInt64, heap: Int, now: Int64, times: ShardCore.Times?, tags: [UInt64]?,
        condition: InsertCondition
    ) {
        self.key = key
        self.value = value
        self.hash = hash
        self.heap = heap
        self.now = now
        self.times = times
        self.tags = tags
        self.condition = condition
    }

    @inlinable var tag: UInt32 { UInt32(truncatingIfNeeded: hash) }
}

extension BoundedCache {
    /// Puts a value in, or another in its place. O(1) on average; others leave first if room is needed.
    ///
    /// - Parameters:
    ///   - value: what is kept.
    ///   - key: under which it is found; weighed too.
    ///   - lifetime: how long it may live, if not as the settings say. Needs a cache that uses time (`CacheTimes`).
    ///   - tags: labels by which it can be invalidated together with others.
    /// - Returns: false when the entry is heavier than the cache lets in (`CacheSettings.heaviestEntry`); what the key had
    ///   is then gone too, as it is out of date.
    @inlinable @discardableResult
    public func insert(
        _ value: Value, for key: Key, lifetime: Duration? = nil, tags: [CacheTag] = []
    ) -> Bool {
        precondition(
            lifetime == nil || timing.isUsed, "a lifetime needs a cache that uses time: set CacheTimes.allowsLifetimes")
        let outcome = put(
            value, for: key, hash: keyHash.hash(key), lifetime: lifetime, tags: hashes(of: tags), condition: .always)
        if case .stored = outcome { return true }
        return false
    }

    /// The value of a key. Setting it inserts, setting nil removes.
    @inlinable
    public subscript(key: Key) -> Value? {
        get { value(for: key) }
        set {
            if let newValue { insert(newValue, for: key) } else { invalidate(key) }
        }
    }

    /// Changes a value that is there and measures it anew.
    ///
    /// `body` works on a copy, outside every lock; when another thread has written in the meantime, it is called again.
    /// - Returns: what `body` returns; nil when the cache has no value for the key, or the value was replaced by others so
    ///   often that `body` could not get through 64 times.
    public func update<Result>(_ key: Key, _ body: (inout Value) throws -> Result) rethrows -> Result? {
        let hash = keyHash.hash(key)
        for _ in 0..<64 {
            guard let (current, version) = versioned(key, hash: hash) else { return nil }
            var value = current
            let result = try body(&value)
            let outcome = put(
                value, for: key, hash: hash, lifetime: nil, tags: nil, condition: .version(version))
            if case .conditionFailed = outcome { continue }
            return result
        }
        return nil
    }

    private func versioned(_ key: Key, hash: UInt64) -> (Value, UInt16)? {
        let now = timing.now()
        return shards.withShard(shards.shard(of: hash)) { core -> (Value, UInt16)? in
            guard let slot = find(key, tag: UInt32(truncatingIfNeeded: hash), in: core), !isNegative(slot, in: core),
                isServed(slot, at: now, in: &core)
            else { return nil }
            return (valuePointer(slot, in: core).pointee, flags(slot, in: core))
        }
    }

    @inlinable
    func hashes(of tags: [CacheTag]) -> [UInt64] { tags.isEmpty ? [] : tags.map { keyHash.hash($0) } }

    /// - Parameters:
    ///   - value: nil remembers that there is none.
    ///   - tags: nil keeps those of the entry that is there.
    @inlinable
    func put(
        _ value: Value?, for key: Key, hash: UInt64, lifetime: Duration?, tags: [UInt64]?, condition: InsertCondition
    ) -> InsertOutcome {
        let heap = measure?(key, value) ?? 0
        let now = timing.now()
        var life = lifetime
        if life == nil, let own = self.lifetime, let value { life = own(key, value) }
        let arrival = Arrival(
            key: key, value: value, hash: hash, heap: heap, now: now,
            times: timing.times(at: now, lifetime: life, isNegative: value == nil), tags: tags,
            condition: condition)
        guard isLightEnough(heap) else { return refuse(arrival) }
        for _ in 0..<4 {
            var departures = Departures<Key, Value>()
            let outcome = shards.withShard(shards.shard(of: hash)) { core -> InsertOutcome in
                let outcome = place(arrival, in: &core, departures: &departures)
                file(&departures)
                return outcome
            }
            conclude(departures)
            guard case .noRoom = outcome else { return outcome }
            reclaim(heap: heap, for: shards.shard(of: hash))
        }
        return refuse(arrival)
    }

    /// Under the lock: makes room, then puts the entry in.
    @inlinable
    func place(
        _ arrival: Arrival<Key, Value>, in core: inout ShardCore, departures: inout Departures<Key, Value>
    ) -> InsertOutcome {
        if timing.isUsed { expire(in: &core, at: arrival.now, attempts: 8, departures: &departures) }
        if let slot = find(arrival.key, tag: arrival.tag, in: core) {
            guard permits(arrival, slot, in: &core) else { return .conditionFailed }
            if makeRoom(for: arrival, keeping: slot, in: &core, departures: &departures) {
                overwrite(slot, with: arrival, in: &core, departures: &departures)
                return .stored
            }
            // What was to be changed had to leave itself: the policy's right, as with any entry.
            if case .version = arrival.condition { return .stored }
        } else if case .version = arrival.condition {
            return .conditionFailed
        }
        let tags = arrival.tags?.count ?? 0
        core.announce(tag: arrival.tag, heap: arrival.heap)
        while !core.hasRoom(heap: arrival.heap, newEntry: true, tagCount: tags) {
            guard let victim = core.evict() else { return .noRoom }
            depart(victim, .evicted, from: &core, to: &departures)
        }
        if core.growPolicy(heap: arrival.heap, newEntry: true, tagCount: tags), let victim = core.evict() {
            depart(victim, .evicted, from: &core, to: &departures)
        }
        if let crowded = collision(tag: arrival.tag, in: &core) {
            core.detach(crowded)
            depart(crowded, .collision, from: &core, to: &departures)
        }
        let version = UInt16(truncatingIfNeeded: core.counters.insertions) & ~BoundedCache.negativeBit
        let slot = core.add(
            tag: arrival.tag, heap: arrival.heap,
            flags: arrival.value == nil ? version | BoundedCache.negativeBit : version, times: arrival.times,
            tags: arrival.tags ?? [])
        keyPointer(slot, in: core).initialize(to: arrival.key)
        if let value = arrival.value { valuePointer(slot, in: core).initialize(to: value) }
        if core.canVacate || departures.first != nil && core.hasSurplus { tidy(&core, giveBackEverything: false) }
        return .stored
    }

    /// Makes room for what a replacement is heavier by; false when the entry itself had to leave.
    @inlinable
    func makeRoom(
        for arrival: Arrival<Key, Value>, keeping slot: UInt32, in core: inout ShardCore,
        departures: inout Departures<Key, Value>
    ) -> Bool {
        while true {
            let more = max(0, core.heapBytes(of: slot).distance(to: arrival.heap))
            if core.hasRoom(heap: more, newEntry: false, tagCount: arrival.tags?.count ?? 0) { return true }
            guard let victim = core.evict() else { return false }
            depart(victim, victim == slot ? .replaced : .evicted, from: &core, to: &departures)
            if victim == slot { return false }
        }
    }

    @inlinable
    func overwrite(
        _ slot: UInt32, with arrival: Arrival<Key, Value>, in core: inout ShardCore,
        departures: inout Departures<Key, Value>
    ) {
        let old = isNegative(slot, in: core) ? nil : valuePointer(slot, in: core).move()
        let oldKey = keyPointer(slot, in: core).move()
        departures.append(CacheRemoval(key: oldKey, value: old, cause: .replaced))
        core.counters.removals.count(.replaced)
        let version = (flags(slot, in: core) &+ 1) & ~BoundedCache.negativeBit
        // The key comes along: an equal key may hold less or more than the one that was measured.
        keyPointer(slot, in: core).initialize(to: arrival.key)
        if let value = arrival.value { valuePointer(slot, in: core).initialize(to: value) }
        core.replace(
            slot, heap: arrival.heap,
            flags: arrival.value == nil ? version | BoundedCache.negativeBit : version, times: arrival.times,
            tags: arrival.tags)
    }

    @inlinable
    func permits(_ arrival: Arrival<Key, Value>, _ slot: UInt32, in core: inout ShardCore) -> Bool {
        switch arrival.condition {
        case .always: return true
        case .version(let version): return flags(slot, in: core) == version
        case .absent:
            guard timing.isUsed else { return isNegative(slot, in: core) }
            switch core.freshness(slot, at: arrival.now, stale: 0) {
            case .fresh, .refreshDue: return isNegative(slot, in: core)
            case .stale, .dead: return true
            }
        }
    }

    /// Sixteen entries with one tag do not happen by chance: whoever has the newcomer's tag for the sixteenth time leaves,
    /// so that no look-up compares more than sixteen keys.
    @inlinable
    func collision(tag: UInt32, in core: inout ShardCore) -> UInt32? {
        var position = core.index.home(tag)
        var seen = 0
        while core.index.cells[position] != 0 {
            let cell = core.index.cells[position]
            if HashIndex.tag(cell) == tag {
                seen += 1
                if seen == 16 { return HashIndex.slot(cell) }
            }
            position = core.index.after(position)
        }
        return nil
    }

    /// Takes entries out whose time is over, as far as it looks at `attempts` of them.
    @inlinable
    func expire(
        in core: inout ShardCore, at now: Int64, attempts: Int, departures: inout Departures<Key, Value>
    ) {
        core.advance(to: now)
        var left = attempts
        while let slot = core.takeExpired(at: now, stale: timing.stale, attempts: &left) {
            depart(slot, .expired, from: &core, to: &departures)
        }
    }
}
