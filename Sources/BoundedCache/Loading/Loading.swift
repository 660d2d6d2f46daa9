internal import Synchronization

extension BoundedCache {
    /// The value of a key, loaded when the cache has none. However many ask for the same key, one load runs.
    ///
    /// The first who asks loads in its own task and the others wait for it. Who is cancelled while waiting leaves alone;
    /// when the one that loads is cancelled, the next loads in its stead. An error goes to everyone who waits and is not
    /// remembered, unless an expired value is kept for this (`CacheTimes.staleOnError`): then that is the answer. A value
    /// that is due for a refresh (`CacheTimes.refreshAfter`) is reloaded by `runRefreshes`, or, where nobody runs that, by
    /// this call, while all others get the old value. A result that is too heavy for the cache is answered and not kept.
    ///
    /// - Parameters:
    ///   - key: of the value.
    ///   - load: finds the value; nil means there is none, which is remembered if `CacheTimes.negativeTimeToLive` is set.
    /// - Throws: what `load` throws; `CancellationError` when cancelled while waiting.
    public func value(
        for key: Key, load: @escaping @Sendable (Key) async throws -> Value?
    ) async throws -> Value? {
        let hash = keyHash.hash(key)
        let claim = refreshClaim()
        switch lookUp(key, hash: hash, refresh: claim) {
        case .value(let value):
            guard let claim, claim.isDue else { return value }
            return await refreshed(value, for: key, version: claim.version, load: load)
        case .absent: return nil
        case .unknown: break
        }
        while true {
            if flights.begin(key) { return try await leadUnlessKnown(key, hash: hash, load: load) }
            loads.add(loads.waits)
            switch await flights.wait(for: key) {
            case .loaded(let value): return value
            case .failed(let error): throw error
            case .takeOver: return try await lead(key, hash: hash, load: load)
            case .cancelled: throw CancellationError()
            case .tooLate: if let known = known(key) { return known }
            }
        }
    }

    /// The load begins here: someone may have ended one between the look-up and now.
    private func leadUnlessKnown(
        _ key: Key, hash: UInt64, load: @Sendable (Key) async throws -> Value?
    ) async throws -> Value? {
        if let known = known(key) {
            flights.finish(key, .loaded(known))
            return known
        }
        return try await lead(key, hash: hash, load: load)
    }

    /// What the cache knows, without counting; nil when it knows nothing.
    func known(_ key: Key) -> Value?? {
        let hash = keyHash.hash(key)
        let now = timing.now()
        return shards.withShard(shards.shard(of: hash)) { core -> Value?? in
            guard let slot = find(key, tag: UInt32(truncatingIfNeeded: hash), in: core) else { return .none }
            if timing.isUsed {
                switch core.freshness(slot, at: now, stale: 0) {
                case .fresh, .refreshDue: break
                case .stale, .dead: return .none
                }
            }
            return isNegative(slot, in: core) ? .some(nil) : .some(valuePointer(slot, in: core).pointee)
        }
    }

    private func lead(
        _ key: Key, hash: UInt64, load: @Sendable (Key) async throws -> Value?
    ) async throws -> Value? {
        do {
            let value = try await timed { try await load(key) }
            keep(value, for: key, hash: hash, condition: .absent)
            flights.finish(key, .loaded(value))
            return value
        } catch {
            if Task.isCancelled {
                if flights.handOver(key) { loads.add(loads.handOvers) }
                throw error
            }
            loads.add(loads.failures)
            if let stale = staleValue(for: key, hash: hash) {
                flights.finish(key, .loaded(stale))
                return stale
            }
            flights.finish(key, .failed(error))
            throw error
        }
    }

    private func timed<Loaded>(_ load: () async throws -> Loaded) async rethrows -> Loaded {
        loads.add(loads.loads)
        let start = timing.clock()
        defer { loads.add(loads.nanoseconds, UInt64(max(0, timing.clock() - start))) }
        return try await load()
    }

    /// Puts a load's result in, unless its key was invalidated since the load began.
    func keep(_ value: Value?, for key: Key, hash: UInt64, condition: InsertCondition) {
        guard value != nil || timing.negative != nil else { return }
        let arrival = arrival(of: value, for: key, hash: hash, condition: condition)
        guard isLightEnough(arrival.heap) else {
            _ = refuse(arrival)
            return
        }
        for _ in 0..<4 {
            var departures = Departures<Key, Value>()
            let outcome = flights.whileOwned(key) {
                shards.withShard(shards.shard(of: hash)) { core -> InsertOutcome in
                    let outcome = place(arrival, in: &core, departures: &departures)
                    file(&departures)
                    return outcome
                }
            }
            conclude(departures)
            guard case .noRoom = outcome else { return }
            reclaim(heap: arrival.heap, for: shards.shard(of: hash))
        }
    }

    private func arrival(
        of value: Value?, for key: Key, hash: UInt64, condition: InsertCondition
    ) -> Arrival<Key, Value> {
        let now = timing.now()
        var life: Duration?
        if let lifetime, let value { life = lifetime(key, value) }
        return Arrival(
            key: key, value: value, hash: hash, heap: measure?(key, value) ?? 0, now: now,
            times: timing.times(at: now, lifetime: life, isNegative: value == nil), tags: [], condition: condition)
    }
}
