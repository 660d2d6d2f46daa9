/// One word of a line, as templates compare it.
struct LineWord: Hashable, Sendable {
    /// Of the masked text; words are compared by this alone.
    var key: UInt64
    var text: String

    static let wildcardText = "<*>"
    static let wildcard = LineWord(key: 0, text: wildcardText)
    var isWildcard: Bool { key == 0 }
}

/// Cuts a line into words and masks what varies: every run of letters and digits with a digit in it (numbers, times,
/// addresses, identifiers), quoted values with such runs, mail addresses, and words longer than any prose.
///
/// `key=value` keeps its key and loses a value that varies. Bytes that are no printable ASCII are taken as letters, so
/// that text in other scripts stays; control bytes separate words like blanks. Never fails, whatever the bytes.
struct LineWords {
    private(set) var keys: [UInt64] = []
    /// Where each word lies in `bytes`.
    private(set) var ranges: [Range<Int>] = []
    /// Masked text of all words, one after the other.
    private var bytes: [UInt8] = []
    private let limits: MinerLimits

    init(_ limits: MinerLimits) {
        self.limits = limits
        keys.reserveCapacity(limits.words)
        ranges.reserveCapacity(limits.words)
        bytes.reserveCapacity(limits.lineBytes)
    }

    var count: Int { keys.count }

    /// Takes in a line; what was taken in before is gone.
    mutating func read(_ line: Span<UInt8>) {
        keys.removeAll(keepingCapacity: true)
        ranges.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        let end = min(line.count, limits.lineBytes)
        var position = 0
        while position < end {
            while position < end, Self.isBlank(line[position]) { position += 1 }
            let start = position
            while position < end, !Self.isBlank(line[position]) { position += 1 }
            guard position > start else { break }
            if keys.count == limits.words - 1 {
                append(wildcard: true, from: bytes.count)
                return
            }
            word(line, start..<position)
        }
    }

    func text(_ index: Int) -> String {
        keys[index] == 0 ? LineWord.wildcardText : String(decoding: bytes[ranges[index]], as: UTF8.self)
    }

    private mutating func word(_ line: Span<UInt8>, _ range: Range<Int>) {
        let start = bytes.count
        guard range.count <= limits.wordBytes else { return append(wildcard: true, from: start) }
        var position = range.lowerBound
        var constants = 0
        var isMail = false
        while position < range.upperBound {
            guard Self.isWordByte(line[position]) else {
                if line[position] == UInt8(ascii: "@") { isMail = true }
                bytes.append(line[position])
                position += 1
                continue
            }
            let runStart = position
            var hasDigit = false
            while position < range.upperBound, Self.isWordByte(line[position]) {
                hasDigit = hasDigit || Self.isDigit(line[position])
                position += 1
            }
            if hasDigit {
                mask(from: start)
            } else {
                for index in runStart..<position { bytes.append(line[index]) }
                constants += 1
            }
        }
        append(wildcard: isMail || constants == 0 && bytes[start...].contains(UInt8(ascii: "*")), from: start)
    }

    /// Writes `<*>`, once for what only marks of numbers and addresses join ("10:01:02.5", "127.0.0.1:80").
    private mutating func mask(from start: Int) {
        let mask: [UInt8] = [UInt8(ascii: "<"), UInt8(ascii: "*"), UInt8(ascii: ">")]
        var end = bytes.count
        while end > start, Self.isJoint(bytes[end - 1]) { end -= 1 }
        if end - start >= 3, bytes[(end - 3)..<end].elementsEqual(mask) {
            bytes.removeSubrange(end...)
        } else {
            bytes += mask
        }
    }

    private mutating func append(wildcard: Bool, from start: Int) {
        if wildcard { bytes.removeSubrange(start...) }
        var key: UInt64 = 0
        if !wildcard {
            // SipHash, seeded by the runtime: nobody outside can make two words collide on purpose.
            var hasher = Hasher()
            bytes[start...].withUnsafeBytes { hasher.combine(bytes: $0) }
            key = UInt64(bitPattern: Int64(hasher.finalize())) | 1
        }
        keys.append(key)
        ranges.append(start..<bytes.count)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0x7F }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte >= 0x80
    }

    /// `.` `,` `:` `-` `/` `+` `_`
    private static func isJoint(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x2E, 0x2C, 0x3A, 0x2D, 0x2F, 0x2B, 0x5F: true
        default: false
        }
    }
}
