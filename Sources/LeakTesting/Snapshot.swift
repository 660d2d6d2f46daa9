import CHeapSampler
import CLinux
import HeapInspection
import HeapProfile
import OakumModel

/// A copy of this process as it was at one moment, to be looked into from outside: what looks on allocates, and would see
/// itself as a holder of everything it asks about.
///
/// The copy is a child that does nothing but wait; memory is shared with it until one of the two changes it. It ends with
/// this value, or with the process.
struct Snapshot: ~Copyable {
    private let pid: Int32

    /// Nil when the system gives no further process.
    static func take() -> Snapshot? {
        oakum_ledger_clear_stack()
        let pid = oakum_ledger_snapshot()
        return pid > 0 ? Snapshot(pid: pid) : nil
    }

    private init(pid: Int32) { self.pid = pid }

    deinit { oakum_ledger_end_snapshot(pid) }

    var identity: ProcessIdentity { ProcessIdentity(pid: pid, startTicks: linux_start_ticks(pid)) }

    /// The heap image of some blocks, for names, types and holders.
    func image(of blocks: [Ledger.Block]) throws(InspectionError) -> HeapImage {
        var indices: [UInt32: Int] = [:]
        var stacks = [StackTrace(addresses: [], quality: .missing)]
        for block in blocks where block.stack != 0 && indices[block.stack] == nil {
            let stack = Ledger.stack(block.stack)
            indices[block.stack] = stacks.count
            stacks.append(
                StackTrace(addresses: stack.addresses, quality: stack.addresses.isEmpty ? .missing : .complete))
        }
        let records = blocks.map {
            AllocationRecord(
                address: $0.address, size: $0.bytes, weight: Double($0.bytes), bornNanoseconds: $0.bornNanoseconds,
                thread: Int32(truncatingIfNeeded: $0.thread), stack: indices[$0.stack] ?? 0)
        }
        let modules = try ProcessInspector(identity).modules.modules.map {
            LoadedModule(loadBias: $0.bias, addresses: $0.low..<$0.high, buildID: $0.buildID, path: $0.path)
        }
        let now = Uptime(seconds: Double(linux_uptime_ms()) / 1_000)
        return HeapImage(
            process: SampledProcess(identity: identity, samplingSince: now, executable: ""), mode: .exact,
            meanBytes: 1, bytesInUse: nil, observed: now, modules: modules, stacks: stacks, live: records)
    }
}
