/// The lines around a generated section: HTML comments, which a reader does not see.
///
///     <!-- oakum:section timeline 0f3c5a7b9d1e2f40 -->
///     …
///     <!-- oakum:end timeline -->
///
/// The sixteen digits are the hash of the text in between as it was generated: where they do not fit, a person has edited it.
enum SectionMarker: Hashable, Sendable {
    case begin(id: String, hash: String)
    case end(id: String)

    /// Nil for any other line. A carriage return and blanks at the end do not count.
    init?(line: some Sequence<UInt8>) {
        guard line.starts(with: Self.opening) else { return nil }
        var bytes = Array(line)
        while let last = bytes.last, last == 0x20 || last == 0x09 || last == 0x0D { bytes.removeLast() }
        let words = bytes.split(separator: 0x20, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard words.count >= 4, words.first == "<!--", words.last == "-->", Self.isID(words[2]) else { return nil }
        switch (words[1], words.count) {
        case ("oakum:section", 5) where Self.isHash(words[3]): self = .begin(id: words[2], hash: words[3])
        case ("oakum:end", 4): self = .end(id: words[2])
        default: return nil
        }
    }

    private static let opening = Array("<!-- oakum:".utf8)

    var line: String {
        switch self {
        case .begin(let id, let hash): "<!-- oakum:section \(id) \(hash) -->"
        case .end(let id): "<!-- oakum:end \(id) -->"
        }
    }

    var id: String {
        switch self {
        case .begin(let id, _), .end(let id): id
        }
    }

    /// FNV-1a with 64 bits (RFC 9923): it has to notice edits, not attacks. A carriage return before a line feed does not count,
    /// so that a checkout with other line ends is no edit.
    static func hash(_ text: some Sequence<UInt8>) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        var hasReturn = false
        for byte in text {
            if hasReturn, byte != 0x0A { add(0x0D) }
            hasReturn = byte == 0x0D
            if !hasReturn { add(byte) }
        }
        if hasReturn { add(0x0D) }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func isID(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    }

    private static func isHash(_ text: String) -> Bool {
        text.utf8.count == 16 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
