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
    }

    struct Block {
        var start: UInt64
        var end: UInt64
        var kind: BlockKind
        var type: String?
        /// Metadata of its class and superclasses; empty when it is no object.
        var lineage: [UInt64] = []
        var metadata: UInt64 = 0
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

    /// A task keeps its own memory and what its calls hold: nothing further is asked of it.
    func isRoot(_ block: Int) -> Bool { blocks[block].kind == .task }

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
    }

    /// The most telling way from a block to a root: typed hops before unknown ones, globals and tasks before stacks.
    func path(from start: Int) -> Path {
        var cost: [Int: Int] = [start: 0]
        var way: [Int: [Edge]] = [start: []]
        var open: Set<Int> = [start]
        var done: Set<Int> = []
        var best: Path?
        var unfinished: Path?
        while let next = open.min(by: { (cost[$0, default: 0], $0) < (cost[$1, default: 0], $1) }) {
            open.remove(next)
            done.insert(next)
            let edges = way[next, default: []]
            let price = cost[next, default: 0]
            if let best, price >= best.cost { break }
            if next != start, isRoot(next) {
                best = Path(edges: edges, end: .root, cost: price)
                break
            }
            if !blocks[next].isExpanded, price < unfinished?.cost ?? .max {
                unfinished = Path(edges: edges, end: .unfinished, cost: price)
            }
            for edge in blocks[next].holders {
                let total = price + self.price(edge)
                guard case .block(let holder) = edge.holder else {
                    if total < best?.cost ?? .max { best = Path(edges: edges + [edge], end: .root, cost: total) }
                    continue
                }
                guard !done.contains(holder), total < cost[holder] ?? .max else { continue }
                cost[holder] = total
                way[holder] = edges + [edge]
                open.insert(holder)
            }
        }
        return best ?? unfinished ?? cycle(from: start, ways: way) ?? lost(from: start, ways: way, cost: cost)
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
    private func cycle(from start: Int, ways: [Int: [Edge]]) -> Path? {
        var best: Path?
        for (block, way) in ways {
            let onWay =
                [start]
                + way.compactMap { edge in
                    if case .block(let index) = edge.holder { index } else { nil }
                }
            for edge in blocks[block].holders {
                guard case .block(let holder) = edge.holder, let back = onWay.firstIndex(of: holder),
                    onWay[back...].allSatisfy({ blocks[$0].kind != .unknown })
                else { continue }
                let better = best.map { (way.count, edge.location) < ($0.cost, $0.edges.last?.location ?? 0) } ?? true
                if better { best = Path(edges: way + [edge], end: .cycle(backTo: back), cost: way.count) }
            }
        }
        return best
    }

    /// The longest way that ends where nobody refers further, through known types where there is a choice.
    private func lost(from start: Int, ways: [Int: [Edge]], cost: [Int: Int]) -> Path {
        let ends = ways.filter { index, _ in index != start && blocks[index].kind != .unknown }
        let best = ends.max { ($1.value.count, $0.key) > ($0.value.count, $1.key) }
        return Path(edges: best?.value ?? [], end: .unreferenced)
    }
}
