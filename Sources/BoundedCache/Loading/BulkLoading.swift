extension BoundedCache {
    /// The values of many keys; those the cache does not have are loaded in one call.
    ///
    /// Keys that someone else is loading are waited for and not loaded again. Keys that `load` does not answer have no
    /// value, which is remembered if `CacheTimes.negativeTimeToLive` is set.
    ///
    /// - Parameters:
    ///   - keys: of the values; in any order, repeated ones count once.
    ///   - load: called with the missing keys, all at once; once more with a single key when somebody else's load of that key
    ///     was cancelled.
    /// - Returns: the keys that have a value.
    /// - Throws: what `load` throws; values that were in the cache are then lost to this call, not to the cache.
    public func values(
        for keys: some Sequence<Key> & Sendable, load: @escaping @Sendable ([Key]) async throws -> [Key: Value]
    ) async throws -> [Key: Value] {
        var found: [Key: Value] = [:]
        var mine: [Key] = []
        var others: [Key] = []
        for key in Set(keys) {
            switch lookUp(key, hash: keyHash.hash(key), refresh: nil) {
            case .value(let value): found[key] = value
            case .absent: break
            case .unknown: if flights.begin(key) { mine.append(key) } else { others.append(key) }
            }
        }
        if !mine.isEmpty {
            for (key, value) in try await leadAll(mine, load: load) { found[key] = value }
        }
        for key in others {
            found[key] = try await value(for: key) { key in try await load([key])[key] }
        }
        return found
    }

    private func leadAll(
        _ keys: [Key], load: @Sendable ([Key]) async throws -> [Key: Value]
    ) async throws -> [Key: Value] {
        do {
            loads.add(loads.loads)
            let start = timing.clock()
            let loaded = try await load(keys)
            loads.add(loads.nanoseconds, UInt64(max(0, timing.clock() - start)))
            for key in keys {
                keep(loaded[key], for: key, hash: keyHash.hash(key), condition: .absent)
                flights.finish(key, .loaded(loaded[key]))
            }
            return loaded
        } catch {
            let isCancelled = Task.isCancelled
            if !isCancelled { loads.add(loads.failures) }
            for key in keys {
                if isCancelled {
                    if flights.handOver(key) { loads.add(loads.handOvers) }
                } else if let stale = staleValue(for: key, hash: keyHash.hash(key)) {
                    flights.finish(key, .loaded(stale))
                } else {
                    flights.finish(key, .failed(error))
                }
            }
            guard !isCancelled, let stale = allStale(keys) else { throw error }
            return stale
        }
    }

    /// The expired values of all keys, if there is one for each.
    private func allStale(_ keys: [Key]) -> [Key: Value]? {
        var values: [Key: Value] = [:]
        for key in keys {
            guard let value = staleValue(for: key, hash: keyHash.hash(key)) else { return nil }
            values[key] = value
        }
        return values
    }
}
