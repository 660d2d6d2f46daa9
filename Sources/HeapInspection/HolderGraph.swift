/// Blocks found so far, and who refers to whom. Pure: the search fills it, the chains are read off it.
struct HolderGraph {
    /// Where a reference stands.
    enum Holder: Hashable {
        case block(Int)
        case global(location: UInt64, module: Int)
        case stack(thread: Int32, name: String, isCertain: Bool)
    }

    struct Edge: Hashable {
        var holder: Holder
        /// Where the word stands.
        var location: UInt64
        /// From the holder's start.
        var offset: UInt64
        /// How far into the held block it points.
        var target: UInt64
        var isTagged: Bool
        /// So many references of this kind lie between: nodes of a list that were stepped over.
        var between = 0
    }

    struct Block {
        var start: UInt64
        var end: UInt64
        var kind: BlockKind
        var type: String?
        /// Metadata of its class and superclasses; empty when it is no object.
        var lineage: [UInt64] = []
        var metadata: UInt64 = 0
        /// Of an object, without what is tail-allocated.
        var fixedBytes: UInt64?
        var tail: HeapType.Tail?
        /// Of a Swift object: weak references go through it, and hold nothing.
        var sideTable: UInt64?
        var holders: [Edge] = []
        /// Its holders were looked for.
        var isExpanded = false
        /// References that were found but not kept.
        var dropped = 0
    }

    private(set) var blocks: [Block] = []
    private var byStart: [UInt64: Int] = [:]

    /// Adds a block, or finds the one that begins there.
    mutating func add(_ block: Block) -> Int {
        if let known = byStart[block.start] { return known }
        blocks.append(block)
        byStart[block.start] = blocks.count - 1
        return blocks.count - 1
    }

    func index(ofStart start: UInt64) -> Int? { byStart[start] }

    mutating func link(_ block: Int, to edge: Edge) {
        blocks[block].holders.append(edge)
    }

    mutating func markExpanded(_ block: Int, dropped: Int) {
        blocks[block].isExpanded = true
        blocks[block].dropped += dropped
    }

    /// A task keeps its own memory and what its calls hold, and need not be held by anybody: it may wait for an answer.
    private func isRoot(_ block: Int) -> Bool { blocks[block].kind == .task }

    // MARK: - Reading chains

    /// From the leaked block to what ends the chain.
    struct Path: Hashable {
        /// The first edge leaves the leaked block.
        var edges: [Edge] = []
        var end: End
        var cost = 0

        enum End: Hashable {
            case root
            case cycle(backTo: Int)
            case unreferenced
            /// The last block's holders were not looked for.
            case unfinished
        }

        var isAnchored: Bool { end == .root }

        var holders: Set<Holder> { Set(edges.map(\.holder)) }
    }

    /// The most telling way from a block to a root: typed hops before unknown ones, globals and tasks before stacks.
    func path(from start: Int) -> Path {
        var path = nearest(from: start)
        // A task may be held in turn: a child by its group's task, a finished one by whoever has its handle.
        var visited: Set<Int> = [start]
        while case .block(let task)? = path.edges.last?.holder, path.end == .root, visited.insert(task).inserted {
            let further = nearest(from: task)
            guard tells(further), further.holders.isDisjoint(with: path.holders) else { break }
            path.edges += further.edges
            path.cost += further.cost
        }
        return path
    }

    /// How far behind a task its own holders are looked for.
    private static let taskReach = 12

    /// Whether a way on from a task says more than the task alone: to another task, or to a global by known types.
    private func tells(_ path: Path) -> Bool {
        guard path.end == .root, path.cost <= Self.taskReach + Self.taskPrice, let last = path.edges.last else {
            return false
        }
        let kinds = path.edges.compactMap { edge in
            if case .block(let index) = edge.holder { blocks[index].kind } else { nil }
        }
        switch last.holder {
        case .block: return kinds.allSatisfy { $0 == .task || $0 == .taskMemory }
        case .stack: return false
        case .global: return kinds.allSatisfy { $0 != .unknown }
        }
    }

    /// Blocks on the ways from one whose holders are still to be looked for, as far as that can change its path.
    func unexpanded(from start: Int) -> [Int] {
        let path = path(from: start)
        var bound = Int.max
        if path.isAnchored {
            bound = path.cost
            if case .block? = path.edges.last?.holder { bound += Self.taskReach }
        }
        return explore(from: start).order.filter { !blocks[$0.block].isExpanded && $0.cost < bound }.map(\.block)
    }

    /// What a root that is a task costs beyond the way there.
    private static let taskPrice = 4

    /// Ways to all blocks, the cheapest first (Dijkstra's algorithm; costs are small, so the queue is a row of buckets).
    private func explore(from start: Int) -> (order: [(block: Int, cost: Int)], ways: [Int: (edge: Edge, from: Int)]) {
        var ways: [Int: (edge: Edge, from: Int)] = [:]
        var costs: [Int: Int] = [start: 0]
        var order: [(block: Int, cost: Int)] = []
        var buckets: [[Int]] = [[start]]
        var done: Set<Int> = []
        var price = 0
        while price < buckets.count {
            while let next = buckets[price].popLast() {
                guard done.insert(next).inserted else { continue }
                order.append((next, price))
                for edge in blocks[next].holders {
                    guard case .block(let holder) = edge.holder, !done.contains(holder) else { continue }
                    let total = price + self.price(edge)
                    guard total < costs[holder] ?? .max else { continue }
                    costs[holder] = total
                    ways[holder] = (edge, next)
                    while buckets.count <= total { buckets.append([]) }
                    buckets[total].append(holder)
                }
            }
            price += 1
        }
        return (order, ways)
    }

    private func edges(to block: Int, _ ways: [Int: (edge: Edge, from: Int)]) -> [Edge] {
        var result: [Edge] = []
        var next = block
        while let (edge, from) = ways[next] {
            result.append(edge)
            next = from
        }
        return result.reversed()
    }

    private func nearest(from start: Int) -> Path {
        let (order, ways) = explore(from: start)
        var best: (cost: Int, block: Int, edge: Edge?)?
        var unfinished: (cost: Int, block: Int)?
        for (block, cost) in order {
            if let best, cost >= best.cost { break }
            if block != start, isRoot(block), cost + Self.taskPrice < best?.cost ?? .max {
                best = (cost + Self.taskPrice, block, nil)
            }
            if !blocks[block].isExpanded, unfinished == nil { unfinished = (cost, block) }
            for edge in blocks[block].holders {
                if case .block = edge.holder { continue }
                let total = cost + price(edge)
                if total < best?.cost ?? .max { best = (total, block, edge) }
            }
        }
        if let best {
            let edges = edges(to: best.block, ways) + [best.edge].compactMap(\.self)
            return Path(edges: edges, end: .root, cost: best.cost)
        }
        if let unfinished {
            return Path(edges: edges(to: unfinished.block, ways), end: .unfinished, cost: unfinished.cost)
        }
        return cycle(from: start, order.map(\.block), ways) ?? lost(from: start, order.map(\.block), ways)
    }

    private func price(_ edge: Edge) -> Int {
        var price: Int
        switch edge.holder {
        case .global: price = 1
        case .stack(_, _, let isCertain): price = isCertain ? 12 : 20
        case .block(let holder):
            switch blocks[holder].kind {
            case .unknown, .cxxObject: price = 4
            case .task: price = 3
            default: price = 1
            }
        }
        if edge.target > 0 { price += 4 }
        if edge.isTagged { price += 1 }
        return price
    }

    /// The nearest way that comes back to itself, through known types only.
    private func cycle(from start: Int, _ order: [Int], _ ways: [Int: (edge: Edge, from: Int)]) -> Path? {
        var best: Path?
        for block in order {
            var way: [Edge]?
            for edge in blocks[block].holders {
                guard case .block(let holder) = edge.holder else { continue }
                let edges = way ?? edges(to: block, ways)
                way = edges
                let onWay = [start] + edges.compactMap { if case .block(let index) = $0.holder { index } else { nil } }
                guard let back = onWay.firstIndex(of: holder),
                    onWay[back...].allSatisfy({ blocks[$0].kind != .unknown }), edges.count < best?.cost ?? .max
                else { continue }
                best = Path(edges: edges + [edge], end: .cycle(backTo: back), cost: edges.count)
            }
        }
        return best
    }

    /// The longest way that ends where nobody refers further, through known types where there is a choice.
    private func lost(from start: Int, _ order: [Int], _ ways: [Int: (edge: Edge, from: Int)]) -> Path {
        let ends = order.filter { $0 != start && blocks[$0].kind != .unknown }.map { edges(to: $0, ways) }
        return Path(edges: ends.max { $0.count < $1.count } ?? [], end: .unreferenced)
    }
}
