import OakumEngine

/// Where a growing file has been read to. Pure: says what to read next, takes what was read, gives whole lines.
///
/// The keeper empties a log that is over its cap (what was in it stays in a second file), and somebody may move one
/// away: both are noticed, the first also when the file has grown beyond the old place meanwhile, by the bytes before it.
/// Holds at most one unfinished line.
struct LogCursor {
    /// What to read; the bytes go to `take`.
    struct Stretch: Hashable {
        var offset: Int64
        var count: Int
    }

    private static let overlap = 16

    private var file: UInt64?
    private var offset: Int64 = 0
    /// What stands right before `offset`: other bytes there mean that the file was emptied and written anew.
    private var before: [UInt8] = []
    private var unfinished: [UInt8] = []
    /// In the middle of a line of which nothing more is wanted.
    private var skipsLine = false
    /// Bytes that were not read since the last `takeSkipped`.
    private var skipped: Int64 = 0
    private let startsAtEnd: Bool

    /// - Parameter startsAtEnd: what is in the file at the first look is left out.
    init(startsAtEnd: Bool) {
        self.startsAtEnd = startsAtEnd
    }

    mutating func takeSkipped() -> Int64 {
        defer { skipped = 0 }
        return skipped
    }

    /// What to read of a file of this size; nil: nothing is new.
    ///
    /// - Parameters:
    ///   - file: its inode.
    ///   - limit: new bytes at most, above 0.
    mutating func next(file: UInt64, size: Int64, limit: Int) -> Stretch? {
        if self.file == nil, startsAtEnd {
            // The last byte tells whether a line begins after it.
            jump(to: max(0, size - 1))
            skipped = 0
        } else if self.file != file || size < offset {
            begin()
        }
        self.file = file
        if size - offset > Int64(limit) { jump(to: size - Int64(limit)) }
        guard size > offset else { return nil }
        return Stretch(offset: offset - Int64(before.count), count: before.count + Int(size - offset))
    }

    /// Takes what was read of the stretch asked for, which may be less than asked. Returns whole lines, each with its line
    /// feed; empty when there is none yet.
    mutating func take(_ read: [UInt8]) -> [UInt8] {
        guard read.starts(with: before) else {
            // Emptied between two looks: the next one begins at its begin.
            begin()
            return []
        }
        let new = read[before.count...]
        guard !new.isEmpty else { return [] }
        offset += Int64(new.count)
        before = read.suffix(Self.overlap)
        return lines(new)
    }

    private mutating func begin() {
        offset = 0
        before = []
        unfinished = []
        skipsLine = false
    }

    /// Goes on at a place that is likely in the middle of a line.
    private mutating func jump(to place: Int64) {
        skipped += max(0, place - offset)
        offset = place
        before = []
        unfinished = []
        skipsLine = place > 0
    }

    private mutating func lines(_ new: ArraySlice<UInt8>) -> [UInt8] {
        var rest = new
        var result: [UInt8] = []
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let part = rest[rest.startIndex..<(end ?? rest.endIndex)]
            rest = end.map { rest[($0 + 1)...] } ?? []
            if !skipsLine {
                unfinished += part.prefix(LogLimits.ofOneLine - unfinished.count)
                // The rest of a line that is too long is not wanted.
                if end != nil || unfinished.count >= LogLimits.ofOneLine { finish(&result) }
                if end == nil, unfinished.isEmpty, !part.isEmpty { skipsLine = true }
            }
            if end != nil { skipsLine = false }
        }
        return result
    }

    private mutating func finish(_ result: inout [UInt8]) {
        result += unfinished
        result.append(UInt8(ascii: "\n"))
        unfinished = []
    }
}
