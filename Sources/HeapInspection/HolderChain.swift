/// Why a block of memory is alive: who refers to it, who refers to that, and so on, up to a root.
///
/// Types, names of properties, and names of globals only: never a value out of the program's memory.
package struct HolderChain: Hashable, Sendable, Codable {
    /// One block on the way, and the place in it that refers to the block before.
    package struct Hop: Hashable, Sendable, Codable {
        package var kind: BlockKind
        /// "unknown" blocks have none.
        package var type: String?
        /// The property, element or captured variable with the reference; nil when it is not told.
        package var place: String?
        /// Bytes from the block's start to the reference.
        package var offset: UInt64
        /// The reference points into the middle of the block before.
        package var isInterior: Bool
        /// So many blocks in a row that are alike: nodes of a list.
        package var times: Int
        /// What the program calls the object, where it is of a type that is made to be known by a name.
        package var name: ObjectName?

        package init(
            kind: BlockKind, type: String?, place: String? = nil, offset: UInt64 = 0, isInterior: Bool = false,
            times: Int = 1, name: ObjectName? = nil
        ) {
            self.kind = kind
            self.type = type
            self.place = place
            self.offset = offset
            self.isInterior = isInterior
            self.times = times
            self.name = name
        }
    }

    package enum Root: Hashable, Sendable, Codable {
        /// A global or static variable; nil when the binary has no name for it (it is stripped).
        case global(name: String?, module: String, offset: UInt64)
        /// A variable on a thread's stack, or in its thread-local storage.
        case stack(thread: Int32, name: String)
        /// A task of Swift concurrency; where it will go on, when that is known.
        case task(id: UInt32?, resumesIn: String?, isFinished: Bool)
        /// The last hop (or the leaked block, without hops) is held by an earlier block again, and nothing else holds
        /// any of them. The hop says where the reference stands that closes the circle.
        case cycle(Hop)
        /// Nobody refers to the last block: it is lost (memory of C), or held in a way that cannot be seen.
        case unreferenced
        /// The search ended before it found one; why.
        case unknown(String)
    }

    /// The block that does not go away.
    package var type: String?
    package var kind: BlockKind
    /// From the block outwards.
    package var hops: [Hop]
    package var root: Root
    /// Hops that read differently at the second look: the program was changing them.
    package var moved: Int

    package init(type: String?, kind: BlockKind, hops: [Hop], root: Root, moved: Int = 0) {
        self.type = type
        self.kind = kind
        self.hops = hops
        self.root = root
        self.moved = moved
    }

    /// The nearest holder that has a name: the cache the block is an entry of.
    package var named: ObjectName? { hops.lazy.compactMap(\.name).first }

    /// "[UInt8], held by CacheEntry.body, held by a value of [String: CacheEntry], held by static LeakyCache.shared". Hops
    /// that say the same one after the other, as those of a list do, are said once.
    package var words: String {
        let hops = Self.runs(toldHops).map { "held by \($0.text)" + Self.times($0.count) }
        return ([Self.words(type, kind)] + hops + [rootWords]).joined(separator: ", ")
    }

    /// From the root inwards: what `formats.md` calls `chain`.
    package var path: [String] {
        var parts: [String] = []
        if case .cycle(let hop) = root { parts.append(Self.words(hop)) }
        let hops = Self.runs(toldHops.reversed()).map { $0.text + Self.times($0.count) }
        return [rootName] + parts + hops + [Self.words(type, kind)]
    }

    /// Without the blocks that a holder with a name keeps what it holds in, if nothing is known of them: it stands for them.
    private var toldHops: [Hop] {
        var told: [Hop] = []
        for hop in hops {
            if hop.name != nil { while told.last.map({ $0.kind == .unknown }) == true { told.removeLast() } }
            told.append(hop)
        }
        return told
    }

    private static func runs(_ hops: [Hop]) -> [(text: String, count: Int)] {
        hops.reduce(into: []) { runs, hop in
            let text = words(hop)
            if let last = runs.last, last.text == text {
                runs[runs.count - 1].count += hop.times
            } else {
                runs.append((text, hop.times))
            }
        }
    }

    private static func times(_ count: Int) -> String {
        count > 1 ? " (\(count) times)" : ""
    }

    private var rootName: String {
        switch root {
        case .global(let name?, _, _): name
        case .global(nil, let module, let offset): "a global of \(module) at +0x\(String(offset, radix: 16))"
        case .stack(let thread, let name): "the stack of thread \(thread)" + (name.isEmpty ? "" : " (\(name))")
        case .task(let id, let place, let isFinished):
            Self.words(task: id, place: place, isFinished: isFinished)
        case .cycle: "a cycle, no root"
        case .unreferenced: "nothing that can be seen"
        case .unknown(let why): "unknown (\(why))"
        }
    }

    private var rootWords: String {
        switch root {
        case .cycle(let hop): "held by \(Self.words(hop)) again: a cycle, no root"
        case .unreferenced: "which nothing refers to"
        case .unknown(let why): "further holders unknown: \(why)"
        default: "held by \(rootName)"
        }
    }

    private static func words(_ type: String?, _ kind: BlockKind) -> String {
        type ?? (kind == .unknown ? "a block of unknown type" : kind.rawValue)
    }

    static func words(task id: UInt32?, place: String?, isFinished: Bool) -> String {
        let name = "task" + (id.map { " \($0)" } ?? "")
        if isFinished { return "\(name), which has finished and whose result nobody took" }
        return name + (place.map { ", which waits in \($0)" } ?? "")
    }

    private static func words(_ hop: Hop) -> String {
        let type = words(hop.type, hop.kind)
        // How it keeps what it holds is its own business.
        if let name = hop.name { return "\(type) \"\(name.name)\"" }
        guard let place = hop.place else { return type }
        return place.contains(" ") ? "\(place) of \(type)" : "\(type).\(place)"
    }
}
