import HeapInspection
import HeapProfile

/// Finds out what remained: where it was allocated, of which type it is, and who holds it.
struct RemainderSearch {
    /// Sites that are told.
    static let siteLimit = 3
    /// Blocks of each stack that are looked at.
    private static let blocksPerStack = 64
    private static let stackLimit = 256

    private let time: Duration
    private(set) var remarks: [String] = []

    init(time: Duration) {
        self.time = time
    }

    /// What the rounds of a leak left behind.
    /// - Parameter rounds: the last one's number; what the last two left is what still grows.
    mutating func sites(of account: borrowing LedgerAccount, rounds: Int) -> [RemainingSite] {
        // First the copy, then the list: in the copy nothing knows the blocks' addresses but who holds them.
        let copy = Snapshot.take()
        let blocks = account.blocks().filter { $0.round > 0 }
        var byStack = Dictionary(grouping: blocks, by: \.stack)
        let growing = byStack.filter { $0.value.contains { Int($0.round) >= rounds - 1 } }
        if !growing.isEmpty { byStack = growing }
        let ranked = byStack.values.sorted { left, right in
            (right.reduce(0) { $0 + $1.bytes }, left[0].stack) < (left.reduce(0) { $0 + $1.bytes }, right[0].stack)
        }.prefix(Self.stackLimit)
        let examined = ranked.flatMap { Self.some(of: $0) }
        let totals = byStack.mapValues { (blocks: $0.count, bytes: Int($0.reduce(0) { $0 + $1.bytes })) }
        guard let copy else {
            remarks.append("no copy of the process could be made, so places and types are not known")
            return []
        }
        do throws(InspectionError) {
            let image = try copy.image(of: examined)
            return sites(image, examined.map(\.stack), totals)
        } catch {
            remarks.append("places and types are not known: \(error)")
            return []
        }
    }

    private mutating func sites(
        _ image: HeapImage, _ stacks: [UInt32], _ totals: [UInt32: (blocks: Int, bytes: Int)]
    ) -> [RemainingSite] {
        var limits = HeapCapture.Limits()
        limits.time = time
        limits.sites = Self.siteLimit
        limits.holders.isCautious = true
        let capture = HeapCapture.capture(image, isAlive: true, limits: limits)
        remarks += capture.remarks
        return capture.profile.sites.map { site in
            let own = Set(site.records.map { stacks[$0] })
            return RemainingSite(
                place: Self.place(of: site), type: site.types.first?.type,
                blocks: own.reduce(0) { $0 + (totals[$1]?.blocks ?? 0) },
                bytes: own.reduce(0) { $0 + (totals[$1]?.bytes ?? 0) },
                holders: capture.chains(of: site).first?.chain.told ?? [])
        }
        .sorted { ($1.bytes, $0.place) < ($0.bytes, $1.place) }
        .prefix(Self.siteLimit).map { $0 }
    }

    /// The innermost function of a person's own that has a line, but for initialisers that only allocate: those say no more
    /// than the type does.
    private static func place(of site: Site) -> String {
        let rules = FrameRules()
        let frame = site.stacks.first?.shown.first {
            $0.line != nil && !$0.function.contains("__allocating_init") && rules.role(of: $0) == .own
        }
        guard let frame, let file = frame.file, let line = frame.line else { return site.label }
        return "\(frame.function) (\(file.split(separator: "/").last ?? "?"):\(line))"
    }

    /// Blocks of all ages.
    private static func some(of blocks: [Ledger.Block]) -> [Ledger.Block] {
        let count = min(blocksPerStack, blocks.count)
        return (0..<count).map { blocks[$0 * blocks.count / count] }
    }
}

extension HolderChain {
    /// From the root to the block; empty when it says nothing.
    var told: [String] {
        switch root {
        case .unreferenced: hops.isEmpty ? [] : ["a local variable, or memory of no known type"] + path.dropFirst()
        case .unknown: hops.isEmpty ? [] : ["(more was not found out in time)"] + path.dropFirst()
        default: path
        }
    }
}
