/// Follows linked lists in one pass: a list of a million nodes is a million steps from its head, and one pass for each step
/// would take for ever.
///
/// When a block is held by one of its own type, the pass that comes next collects, for all objects of that type, whom the
/// word at the same offset points to. Bounded: at most `linkLimit` objects for all lists together; a longer list is then
/// followed as far as it is known.
struct ListLinks {
    struct Kind: Hashable {
        var metadata: UInt64
        /// Where the reference stands in each node.
        var offset: UInt64
    }

    static let linkLimit = 2 << 20
    static let kindLimit = 8
    private var wanted: [Kind] = []
    private var known: [Kind: [UInt64: UInt64]] = [:]
    private var links = 0

    /// Asks for a kind of list; the next pass collects it.
    mutating func want(_ kind: Kind) {
        guard known[kind] == nil, !wanted.contains(kind), wanted.count + known.count < Self.kindLimit else { return }
        wanted.append(kind)
    }

    /// Looks at a window of heap.
    mutating func collect(_ window: UnsafeRawBufferPointer, at address: UInt64, _ memory: CheckedMemory) {
        guard !wanted.isEmpty else { return }
        for offset in stride(from: 0, to: window.count - 7, by: 16) {
            let word = window.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard word > 4_096 else { continue }
            for kind in wanted where kind.metadata == word { add(kind, offset, window, address, memory) }
        }
    }

    private mutating func add(
        _ kind: Kind, _ offset: Int, _ window: UnsafeRawBufferPointer, _ address: UInt64, _ memory: CheckedMemory
    ) {
        let place = offset + Int(kind.offset)
        let node = address + UInt64(offset)
        let inside = place + 8 <= window.count
        let link =
            inside ? window.loadUnaligned(fromByteOffset: place, as: UInt64.self) : memory.word(at: node + kind.offset)
        guard let link, link > 4_096, links < Self.linkLimit else { return }
        known[kind, default: [:]][link & 0x00FF_FFFF_FFFF_FFF8] = node
        links += 1
    }

    func isKnown(_ kind: Kind) -> Bool { known[kind] != nil }

    /// A pass has come to its end.
    mutating func finishPass() {
        for kind in wanted where known[kind] == nil { known[kind] = [:] }
        wanted = []
    }

    /// The node that begins the list which goes through `node`, and how many steps away it is; nil when it is a ring, not
    /// collected, or begins there.
    func head(of node: UInt64, _ kind: Kind) -> (node: UInt64, steps: Int)? {
        guard let links = known[kind] else { return nil }
        var current = node
        var steps = 0
        while let next = links[current] {
            guard next != node, steps <= links.count else { return nil }
            current = next
            steps += 1
        }
        return steps > 0 ? (current, steps) : nil
    }
}
