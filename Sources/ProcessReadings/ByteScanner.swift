/// Reads numbers and words out of the text files of procfs and cgroupfs, without making strings of them.
///
/// The bytes are passed to every call, so that nothing is copied. Every reader answers nil instead of a guess: at the
/// end, at an unexpected byte, and when a number does not fit.
struct ByteScanner {
    private(set) var position = 0

    init(at position: Int = 0) {
        self.position = position
    }

    func isAtEnd(_ bytes: Span<UInt8>) -> Bool { position >= bytes.count }

    /// Steps over spaces and tabs.
    mutating func skipBlanks(_ bytes: Span<UInt8>) {
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
    }

    /// Steps behind the next line end, or to the end.
    mutating func skipLine(_ bytes: Span<UInt8>) {
        while position < bytes.count, bytes[position] != 0x0A { position += 1 }
        if position < bytes.count { position += 1 }
    }

    /// Steps over blanks and the field after them; false when there is none in this line.
    mutating func skipField(_ bytes: Span<UInt8>) -> Bool {
        skipBlanks(bytes)
        let start = position
        while position < bytes.count, bytes[position] > 0x20 { position += 1 }
        return position > start
    }

    /// Steps over `word` when it comes next.
    mutating func take(_ word: StaticString, _ bytes: Span<UInt8>) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        let matches = word.withUTF8Buffer { expected in
            (0..<count).allSatisfy { bytes[position + $0] == expected[$0] }
        }
        if matches { position += count }
        return matches
    }

    /// Blanks, then an unsigned decimal number that ends with a byte which is no digit.
    mutating func number(_ bytes: Span<UInt8>) -> UInt64? {
        skipBlanks(bytes)
        let start = position
        var value: UInt64 = 0
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(UInt64(bytes[position] - 0x30))
            guard !tooLarge, !overflow else { return nil }
            value = sum
            position += 1
        }
        return position > start ? value : nil
    }

    /// An unsigned decimal number with an optional fraction: "12", "0.25".
    mutating func decimal(_ bytes: Span<UInt8>) -> Double? {
        guard let whole = number(bytes) else { return nil }
        guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else { return Double(whole) }
        position += 1
        let start = position
        guard let fraction = number(bytes), position - start <= 15 else { return nil }
        var scale = 1.0
        for _ in start..<position { scale *= 10 }
        return Double(whole) + Double(fraction) / scale
    }
}
