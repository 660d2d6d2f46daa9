internal import Synchronization

/// A reload that somebody's look-up found due.
struct Refresh<Key: Sendable, Value: Sendable>: Sendable {
    var key: Key
    var version: UInt16
    var load: @Sendable (Key) async throws -> Value?
}

/// Reloads that wait for `runRefreshes`: at most 256. One that does not fit is dropped, and comes again with a later look-up.
final class RefreshQueue<Key: Sendable, Value: Sendable>: Sendable {
    enum Answer { case taken, dropped, nobodyRuns }

    private static var limit: Int { 256 }

    private struct State {
        var waiting: [Refresh<Key, Value>] = []
        var runners = 0
        var sleepers: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    func offer(_ refresh: Refresh<Key, Value>) -> Answer {
        var sleeper: CheckedContinuation<Void, Never>?
        let answer: Answer = state.withLock { state in
            guard state.runners > 0 else { return .nobodyRuns }
            guard state.waiting.count < RefreshQueue.limit else { return .dropped }
            state.waiting.append(refresh)
            if let id = state.sleepers.keys.first { sleeper = state.sleepers.removeValue(forKey: id) }
            return .taken
        }
        sleeper?.resume()
        return answer
    }

    func begin() { state.withLock { $0.runners += 1 } }

    /// When nobody runs any more, what waits is dropped.
    func end() {
        state.withLock { state in
            state.runners -= 1
            if state.runners == 0 { state.waiting = [] }
        }
    }

    /// The next; nil when the task was cancelled.
    func next() async -> Refresh<Key, Value>? {
        while !Task.isCancelled {
            let first: Refresh<Key, Value>? = state.withLock { state in
                state.waiting.isEmpty ? nil : state.waiting.removeFirst()
            }
            if let first { return first }
            await sleep()
        }
        return nil
    }

    private func sleep() async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isAwake = state.withLock { state in
                    if Task.isCancelled || !state.waiting.isEmpty { return true }
                    state.sleepers[id] = continuation
                    return false
                }
                if isAwake { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.resume()
        }
    }
}

extension BoundedCache {
    /// Reloads what look-ups find due (`CacheTimes.refreshAfter`), until cancelled: one of a service's long-running tasks.
    ///
    /// Without it the look-up that finds a reload due waits for it.
    /// - Parameter atOnce: how many reloads may run at the same time, at least 1.
    public func runRefreshes(atOnce: Int = 4) async {
        refreshes.begin()
        defer { refreshes.end() }
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            while let refresh = await refreshes.next() {
                if running >= max(atOnce, 1) {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await self.perform(refresh) }
            }
            group.cancelAll()
        }
    }

    /// A claim to reload, when the cache refreshes at all: for a tenth of the refresh time, a second at least, nobody else
    /// tries.
    func refreshClaim() -> RefreshClaim? {
        guard timing.refresh != .max else { return nil }
        return RefreshClaim(postponedTo: timing.now().advanced(byTime: max(timing.refresh / 10, 1_000_000_000)))
    }

    /// The reload is due, and this caller's to see to.
    func refreshed(
        _ old: Value, for key: Key, version: UInt16, load: @escaping @Sendable (Key) async throws -> Value?
    ) async -> Value? {
        let refresh = Refresh<Key, Value>(key: key, version: version, load: load)
        switch refreshes.offer(refresh) {
        case .taken: return old
        case .dropped:
            loads.add(loads.refreshesDropped)
            return old
        case .nobodyRuns:
            switch await perform(refresh) {
            case .some(let fresh): return fresh
            case .none: return old
            }
        }
    }

    /// - Returns: the load's answer; nil when it failed, or another load of the key was under way.
    @discardableResult
    private func perform(_ refresh: Refresh<Key, Value>) async -> Value?? {
        let key = refresh.key
        guard flights.begin(key) else { return .none }
        loads.add(loads.refreshes)
        loads.add(loads.loads)
        let start = timing.clock()
        do {
            let value = try await refresh.load(key)
            loads.add(loads.nanoseconds, UInt64(max(0, timing.clock() - start)))
            let hash = keyHash.hash(key)
            if value == nil, timing.negative == nil {
                _ = removeIfUnchanged(key, hash: hash, version: refresh.version)
            } else {
                keep(value, for: key, hash: hash, condition: .version(refresh.version))
            }
            flights.finish(key, .loaded(value))
            return .some(value)
        } catch {
            // The old value goes on being served until it expires; the next attempt is due when the claim is over.
            loads.add(loads.failures)
            if !flights.handOver(key) { return .none }
            loads.add(loads.handOvers)
            return .none
        }
    }

    /// A reload found that the value is gone.
    private func removeIfUnchanged(_ key: Key, hash: UInt64, version: UInt16) -> Bool {
        var departures = Departures<Key, Value>()
        let isRemoved = shards.withShard(shards.shard(of: hash)) { core -> Bool in
            guard let slot = find(key, tag: UInt32(truncatingIfNeeded: hash), in: core),
                flags(slot, in: core) == version
            else { return false }
            core.detach(slot)
            depart(slot, .replaced, from: &core, to: &departures)
            file(&departures)
            return true
        }
        conclude(departures)
        return isRemoved
    }
}
