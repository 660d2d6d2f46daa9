import HeapProfile

/// Puts a path through the graph into words: types, places, roots.
struct ChainWriter {
    let world: InspectedProcess
    let graph: HolderGraph
    let stoppedBy: String?
    var names = Symboliser.Result()

    /// An address whose name a chain needs.
    struct Places: Hashable {
        var code: Set<UInt64> = []
        var data: Set<UInt64> = []

        mutating func merge(_ other: Places) {
            code.formUnion(other.code)
            data.formUnion(other.data)
        }
    }

    func places(on path: HolderGraph.Path) -> Places {
        var result = Places()
        switch path.edges.last?.holder {
        case .global(let location, _): result.data.insert(location)
        case .block(let index): if let place = resumption(index) { result.code.insert(place + 1) }
        default: break
        }
        return result
    }

    func chain(_ block: Int, _ path: HolderGraph.Path) -> HolderChain {
        let leaf = graph.blocks[block]
        var hops: [HolderChain.Hop] = []
        var moved = 0
        var held = block
        world.memory.forget()
        for edge in path.edges {
            if !stillHolds(edge, graph.blocks[held]) { moved += 1 }
            guard case .block(let index) = edge.holder else { continue }
            let holder = graph.blocks[index]
            hops.append(
                HolderChain.Hop(
                    kind: holder.kind, type: holder.type, place: world.place(in: holder, at: edge.offset),
                    offset: edge.offset, isInterior: edge.target > 0))
            held = index
        }
        let root = root(path)
        if case .task = root { hops.removeLast() }
        if case .cycle = root { hops.removeLast() }
        return HolderChain(type: leaf.type, kind: leaf.kind, hops: hops, root: root, moved: moved)
    }

    private func root(_ path: HolderGraph.Path) -> HolderChain.Root {
        switch path.end {
        case .cycle(let back): return .cycle(backTo: back)
        case .unreferenced: return .unreferenced
        case .unfinished: return .unknown(stoppedBy ?? "the search ended")
        case .root: break
        }
        switch path.edges.last?.holder {
        case .global(let location, let module):
            let image = world.modules.modules[module]
            return .global(
                name: names.data[location].map { GlobalName.plain($0.name) }, module: image.name,
                offset: location &- image.bias)
        case .stack(let thread, let name, _): return .stack(thread: thread, name: name)
        case .block(let index):
            let block = graph.blocks[index]
            let place = resumption(index).flatMap { names.frames[$0 + 1]?.last?.function }
            return .task(id: world.memory.word32(at: block.start &+ 36), resumesIn: place)
        case nil: return .unreferenced
        }
    }

    /// Where a suspended task goes on: the function pointer in its job header.
    private func resumption(_ index: Int) -> UInt64? {
        let block = graph.blocks[index]
        guard block.kind == .task, let place = world.memory.word(at: block.start &+ 48),
            world.modules.index(of: place) != nil
        else { return nil }
        return place
    }

    private func stillHolds(_ edge: HolderGraph.Edge, _ held: HolderGraph.Block) -> Bool {
        guard let word = world.memory.word(at: edge.location) else { return false }
        return (held.start..<held.end).contains(word & 0x00FF_FFFF_FFFF_FFFF)
    }
}

/// Plain names of globals, out of demangled symbols.
enum GlobalName {
    /// "static main.Cache.shared : main.Cache" → "static Cache.shared".
    static func plain(_ demangled: String) -> String {
        var text = demangled[...]
        if let colon = text.range(of: " : ") { text = text[..<colon.lowerBound] }
        for prefix in ["static ", "global "] where text.hasPrefix(prefix) {
            return prefix == "static "
                ? "static " + withoutModule(text.dropFirst(prefix.count)) : withoutModule(text.dropFirst(prefix.count))
        }
        return withoutModule(text)
    }

    /// Cuts "Module." in front, but leaves C++ names and plain symbols alone.
    private static func withoutModule(_ name: Substring) -> String {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !name.contains("::"), !parts[0].isEmpty, !parts[1].isEmpty,
            parts[0].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
        else { return String(name) }
        return String(parts[1])
    }
}

extension Substring {
    /// The first place of a text; nil when it is not there. (Foundation's, without Foundation.)
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
