import HeapProfile
package import OakumModel

/// Types and holder chains of chosen blocks of a living process.
package struct HolderReport: Sendable {
    package var chains: [HolderChain] = []
    package var bytesScanned: UInt64 = 0
    package var passes = 0
    package var seconds: Double = 0
    package var remarks: [String] = []
}

/// A block to explain.
package struct BlockTarget: Hashable, Sendable {
    package var address: UInt64
    /// Nil when it is not known.
    package var bytes: UInt64?

    package init(address: UInt64, bytes: UInt64? = nil) {
        self.address = address
        self.bytes = bytes
    }
}

/// Looks into a living process without stopping it.
package struct ProcessInspector {
    /// Nil: a copy of a process's memory, whose files are not known.
    private let pid: Int32?
    private let map: MemoryMap
    package let modules: ModuleMap
    private let world: InspectedProcess
    private let residency: PageMap?
    package var debugFolders: [String] = []

    /// - Parameters:
    ///   - known: sampled blocks, whose sizes are known for certain.
    ///   - leavingOut: paths of mappings that are no holders, the sampler's own file among them.
    package init(
        _ identity: ProcessIdentity, known: [BlockTarget] = [], leavingOut: Set<String> = []
    ) throws(InspectionError) {
        let memory = try RemoteMemory(identity)
        pid = identity.pid
        guard let text = ProcFile.bytes("/proc/\(identity.pid)/maps", limit: MemoryMap.textLimit) else {
            throw .gone(identity)
        }
        map = try MemoryMap(text)
        modules = ModuleMap(map: map, source: memory)
        let residency = PageMap(pid: identity.pid)
        self.residency = residency
        world = InspectedProcess(
            source: memory, map: map, modules: modules, threads: Threads.read(pid: identity.pid), residency: residency,
            known: known.compactMap { block in block.bytes.map { (block.address, block.address &+ $0) } },
            leavingOut: leavingOut)
    }

    /// The same for memory from elsewhere: a copy, or a test's.
    package init(memory: any MemorySource, map: MemoryMap) {
        self.map = map
        pid = nil
        residency = nil
        modules = ModuleMap(map: map, source: memory)
        world = InspectedProcess(source: memory, map: map, modules: modules, threads: [], residency: nil)
    }

    /// The type of the block at an address; nil when it is not known.
    package func type(at address: UInt64, bytes: UInt64? = nil) -> (kind: BlockKind, name: String)? {
        let block = world.block(at: address, bytes: bytes, index: BlockIndex())
        return block.type.map { (block.kind, $0) }
    }

    /// What the program calls the object at an address; nil where it is of no type that is known by a name.
    package func name(at address: UInt64) -> ObjectName? {
        world.names.name(of: world.block(at: address, bytes: nil, index: BlockIndex()))
    }

    /// Reads anew what was read before.
    package func forget() { world.memory.forget() }

    /// Every heap object whose type has this name, found by looking at each aligned word: for tests, and for programs
    /// without the sampler. At most `limit`.
    package func objects(named name: String, limit: Int) -> [UInt64] {
        var result: [UInt64] = []
        _ = world.scan.run(world.plan, isOver: { result.count >= limit }) { window, address, stretch in
            guard stretch.territory == .heap else { return }
            for offset in stride(from: 0, to: window.count - 15, by: 16) where result.count < limit {
                let word = window.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                guard word > 4_096, word < 1 << 47, let type = world.types.type(ofMetadata: word), type.name == name,
                    ReferenceCount(window.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)).isPlausible
                else { continue }
                result.append(address + UInt64(offset))
            }
        }
        return result
    }

    /// Chains of holders of blocks, in their order. At most 64 blocks are looked at; the process runs on meanwhile.
    package func holders(
        of targets: [BlockTarget], limits: HolderLimits = HolderLimits(), deadline: ContinuousClock.Instant
    ) -> HolderReport {
        let clock = ContinuousClock()
        let begin = clock.now
        let search = HolderSearch(world, limits: limits) { clock.now >= deadline }
        let paths = search.run(targets.prefix(64).map { ($0.address, $0.bytes) })
        var writer = ChainWriter(world: world, graph: search.graph, stoppedBy: search.stoppedBy)
        let globals = paths.reduce(into: ChainWriter.Places()) { $0.merge(writer.places(on: $1.path)) }
        let symboliser = Symboliser(
            modules: modules.modules.map(Symboliser.Module.init), pid: pid, debugFolders: debugFolders)
        let names = symboliser.names(
            returnAddresses: globals.code, dataAddresses: globals.data,
            deadline: max(deadline, clock.now + .seconds(2)))
        writer.names = names
        var report = HolderReport(chains: paths.map { writer.chain($0.block, $0.path) })
        report.bytesScanned = search.bytesScanned
        report.passes = search.passes
        let spent = begin.duration(to: clock.now).components
        report.seconds = Double(spent.seconds) + Double(spent.attoseconds) / 1e18
        report.remarks = names.remarks
        if let residency, residency.swappedPages > 0 {
            report.remarks.append("\(residency.swappedPages) pages are swapped out and were not looked at")
        }
        return report
    }
}
