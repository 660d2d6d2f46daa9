/// Bounds of a search for holders.
package struct HolderLimits: Hashable, Sendable {
    /// Blocks in the graph. Further holders are then not followed, and the chain says so.
    package var blocks = 20_000
    /// References kept for each block, those from globals first; the others are counted.
    package var holdersPerBlock = 24
    /// Passes over the memory, one for each step away from the leaked blocks.
    package var levels = 48
    /// Passes in a row that follow nothing but blocks of unknown type: lists of C, and caches of C libraries.
    package var untypedLevels = 16
    /// Blocks whose holders are looked for in one pass.
    package var blocksPerLevel = 4_096
    /// Only holders of known types, globals and tasks. Stacks and untyped memory are full of what was left behind there, and
    /// in a small heap, whose addresses are given out again and again, that looks as if it held what lies there now.
    package var isCautious = false

    package init() {}
}

/// Looks for the holders of blocks: a pass over all writable memory finds every word that points to one of them; the
/// blocks those words stand in are looked for in the next pass, until roots are reached.
///
/// The process runs on meanwhile. What is leaked stays where it is; words that change between the passes give a hop that
/// is looked at a second time before it is reported.
final class HolderSearch {
    private let world: InspectedProcess
    private let limits: HolderLimits
    private let isOver: () -> Bool
    private var index = BlockIndex()
    private var isIndexed = false
    private var lists = ListLinks()
    private var listEdges: [(held: Int, holder: Int, kind: ListLinks.Kind)] = []
    private(set) var graph = HolderGraph()
    private(set) var bytesScanned: UInt64 = 0
    private(set) var passes = 0
    /// Why the search ended before everything was followed; nil when it did not.
    private(set) var stoppedBy: String?

    init(_ world: InspectedProcess, limits: HolderLimits, isOver: @escaping () -> Bool) {
        self.world = world
        self.limits = limits
        self.isOver = isOver
    }

    /// Follows the holders of all blocks at once. The results are paths through `graph`, in the order of the blocks.
    func run(_ starts: [(address: UInt64, bytes: UInt64?)]) -> [(block: Int, path: HolderGraph.Path)] {
        if starts.contains(where: { $0.bytes == nil }) { buildIndex() }
        let targets = starts.map { graph.add(world.block(at: $0.address, bytes: $0.bytes, index: index)) }
        var untyped = 0
        for level in 0... {
            let wanted = frontier(targets)
            guard !wanted.isEmpty else { break }
            untyped = wanted.allSatisfy { graph.blocks[$0].kind == .unknown } ? untyped + 1 : 0
            guard untyped <= limits.untypedLevels else {
                stoppedBy = "the last \(limits.untypedLevels) steps were through blocks of unknown type"
                break
            }
            guard level < limits.levels, graph.blocks.count < limits.blocks else {
                stoppedBy =
                    level < limits.levels
                    ? "more than \(limits.blocks) blocks are involved" : "it is more than \(limits.levels) steps away"
                break
            }
            guard expand(wanted) else {
                stoppedBy = "the time for it was over"
                break
            }
        }
        return targets.map { ($0, graph.path(from: $0)) }
    }

    /// Blocks to look at next: those on the ways from the targets, as far as that can change a chain.
    private func frontier(_ targets: [Int]) -> [Int] {
        let wanted = Set(Set(targets).flatMap { graph.unexpanded(from: $0) })
        let known = wanted.sorted {
            (graph.blocks[$0].kind == .unknown ? 1 : 0, $0) < (graph.blocks[$1].kind == .unknown ? 1 : 0, $1)
        }
        return Array(known.prefix(limits.blocksPerLevel))
    }

    private func buildIndex() {
        guard !isIndexed else { return }
        _ = world.scan.run(world.plan, isOver: isOver) { window, address, stretch in
            indexWindow(window, address, stretch)
        }
        isIndexed = true
    }

    private var indexedStretch: UInt64 = .max

    private func indexWindow(_ window: UnsafeRawBufferPointer, _ address: UInt64, _ stretch: ScanPlan.Stretch) {
        if stretch.range.lowerBound != indexedStretch {
            indexedStretch = stretch.range.lowerBound
            index.begin(stretch, world.memory)
        }
        index.pass(window, at: address)
    }

    /// One pass. False when the time was over before its end.
    private func expand(_ wanted: [Int]) -> Bool {
        var found: [Int: Found] = [:]
        let ranges = Self.disjoint(wanted.map { (graph.blocks[$0].start..<graph.blocks[$0].end, $0) })
        let blocks = WantedBlocks(ranges)
        let limit = limits.holdersPerBlock
        let building = !isIndexed
        let result = world.scan.run(world.plan, isOver: isOver) { window, address, stretch in
            if building { indexWindow(window, address, stretch) }
            if stretch.territory == .heap { lists.collect(window, at: address, world.memory) }
            blocks.find(in: window, at: address) { reference in
                found[reference.block, default: Found()].add(reference, stretch, limit: limit)
            }
        }
        bytesScanned += result.bytes
        passes += 1
        guard result.isComplete else { return false }
        isIndexed = true
        lists.finishPass()
        world.memory.forget()
        for block in wanted {
            let references = found[block] ?? Found()
            for (reference, stretch) in references.kept { link(block, reference, stretch) }
            graph.markExpanded(block, dropped: references.dropped)
        }
        stepOverLists()
        return true
    }

    /// References to one block: those out of globals first, then direct ones, then the rest; the surplus is counted.
    private struct Found {
        var globals: [(Reference, ScanPlan.Stretch)] = []
        var direct: [(Reference, ScanPlan.Stretch)] = []
        var others: [(Reference, ScanPlan.Stretch)] = []
        var dropped = 0

        var kept: [(Reference, ScanPlan.Stretch)] { globals + direct + others }

        mutating func add(_ reference: Reference, _ stretch: ScanPlan.Stretch, limit: Int) {
            if case .data = stretch.territory, globals.count < limit {
                globals.append((reference, stretch))
            } else if reference.offset == 0, direct.count < limit {
                direct.append((reference, stretch))
            } else if reference.offset > 0, others.count < limit / 2 {
                others.append((reference, stretch))
            } else {
                dropped += 1
            }
        }
    }

    private func link(_ block: Int, _ reference: Reference, _ stretch: ScanPlan.Stretch) {
        let held = graph.blocks[block]
        let location = reference.location
        if (held.start..<held.end).contains(location) {
            linkToItself(block, reference)
            return
        }
        if let table = held.sideTable, location >= table, location < table &+ 32 { return }
        var edge = HolderGraph.Edge(
            holder: .block(block), location: location, offset: 0, target: reference.offset,
            isTagged: reference.isTagged)
        switch stretch.territory {
        case .data(let module):
            edge.holder = .global(location: location, module: module)
            if let object = staticObject(around: location, module: module) {
                edge.holder = .block(object)
                edge.offset = location &- graph.blocks[object].start
            }
        case .stack where limits.isCautious: return
        case .stack(let thread):
            edge.holder = .stack(thread: thread.id, name: thread.name, isCertain: thread.pointer != nil)
        case .heap:
            let owner = world.owner(of: location, index: index)
            if limits.isCautious, owner.kind == .unknown || owner.kind == .cxxObject { return }
            guard graph.blocks.count < limits.blocks || graph.index(ofStart: owner.start) != nil else { return }
            guard world.holdsStrongly(owner, at: location &- owner.start) else { return }
            let holder = graph.add(owner)
            guard holder != block, !isParentLink(location &- owner.start, from: owner, to: held) else { return }
            edge.holder = .block(holder)
            edge.offset = location &- graph.blocks[holder].start
            if held.metadata != 0, graph.blocks[holder].metadata == held.metadata, reference.offset == 0 {
                let kind = ListLinks.Kind(metadata: held.metadata, offset: edge.offset)
                lists.want(kind)
                listEdges.append((block, holder, kind))
            }
        }
        graph.link(block, to: edge)
    }

    /// An object that the compiler has put into a module's data, and which is its own root; nil for a plain variable.
    private func staticObject(around location: UInt64, module: Int) -> Int? {
        guard let object = world.staticObject(around: location) else { return nil }
        let index = graph.add(object)
        guard !graph.blocks[index].isExpanded else { return index }
        graph.link(
            index,
            to: HolderGraph.Edge(
                holder: .global(location: object.start, module: module), location: object.start, offset: 0, target: 0,
                isTagged: false))
        graph.markExpanded(index, dropped: 0)
        return index
    }

    /// From each node of a list whose kind was collected, straight to the list's head.
    private func stepOverLists() {
        var later: [(held: Int, holder: Int, kind: ListLinks.Kind)] = []
        for (held, holder, kind) in listEdges {
            let node = graph.blocks[holder].start
            guard lists.isKnown(kind) else {
                later.append((held, holder, kind))
                continue
            }
            guard let (head, steps) = lists.head(of: node, kind), graph.blocks.count < limits.blocks else { continue }
            let block = graph.add(world.block(at: head, bytes: nil, index: index))
            guard block != held, block != holder else { continue }
            graph.link(
                holder,
                to: HolderGraph.Edge(
                    holder: .block(block), location: head &+ kind.offset, offset: kind.offset, target: 0,
                    isTagged: false, between: steps - 1))
        }
        listEdges = later
    }

    /// A child task knows its parent, and does not hold it: the first word behind a task's own 208 bytes.
    private func isParentLink(_ offset: UInt64, from owner: HolderGraph.Block, to held: HolderGraph.Block) -> Bool {
        owner.kind == .task && held.kind == .task && offset == 0xD0
    }

    /// An object may hold itself: a closure that captures one object alone has that object as its context.
    private func linkToItself(_ block: Int, _ reference: Reference) {
        let held = graph.blocks[block]
        let offset = reference.location &- held.start
        guard held.kind == .object, reference.offset == 0, offset >= 16, held.tail == nil,
            world.holdsStrongly(held, at: offset)
        else { return }
        graph.link(
            block,
            to: HolderGraph.Edge(
                holder: .block(block), location: reference.location, offset: offset, target: 0,
                isTagged: reference.isTagged))
    }

    /// Cuts each range where the next one begins.
    static func disjoint(_ ranges: [(Range<UInt64>, Int)]) -> [(range: Range<UInt64>, index: Int)] {
        let sorted = ranges.sorted { ($0.0.lowerBound, $0.1) < ($1.0.lowerBound, $1.1) }
        var result: [(range: Range<UInt64>, index: Int)] = []
        for (position, (range, index)) in sorted.enumerated() {
            let next = position + 1 < sorted.count ? sorted[position + 1].0.lowerBound : .max
            let end = min(range.upperBound, next)
            if range.lowerBound < end { result.append((range.lowerBound..<end, index)) }
        }
        return result
    }
}
