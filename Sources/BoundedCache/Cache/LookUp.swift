/// What the cache knows of a key.
public enum CacheLookUp<Value> {
    /// The value.
    case value(Value)
    /// A loader found lately that there is none.
    case absent
    /// Nothing.
    case unknown
}

extension CacheLookUp: Sendable where Value: Sendable {}
extension CacheLookUp: Equatable where Value: Equatable {}

extension BoundedCache {
    /// The value of a key; nil when the cache has none. Counts as a use. O(1), tens of nanoseconds.
    @inlinable
    public func value(for key: Key) -> Value? {
        if timing.isUsed {
            guard case .value(let value) = lookUp(key) else { return nil }
            return value
        }
        let hash = keyHash.hash(key)
        let tag = UInt32(truncatingIfNeeded: hash)
        let gate = shards.gate(hash)
        let guess = HomeGuess(tag, at: gate.pointee)
        gate.pointee.lock.lock()
        defer { gate.pointee.lock.unlock() }
        return answer(key, tag, guess, &shards.core(behind: gate).pointee)
    }

    // The shard comes as inout: one that is passed to be read is copied whole by the compiler (6.3) when it stands behind a
    // pointer.
    @inlinable @inline(__always)
    func answer(_ key: Key, _ tag: UInt32, _ guess: HomeGuess, _ core: inout ShardCore) -> Value? {
        guard let slot = find(key, tag: tag, from: guess.home(tag, in: core), in: core) else {
            core.counters.misses &+= 1
            return nil
        }
        let entry = core.store.address(slot)
        core.hit(slot, at: entry)
        return (entry + layout.valueOffset).assumingMemoryBound(to: Value.self).pointee
    }

    /// The same, told apart: a value, a remembered absence, or nothing known.
    @inlinable
    public func lookUp(_ key: Key) -> CacheLookUp<Value> {
        lookUp(key, hash: keyHash.hash(key), refresh: nil)
    }

    /// The value of a key without counting as a use: neither statistics nor policy nor idle time notice.
    public func peek(_ key: Key) -> Value? {
        let hash = keyHash.hash(key)
        let now = timing.now()
        return shards.withShard(shards.shard(of: hash)) { core -> Value? in
            guard let slot = find(key, tag: UInt32(truncatingIfNeeded: hash), in: core), !isNegative(slot, in: core),
                isServed(slot, at: now, in: &core)
            else { return nil }
            return valuePointer(slot, in: core).pointee
        }
    }

    /// Whether the cache has a value for the key; not a use.
    public func contains(_ key: Key) -> Bool { peek(key) != nil }

    /// - Parameter refresh: asked when the entry is due for a reload; says until when nobody else is to reload it. Its
    ///   `isDue` tells the caller.
    @inlinable
    func lookUp(_ key: Key, hash: UInt64, refresh: RefreshClaim?) -> CacheLookUp<Value> {
        let tag = UInt32(truncatingIfNeeded: hash)
        let now = timing.now()
        var departures = Departures<Key, Value>()
        let found = shards.withShard(shards.shard(of: hash)) { core -> CacheLookUp<Value> in
            guard let slot = find(key, tag: tag, in: core) else {
                core.counters.misses &+= 1
                return .unknown
            }
            if timing.isUsed {
                switch core.freshness(slot, at: now, stale: isNegative(slot, in: core) ? 0 : timing.stale) {
                case .fresh:
                    break
                case .refreshDue:
                    refresh?.claim(slot, version: flags(slot, in: core), in: &core)
                case .stale:
                    core.counters.misses &+= 1
                    return .unknown
                case .dead:
                    core.counters.misses &+= 1
                    core.detach(slot)
                    depart(slot, .expired, from: &core, to: &departures)
                    file(&departures)
                    return .unknown
                }
                if timing.idle != .max { core.touch(slot, idleUntil: now.advanced(byTime: timing.idle)) }
            }
            core.hit(slot)
            if isNegative(slot, in: core) {
                core.counters.negativeHits &+= 1
                return .absent
            }
            return .value(valuePointer(slot, in: core).pointee)
        }
        conclude(departures)
        return found
    }

    /// Whether a look-up would answer with the entry.
    func isServed(_ slot: UInt32, at now: Int64, in core: inout ShardCore) -> Bool {
        guard timing.isUsed else { return true }
        switch core.freshness(slot, at: now, stale: timing.stale) {
        case .fresh, .refreshDue: return true
        case .stale, .dead: return false
        }
    }

    /// An expired value that is kept for the case that its reload fails.
    func staleValue(for key: Key, hash: UInt64) -> Value? {
        let now = timing.now()
        return shards.withShard(shards.shard(of: hash)) { core -> Value? in
            guard timing.isUsed, let slot = find(key, tag: UInt32(truncatingIfNeeded: hash), in: core),
                !isNegative(slot, in: core)
            else { return nil }
            if case .dead = core.freshness(slot, at: now, stale: timing.stale) { return nil }
            core.counters.staleHits &+= 1
            return valuePointer(slot, in: core).pointee
        }
    }
}

/// Lets one look-up of an entry that is due for a reload know that the reload is its own.
@usableFromInline
final class RefreshClaim {
    /// Nobody else reloads the entry before this time.
    let postponedTo: Int64
    private(set) var isDue = false
    private(set) var version: UInt16 = 0

    init(postponedTo: Int64) { self.postponedTo = postponedTo }

    @usableFromInline
    func claim(_ slot: UInt32, version: UInt16, in core: inout ShardCore) {
        core.postponeRefresh(slot, until: postponedTo)
        isDue = true
        self.version = version
    }
}
