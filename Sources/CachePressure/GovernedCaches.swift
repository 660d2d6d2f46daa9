internal import BoundedCache
internal import CLinux
internal import Glibc

/// Carries out what the governor decides, on the caches there are.
struct GovernedCaches {
    private struct Known {
        var id: Int
        /// What the cache's owner said; shares count from it.
        var configured: CacheBound
        /// What it was last set to here. When it keeps another bound, its owner has changed it.
        var set: CacheBound
    }

    private var governor: MemoryGovernor
    private var known: [ObjectIdentifier: Known] = [:]
    private var nextID = 0

    init(governor: MemoryGovernor) {
        self.governor = governor
    }

    /// Asks the governor, sets bounds, and gives memory back when told to.
    mutating func step(_ reading: MemoryReading, caches: [any ManagedCache]) -> CachePressure.Step {
        meet(caches)
        let views = caches.compactMap(view)
        let decision = governor.decide(reading, caches: views)
        var step = CachePressure.Step(level: decision.level, reason: decision.reason, caches: [])
        for cache in caches {
            guard var entry = known[ObjectIdentifier(cache)], let share = decision.shares[entry.id] else { continue }
            entry.set = entry.configured.scaled(by: share)
            known[ObjectIdentifier(cache)] = entry
            let freed = cache.resize(to: entry.set)
            step.caches.append((cache.name, share, freed))
        }
        if decision.trims {
            let start = CachePressure.now
            _ = malloc_trim(0)
            step.trimMilliseconds = (CachePressure.now - start) / .milliseconds(1)
        }
        return step
    }

    /// Forgets who is gone, and learns who is new or was given another bound.
    private mutating func meet(_ caches: [any ManagedCache]) {
        let present = Set(caches.map { ObjectIdentifier($0) })
        known = known.filter { present.contains($0.key) }
        for cache in caches {
            let bound = cache.bound
            if let entry = known[ObjectIdentifier(cache)], entry.set == bound { continue }
            known[ObjectIdentifier(cache)] = Known(id: nextID, configured: bound, set: bound)
            nextID += 1
        }
    }

    private func view(_ cache: any ManagedCache) -> MemoryGovernor.Cache? {
        guard let entry = known[ObjectIdentifier(cache)] else { return nil }
        let reading = cache.reading
        let byBytes = entry.configured.bytes.map { Double(reading.heldBytes) / Double(max($0, 1)) } ?? 0
        let byEntries = entry.configured.entries.map { Double(reading.entries) / Double(max($0, 1)) } ?? 0
        return MemoryGovernor.Cache(
            id: entry.id, cost: cache.rebuildCost.rawValue, heldBytes: reading.heldBytes,
            fill: max(byBytes, byEntries))
    }
}

extension CacheBound {
    /// Both parts times a share, rounded down.
    func scaled(by share: Double) -> CacheBound {
        func scaled(_ number: Int) -> Int { share >= 1 ? number : Int(Double(number) * share) }
        switch (bytes.map(scaled), entries.map(scaled)) {
        case (let bytes?, let entries?): return .bytes(bytes, entries: entries)
        case (let bytes?, nil): return .bytes(bytes)
        case (_, let entries): return .entries(entries ?? 0)
        }
    }
}
