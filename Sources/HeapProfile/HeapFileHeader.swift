package import OakumModel

/// A table of the sampler's file; lies within the file.
struct HeapFileTable: Hashable {
    var name: String
    var offset: Int
    var entryBytes: Int
    var used: Int
    /// With the room that is not used yet.
    var range: Range<Int>

    /// - Parameter bytes: at least the header.
    init(
        _ bytes: RawSpan, name: String, at position: Int, entryBytes: Int, fileBytes: Int
    ) throws(HeapImageError) {
        let offset = bytes.uint64(position)
        let capacity = bytes.uint64(position + 8)
        let found = bytes.uint64(position + 16)
        guard found == UInt64(entryBytes) else {
            throw .badTable(name: name, problem: "has entries of \(found) bytes instead of \(entryBytes)")
        }
        guard offset >= UInt64(HeapFileLayout.headerBytes), offset % 4096 == 0, offset <= UInt64(fileBytes) else {
            throw .badTable(name: name, problem: "cannot begin at \(offset)")
        }
        let (length, overflow) = capacity.multipliedReportingOverflow(by: found)
        guard !overflow, length <= UInt64(fileBytes) - offset else {
            throw .badTable(name: name, problem: "with \(capacity) entries does not fit into the file")
        }
        self.name = name
        self.offset = Int(offset)
        self.entryBytes = entryBytes
        used = Int(min(bytes.uint64(position + 24), capacity))
        range = Int(offset)..<Int(offset + length)
    }

    /// Where the entries in use begin.
    var entries: StrideTo<Int> {
        stride(from: offset, to: offset + used * entryBytes, by: entryBytes)
    }
}

/// What the first 4096 bytes of the sampler's file tell: enough to follow a process's memory at little cost.
package struct HeapCount: Hashable, Sendable {
    /// The whole of what `parse` needs.
    package static let headerBytes = HeapFileLayout.headerBytes

    package var process: ProcessIdentity
    /// What the program holds from the allocator; nil where the sampler does not count it.
    package var bytesInUse: Int64?
    /// By how much that may be off for each thread.
    package var errorBytes: UInt64

    /// - Parameter fileBytes: the size of the whole file.
    package static func parse(header: RawSpan, fileBytes: Int) throws(HeapImageError) -> HeapCount {
        let header = try HeapFileHeader(header, fileBytes: fileBytes)
        return HeapCount(
            process: header.process.identity, bytesInUse: header.bytesInUse, errorBytes: header.bytesInUseError)
    }
}

/// The header of the sampler's file, checked: every table lies within the file and touches no other.
struct HeapFileHeader {
    var process: SampledProcess
    var mode: SamplingMode
    var meanBytes: UInt64
    var samplingSince: UInt64
    var bytesInUse: Int64?
    var bytesInUseError: UInt64
    var state: SamplerState
    var counters: SamplerCounters
    var modules: HeapFileTable
    var stacks: HeapFileTable
    var frames: HeapFileTable
    var lifetimes: HeapFileTable
    var records: HeapFileTable

    /// More than any allocation or distance of samples can be: the address space of a process.
    static let mostBytes: UInt64 = 1 << 57

    /// - Parameters:
    ///   - bytes: the file, or its header alone.
    ///   - fileBytes: the size of the whole file.
    init(_ bytes: RawSpan, fileBytes: Int) throws(HeapImageError) {
        typealias Field = HeapFileLayout.Header
        try Self.checkBeginning(bytes, fileBytes: fileBytes)
        state = try Self.state(bytes)
        let flags = bytes.uint32(Field.flags)
        let mean = bytes.uint64(Field.meanBytes)
        switch bytes.uint32(Field.mode) {
        case 1:
            guard mean > 0, mean < Self.mostBytes else { throw .badHeader(field: "mean_bytes", value: mean) }
            (mode, meanBytes) = (.sampled, mean)
        case 2: (mode, meanBytes) = (.exact, 1)
        case let other: throw .badHeader(field: "mode", value: UInt64(other))
        }
        let pid = bytes.uint32(Field.pid)
        guard let pid = Int32(exactly: pid), pid > 0 else { throw .badHeader(field: "pid", value: UInt64(pid)) }
        samplingSince = bytes.uint64(Field.samplingSince)
        process = SampledProcess(
            identity: ProcessIdentity(pid: pid, startTicks: bytes.uint64(Field.startTicks)),
            samplingSince: Uptime(seconds: Double(samplingSince) / 1e9),
            executable: bytes.text(Field.executable.lowerBound, limit: Field.executable.count),
            samplerVersion: bytes.text(Field.samplerVersion.lowerBound, limit: Field.samplerVersion.count),
            blindSpots: Self.blindSpots(flags))
        let inUse = Int64(bitPattern: bytes.uint64(Field.bytesInUse))
        bytesInUse = flags & HeapFileLayout.Flag.notCounted == 0 ? inUse : nil
        bytesInUseError = bytes.uint64(Field.bytesInUseError)
        counters = Self.counters(bytes)
        func table(_ name: String, _ position: Int, _ entryBytes: Int) throws(HeapImageError) -> HeapFileTable {
            try HeapFileTable(bytes, name: name, at: position, entryBytes: entryBytes, fileBytes: fileBytes)
        }
        modules = try table("modules", Field.modules, HeapFileLayout.Module.size)
        stacks = try table("stacks", Field.stacks, HeapFileLayout.Stack.size)
        frames = try table("frames", Field.frames, 8)
        lifetimes = try table("lifetimes", Field.lifetimes, HeapFileLayout.Lifetimes.size)
        records = try table("records", Field.records, HeapFileLayout.Record.size)
        let tables = [modules, stacks, frames, lifetimes, records].filter { !$0.range.isEmpty }
            .sorted { $0.range.lowerBound < $1.range.lowerBound }
        for (table, next) in zip(tables, tables.dropFirst()) where table.range.overlaps(next.range) {
            throw .badTable(name: table.name, problem: "overlaps the table of \(next.name)")
        }
    }

    /// A weight is the size over the probability that the block was sampled: between the size and mean + size.
    func isPossible(size: UInt64, weight: UInt64) -> Bool {
        guard size < Self.mostBytes else { return false }
        switch mode {
        case .exact: return weight == size
        case .sampled: return weight >= size && weight > 0 && weight <= size + meanBytes + 1
        }
    }

    private static func checkBeginning(_ bytes: RawSpan, fileBytes size: Int) throws(HeapImageError) {
        typealias Field = HeapFileLayout.Header
        guard bytes.byteCount >= 8 else { throw .tooShort(bytes: bytes.byteCount) }
        guard bytes.uint64(0) == HeapFileLayout.magic else { throw .notAHeapFile }
        guard bytes.byteCount >= HeapFileLayout.headerBytes else { throw .tooShort(bytes: bytes.byteCount) }
        let version = bytes.uint32(Field.version)
        guard version == HeapFileLayout.version else {
            throw .otherVersion(found: version, known: HeapFileLayout.version)
        }
        let headerBytes = bytes.uint32(Field.headerBytes)
        guard headerBytes == UInt32(HeapFileLayout.headerBytes) else {
            throw .badHeader(field: "header_bytes", value: UInt64(headerBytes))
        }
        let fileBytes = bytes.uint64(Field.fileBytes)
        guard fileBytes == UInt64(size), size >= HeapFileLayout.headerBytes else {
            throw .wrongSize(headerSays: fileBytes, is: size)
        }
    }

    private static func state(_ bytes: RawSpan) throws(HeapImageError) -> SamplerState {
        switch bytes.uint32(HeapFileLayout.Header.state) {
        case 0: throw .notReadyYet
        case 1: return .running
        case 2:
            let reason = bytes.uint32(HeapFileLayout.Header.stopReason)
            return .stopped(reason: reason == 1 ? "the process exited" : "reason \(reason)")
        case let other: throw .badHeader(field: "state", value: UInt64(other))
        }
    }

    private static func blindSpots(_ flags: UInt32) -> Set<BlindSpot> {
        typealias Flag = HeapFileLayout.Flag
        let named: [(UInt32, BlindSpot)] = [
            (Flag.otherAllocator, .otherAllocator), (Flag.cxxNewUnseen, .cxxNewUnseen), (Flag.forked, .forked),
        ]
        return Set(named.filter { flags & $0.0 != 0 }.map(\.1))
    }

    private static func counters(_ bytes: RawSpan) -> SamplerCounters {
        func counter(_ index: Int) -> UInt64 { bytes.uint64(HeapFileLayout.Header.counters + index * 8) }
        var counters = SamplerCounters()
        counters.samples = counter(0)
        counters.droppedSamples = counter(1)
        counters.droppedWeight = counter(2)
        counters.droppedStacks = counter(3)
        counters.cutStacks = counter(4)
        counters.stacksEndedEarly = counter(5)
        counters.droppedModules = counter(6)
        counters.passedUnsampled = counter(7)
        counters.forks = counter(8)
        counters.inherited = counter(9)
        counters.inheritedLost = counter(10)
        return counters
    }
}
