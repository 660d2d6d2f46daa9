/// Turns the bytes of a trace into accesses, piece by piece as they come.
///
/// Holds at most one line (1,024 bytes; a longer one is damage) or one number between two pieces.
package struct TraceDecoder {
    static let longestLine = 1_024
    /// One line of an ARC trace stands for so many accesses; more is damage, not a request.
    static let longestRun: UInt64 = 1 << 24

    private let format: TraceFormat
    private var rest: [UInt8] = []
    /// Lines begun, or bytes consumed.
    private var position = 0

    package init(format: TraceFormat) {
        self.format = format
    }

    /// Decodes the next bytes.
    /// - Parameter use: is told of every access, in order.
    /// - Throws: `TraceDamage` at the first place that is not as the format says; what came before was told.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer, _ use: (TraceAccess) -> Void
    ) throws(TraceDamage) {
        guard let width = format.width else { return try decodeLines(bytes, use) }
        var start = 0
        if !rest.isEmpty {
            start = min(width - rest.count, bytes.count)
            rest += bytes[..<start]
            guard rest.count == width else { return }
            rest.withUnsafeBytes { use(number($0, at: 0, width)) }
            rest.removeAll(keepingCapacity: true)
            position += width
        }
        while bytes.count - start >= width {
            use(number(bytes, at: start, width))
            start += width
            position += width
        }
        rest += bytes[start...]
    }

    /// Tells that there are no more bytes.
    /// - Throws: `TraceDamage` when the trace ends within an access.
    package mutating func finish(_ use: (TraceAccess) -> Void) throws(TraceDamage) {
        guard !rest.isEmpty else { return }
        if let width = format.width {
            throw TraceDamage(
                place: .offset(position), reason: "the file ends after \(rest.count) of the \(width) bytes of an access"
            )
        }
        let line = rest
        rest = []
        try line.withUnsafeBufferPointer { line throws(TraceDamage) in
            try decodeLine(UnsafeRawBufferPointer(line), use)
        }
    }

    private func number(_ bytes: UnsafeRawBufferPointer, at start: Int, _ width: Int) -> TraceAccess {
        if width == 8 {
            return TraceAccess(key: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)))
        }
        let raw = bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)
        return TraceAccess(
            key: UInt64(format == .cloudPhysics ? UInt32(littleEndian: raw) : UInt32(bigEndian: raw)))
    }

    // MARK: - Text

    private mutating func decodeLines(
        _ bytes: UnsafeRawBufferPointer, _ use: (TraceAccess) -> Void
    ) throws(TraceDamage) {
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if rest.isEmpty {
                try decodeLine(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), use)
            } else {
                var line: [UInt8] = []
                swap(&line, &rest)
                line += bytes[start..<end]
                try line.withUnsafeBufferPointer { line throws(TraceDamage) in
                    try decodeLine(UnsafeRawBufferPointer(line), use)
                }
            }
            start = end + 1
        }
        rest += bytes[start...]
        if rest.count > TraceDecoder.longestLine {
            throw TraceDamage(place: .line(position + 1), reason: "longer than \(TraceDecoder.longestLine) bytes")
        }
    }

    private mutating func decodeLine(
        _ bytes: UnsafeRawBufferPointer, _ use: (TraceAccess) -> Void
    ) throws(TraceDamage) {
        position += 1
        var line = TraceLine(bytes)
        if line.isBlank { return }
        switch format {
        case .arc:
            guard let start = line.number(), let count = line.number(), count <= TraceDecoder.longestRun,
                count <= UInt64.max - start
            else { throw damage("expected a start block and a number of blocks", bytes) }
            for key in start..<(start + count) { use(TraceAccess(key: key)) }
        case .lirs:
            if line.isMark { return }
            guard let block = line.number(), line.isBlank else { throw damage("expected one block number", bytes) }
            use(TraceAccess(key: block))
        case .adaptSize:
            guard line.skipWord(), let key = line.number(), let size = line.size() else {
                throw damage("expected a time, an id and a size", bytes)
            }
            use(TraceAccess(key: key, weight: size))
        case .libCacheSim:
            // The first line names the columns.
            if position == 1, line.startsWithLetter { return }
            guard line.skipWord(), line.skipWord(), line.skipWord(), let size = line.size(), let block = line.number()
            else { throw damage("expected version,time,op,size,lbn", bytes) }
            use(TraceAccess(key: block, weight: size))
        case .cache2k, .corda, .scarab, .cloudPhysics:
            break
        }
    }

    private func damage(_ reason: String, _ line: UnsafeRawBufferPointer) -> TraceDamage {
        let start = line.prefix(40).map { (0x20...0x7E).contains($0) ? Character(UnicodeScalar($0)) : "?" }
        return TraceDamage(place: .line(position), reason: "\(reason), found \"\(String(start))\"")
    }
}

/// The fields of one line, which blanks or commas part.
private struct TraceLine {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        skipSeparators()
    }

    var isBlank: Bool { position == bytes.count }
    var isMark: Bool { position < bytes.count && bytes[position] == UInt8(ascii: "*") }
    var startsWithLetter: Bool {
        position < bytes.count && (0x41...0x5A).contains(bytes[position] & 0xDF)
    }

    mutating func skipWord() -> Bool {
        let start = position
        while position < bytes.count, !isSeparator(bytes[position]) { position += 1 }
        let found = position > start
        skipSeparators()
        return found
    }

    /// An unsigned decimal number that fills its field.
    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(UInt64(bytes[position] - 0x30))
            guard !tooLarge, !overflow else { return nil }
            value = sum
            position += 1
        }
        guard position > start, position == bytes.count || isSeparator(bytes[position]) else { return nil }
        skipSeparators()
        return value
    }

    /// Bytes of a value: an empty one counts as one byte. Nil above 2^31.
    mutating func size() -> Int? {
        guard let size = number(), size < 1 << 31 else { return nil }
        return max(1, Int(size))
    }

    private mutating func skipSeparators() {
        while position < bytes.count, isSeparator(bytes[position]) { position += 1 }
    }

    /// Blanks, tabs, commas, and the carriage return of a file from elsewhere.
    private func isSeparator(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x2C || byte == 0x0D
    }
}
