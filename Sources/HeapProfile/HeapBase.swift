package import OakumModel

/// The live blocks of a heap at an earlier moment: what growth is measured from.
///
/// Kept beside the sampler's file, whose stacks keep their indices, so that a later image of the same file names them.
/// In bytes: a header of 72 and 40 a block, so some 80 KB a GiB of live memory at the usual rate.
package struct HeapBase: Hashable, Sendable {
    package private(set) var process: ProcessIdentity
    package private(set) var samplingSince: Uptime
    package private(set) var mode: SamplingMode
    package private(set) var meanBytes: UInt64
    /// When the blocks were alive.
    package private(set) var observed: Uptime
    package private(set) var live: [AllocationRecord]

    /// More blocks are not kept: 40 MB. A heap with so many samples has no base, and growth is then not told.
    package static let blockLimit = 1 << 20
    /// The largest that a base can be, in bytes.
    package static let byteLimit = Layout.header + blockLimit * Layout.block

    /// - Throws: `.tooManyBlocks`: sample less densely.
    package init(_ image: HeapImage) throws(HeapBaseError) {
        guard image.live.count <= Self.blockLimit else { throw .tooManyBlocks(image.live.count) }
        process = image.process.identity
        samplingSince = image.process.samplingSince
        mode = image.mode
        meanBytes = image.meanBytes
        observed = image.observed
        live = image.live
    }

    /// The earlier image, with the modules and stacks of a later one; nil when that one is of another process or program
    /// (exec keeps a process and begins its file anew), or is the earlier one.
    ///
    /// It knows nothing of blocks that were freed before: it is there to be compared with.
    package func image(before later: HeapImage) -> HeapImage? {
        guard later.process.identity == process, later.process.samplingSince == samplingSince, later.mode == mode,
            later.meanBytes == meanBytes, later.observed >= observed
        else { return nil }
        var earlier = later
        earlier.observed = observed
        earlier.freed = []
        earlier.counters = SamplerCounters()
        earlier.skipped = SkippedRecords()
        earlier.bytesInUse = nil
        earlier.live = live.map { record in
            var record = record
            if !later.stacks.indices.contains(record.stack) { record.stack = 0 }
            return record
        }
        return earlier
    }
}

/// Why there is no base in some bytes, or none can be made.
package enum HeapBaseError: Error, Hashable, Sendable, CustomStringConvertible {
    case notABase
    case otherVersion(UInt32)
    /// Cut off, or something was changed in it.
    case damaged
    case tooManyBlocks(Int)

    package var description: String {
        switch self {
        case .notABase: "it is no earlier moment of a heap"
        case .otherVersion(let version): "it was kept by another version of oakum (format \(version))"
        case .damaged: "it is damaged"
        case .tooManyBlocks(let count):
            "\(count) live samples are too many to keep (\(HeapBase.blockLimit)): sample less densely"
        }
    }
}

// MARK: - Bytes

extension HeapBase {
    /// Little-endian. Header: magic, version, mode, check, mean bytes, pid, reserved, start ticks, sampling since (seconds, as
    /// the bits of a double), observed (the same), blocks. The check stands behind the mode and is over the mode and all
    /// that follows it.
    /// Block: address, size, weight (bits of a double), birth, stack, thread.
    private enum Layout {
        /// "OAKBASE1" read as a little-endian word.
        static let magic: UInt64 = 0x3145_5341_424B_414F
        static let version: UInt32 = 1
        static let header = 72
        static let block = 40
    }

    private var modeCode: UInt32 { mode == .exact ? 2 : 1 }

    /// To be kept in a file.
    package func encoded() -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(Layout.header + live.count * Layout.block)
        body.append(word: meanBytes)
        body.append(half: UInt32(bitPattern: process.pid))
        body.append(half: 0)
        body.append(word: process.startTicks)
        body.append(word: samplingSince.seconds.bitPattern)
        body.append(word: observed.seconds.bitPattern)
        body.append(word: UInt64(live.count))
        for record in live {
            body.append(word: record.address)
            body.append(word: record.size)
            body.append(word: record.weight.bitPattern)
            body.append(word: record.bornNanoseconds)
            body.append(half: UInt32(clamping: record.stack))
            body.append(half: UInt32(bitPattern: record.thread))
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Layout.header + body.count)
        bytes.append(word: Layout.magic)
        bytes.append(half: Layout.version)
        bytes.append(half: modeCode)
        bytes.append(word: Self.check(body.span.bytes, from: 0, mode: modeCode))
        return bytes + body
    }

    /// Reads what `encoded` wrote. Whatever the bytes are: an error or a base whose figures are possible, no trap, and time
    /// and memory proportional to their number.
    package init(parsing bytes: [UInt8]) throws(HeapBaseError) {
        let span = bytes.span.bytes
        guard span.byteCount >= 12, span.uint64(0) == Layout.magic else { throw .notABase }
        guard span.uint32(8) == Layout.version else { throw .otherVersion(span.uint32(8)) }
        guard span.byteCount >= Layout.header, span.byteCount <= Self.byteLimit,
            (span.byteCount - Layout.header) % Layout.block == 0,
            span.uint64(64) == UInt64((span.byteCount - Layout.header) / Layout.block),
            span.uint64(16) == Self.check(span, from: 24, mode: span.uint32(12))
        else { throw .damaged }
        switch span.uint32(12) {
        case 1: mode = .sampled
        case 2: mode = .exact
        default: throw .damaged
        }
        meanBytes = span.uint64(24)
        process = ProcessIdentity(pid: Int32(bitPattern: span.uint32(32)), startTicks: span.uint64(40))
        samplingSince = try Self.time(span, 48)
        observed = try Self.time(span, 56)
        live = []
        live.reserveCapacity((span.byteCount - Layout.header) / Layout.block)
        for offset in stride(from: Layout.header, to: span.byteCount, by: Layout.block) {
            live.append(try Self.record(span, offset))
        }
    }

    private static func record(_ span: RawSpan, _ offset: Int) throws(HeapBaseError) -> AllocationRecord {
        let (size, weight) = (span.uint64(offset + 8), Double(bitPattern: span.uint64(offset + 16)))
        // No address space holds more; a sample stands for at least itself.
        guard size < 1 << 56, weight.isFinite, weight >= Double(size), weight < 0x1p64 else { throw .damaged }
        return AllocationRecord(
            address: span.uint64(offset), size: size, weight: weight, bornNanoseconds: span.uint64(offset + 24),
            thread: Int32(bitPattern: span.uint32(offset + 36)), stack: Int(span.uint32(offset + 32)))
    }

    private static func time(_ span: RawSpan, _ offset: Int) throws(HeapBaseError) -> Uptime {
        let seconds = Double(bitPattern: span.uint64(offset))
        guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { throw .damaged }
        return Uptime(seconds: seconds)
    }

    /// FNV-1a, 64 bits: finds accidents, not forgers, who may write here anyway.
    private static func check(_ span: RawSpan, from start: Int, mode: UInt32) -> UInt64 {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(mode)
        for offset in start..<span.byteCount { sum = (sum ^ UInt64(span.byte(offset))) &* 0x100_0000_01B3 }
        return sum
    }
}

extension [UInt8] {
    fileprivate mutating func append(word: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }

    fileprivate mutating func append(half: UInt32) {
        for shift in stride(from: 0, to: 32, by: 8) { append(UInt8(truncatingIfNeeded: half >> UInt32(shift))) }
    }
}
