import HeapInspection

/// An object that was expected to go away and did not.
public struct Survivor: Hashable, Sendable {
    /// Its type.
    public var type: String
    /// The properties that lead to it from the value; empty for the value itself.
    public var path: String
    /// Who holds it, from the root to the object; empty when that was not found out.
    public var holders: [String]
}

/// What became of the objects that were expected to go away.
public struct DeallocationReport: Hashable, Sendable, CustomStringConvertible {
    /// Objects that were watched.
    public var watched: Int
    /// Those that are still there; the holders of the first few are told.
    public var survivors: [Survivor]
    /// What could not be found out, one sentence each.
    public var remarks: [String]

    /// What a failing test shows.
    public var description: String {
        guard !survivors.isEmpty else { return "all \(watched) objects were deallocated" }
        var lines = ["\(survivors.count) of \(watched) objects were not deallocated:"]
        for survivor in survivors.prefix(Self.told) {
            lines.append("  \(survivor.type)" + (survivor.path.isEmpty ? "" : ", the value's \(survivor.path)"))
            if !survivor.holders.isEmpty { lines.append("    held by \(survivor.holders.joined(separator: " → "))") }
        }
        if survivors.count > Self.told { lines.append("  and \(survivors.count - Self.told) more") }
        lines += remarks.map { "  (\($0))" }
        return lines.joined(separator: "\n")
    }

    static let told = 4
}

extension DeallocationReport {
    /// Looks for the holders of what is left.
    /// - Parameter blocks: what was allocated together with the objects: holders among it are known for certain.
    init(_ objects: WatchedObjects, blocks: () -> [Ledger.Block], time: Duration = .seconds(5)) {
        let alive = objects.alive
        self.init(
            watched: objects.watched.count,
            survivors: alive.map { Survivor(type: $0.type, path: $0.path, holders: []) }, remarks: [])
        guard !alive.isEmpty else { return }
        let hidden = alive.prefix(Self.told).map { (Self.address($0), $0.bytes) }
        guard let copy = Snapshot.take() else {
            remarks.append("no copy of the process could be made, so the holders are not known")
            return
        }
        do throws(InspectionError) {
            let inspector = try ProcessInspector(
                copy.identity, known: blocks().map { BlockTarget(address: $0.address, bytes: $0.bytes) })
            // One that went away just now has no address; holders of the others are still looked for.
            let targets = hidden.map { BlockTarget(address: $0.revealed, bytes: $1) }
            guard targets.allSatisfy({ $0.address != 0 }) else {
                remarks.append("some went away while their holders were looked for")
                return
            }
            var limits = HolderLimits()
            limits.isCautious = true
            let found = inspector.holders(of: targets, limits: limits, deadline: .now + time)
            for (index, chain) in found.chains.enumerated() { survivors[index].holders = chain.told }
            remarks += found.remarks
        } catch {
            remarks.append("the holders are not known: \(error)")
        }
    }

    /// Holds the object no longer than that.
    @inline(never)
    private static func address(_ watched: WatchedObjects.Watched) -> HiddenAddress {
        watched.object.map { HiddenAddress(of: $0) } ?? HiddenAddress(0)
    }
}
