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
        default: break
        }
        for edge in path.edges {
            guard case .block(let index) = edge.holder, graph.blocks[index].kind == .task else { continue }
            result.code.formUnion(
                TaskState(graph.blocks[index].start, world.memory, world.modules).calls.map { $0 + 1 })
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
            let isOwnRoot = edge.location == graph.blocks[held].start
            if edge.between == 0, !isOwnRoot, !stillHolds(edge, graph.blocks[held]) { moved += 1 }
            guard case .block(let index) = edge.holder else { continue }
            let holder = graph.blocks[index]
            // Child tasks of one group are linked one to the next: the others are no part of the reason.
            if holder.kind == .task, graph.blocks[held].kind == .task, held != block {
                held = index
                if edge != path.edges.last { continue }
            }
            hops.append(
                HolderChain.Hop(
                    kind: holder.kind, type: holder.kind == .task ? taskWords(index) : holder.type,
                    place: world.place(in: holder, at: edge.offset), offset: edge.offset, isInterior: edge.target > 0,
                    times: edge.between + 1, name: world.names.name(of: holder)))
            held = index
        }
        let root = root(path, closing: hops.last)
        switch root {
        case .task, .cycle: hops.removeLast()
        default: break
        }
        return HolderChain(type: leaf.type, kind: leaf.kind, hops: hops, root: root, moved: moved)
    }

    private func root(_ path: HolderGraph.Path, closing: HolderChain.Hop?) -> HolderChain.Root {
        switch path.end {
        case .cycle: return closing.map { .cycle($0) } ?? .unreferenced
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
            let state = TaskState(graph.blocks[index].start, world.memory, world.modules)
            return .task(id: state.id, resumesIn: place(of: state), isFinished: state.isFinished)
        case nil: return .unreferenced
        }
    }

    private func taskWords(_ index: Int) -> String {
        let state = TaskState(graph.blocks[index].start, world.memory, world.modules)
        return HolderChain.words(task: state.id, place: place(of: state), isFinished: state.isFinished)
    }

    /// The innermost asynchronous function of a task that is not the runtime's.
    private func place(of task: TaskState) -> String? {
        for call in task.calls {
            guard let function = names.frames[call + 1]?.last?.function else { continue }
            if let plain = FunctionWords.asynchronous(function) { return plain }
        }
        return nil
    }

    private func stillHolds(_ edge: HolderGraph.Edge, _ held: HolderGraph.Block) -> Bool {
        guard let word = world.memory.word(at: edge.location) else { return false }
        return (held.start..<held.end).contains(word & 0x00FF_FFFF_FFFF_FFFF)
    }
}
