import CHeapSampler

/// Which measurement the running code belongs to. A task-local value, because it follows the work: into child tasks and
/// `Task { }`, over hops between actors and threads. The allocator itself asks for it.
enum MeasuredWork {
    @TaskLocal static var number: UInt64 = 0
}

/// Why nothing can be measured in this process.
enum Obstacle: Error, Hashable {
    case sanitizer
    case otherAllocator
    case sampling
    case noMemory
    case noConcurrency
    case tooMany
    case processTaken

    init?(_ state: Int32) {
        switch state {
        case Int32(OAKUM_LEDGER_READY.rawValue): return nil
        case Int32(OAKUM_LEDGER_SANITIZED.rawValue): self = .sanitizer
        case Int32(OAKUM_LEDGER_SHADOWED.rawValue): self = .otherAllocator
        case Int32(OAKUM_LEDGER_SAMPLING.rawValue): self = .sampling
        case Int32(OAKUM_LEDGER_NO_TASKS.rawValue): self = .noConcurrency
        default: self = .noMemory
        }
    }

    var text: String {
        switch self {
        case .sanitizer:
            "this test executable is built with a sanitizer, whose allocator must not be watched; run it without one too"
        case .otherAllocator:
            "another malloc comes before this library's (linked statically, or preloaded); link it dynamically"
        case .sampling: "OAKUM_HEAP_FILE is set, so the heap sampler works for it; unset it in tests"
        case .noMemory: "the system gives no memory for the tables (some 200 MiB of address space)"
        case .noConcurrency: "the Swift concurrency library is not in this process"
        case .tooMany: "64 measurements are under way in this process already; run fewer tests in parallel"
        case .processTaken:
            "another measurement of the whole process is under way: let such tests run one after the other (`.serialized`)"
        }
    }
}

/// The exact account of what measured calls allocate; see `heap_ledger.h`.
enum Ledger {
    /// Begins to keep it at the first use. Nil: it is kept.
    static let obstacle: Obstacle? = Obstacle(
        oakum_ledger_start(Unmanaged.passUnretained(MeasuredWork.$number).toOpaque()))

    struct Block {
        var address: UInt64
        var bytes: UInt64
        var bornNanoseconds: UInt64
        var stack: UInt32
        var thread: UInt32
        var round: UInt16
    }

    struct Stack {
        var addresses: [UInt64]
        var quality: UInt32
    }

    static func stack(_ index: UInt32) -> Stack {
        var quality: UInt32 = 0
        let addresses = [UInt64](unsafeUninitializedCapacity: Int(OAKUM_LEDGER_FRAMES)) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            count = oakum_ledger_stack(index, base, &quality)
        }
        return Stack(addresses: addresses, quality: quality)
    }

    /// Blocks of an open account that are alive. Other threads may allocate and free meanwhile; at most a million.
    static func blocks(of number: UInt64) -> [Block] {
        let live = Int(oakum_ledger_counts(number).live_blocks)
        let room = min(1 << 20, max(0, live)) + 1_024
        let found = [oakum_ledger_block](unsafeUninitializedCapacity: room) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            count = min(room, oakum_ledger_read(number, base, room))
        }
        return found.map {
            Block(
                address: $0.address, bytes: $0.size, bornNanoseconds: $0.birth_ns, stack: $0.stack, thread: $0.thread,
                round: $0.round)
        }
    }
}

/// One account: what the calls made under its number allocate and have not freed. Closed when it goes out of scope.
struct LedgerAccount: ~Copyable {
    let number: UInt64

    /// - Throws: `Obstacle` when nothing can be measured, or no more accounts can be open.
    init(of scope: GrowthScope = .calls) throws(Obstacle) {
        number = try Self.open(scope)
    }

    private static func open(_ scope: GrowthScope) throws(Obstacle) -> UInt64 {
        if let obstacle = Ledger.obstacle { throw obstacle }
        let number = oakum_ledger_open()
        guard number != 0 else { throw .tooMany }
        if scope == .process, oakum_ledger_watch_strays(number) == 0 {
            oakum_ledger_close(number)
            throw .processTaken
        }
        return number
    }

    deinit { oakum_ledger_close(number) }

    func begin(round: Int) { oakum_ledger_begin_round(number, UInt32(round)) }

    var liveBlocks: Int { Int(oakum_ledger_counts(number).live_blocks) }
    var liveBytes: Int { Int(oakum_ledger_counts(number).live_bytes) }
    var count: AllocationCount {
        let counts = oakum_ledger_counts(number)
        return AllocationCount(
            allocations: Int(counts.allocations), bytes: Int(counts.bytes), remainingBlocks: Int(counts.live_blocks),
            remainingBytes: Int(counts.live_bytes))
    }
    /// Allocations there was no room to record.
    var dropped: UInt64 { oakum_ledger_counts(number).dropped }

    /// Blocks that are alive.
    func blocks() -> [Ledger.Block] { Ledger.blocks(of: number) }
}
