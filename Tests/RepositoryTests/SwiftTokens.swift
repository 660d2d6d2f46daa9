/// A Swift file as tokens: enough of the language to tell code from comments and text, and to follow braces.
struct SwiftTokens {
    struct Token {
        /// An identifier or number, one punctuation character, or `"` for a piece of literal text.
        var text: String
        var line: Int
    }

    private(set) var tokens: [Token] = []
    /// Lines that hold a comment or a part of one; the first line is 1.
    private(set) var commentLines: Set<Int> = []

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ text: String) {
        bytes = Array(text.utf8)
        scan(untilClosingParenthesis: false)
    }

    /// Whether a comment stands on this line or the one before.
    func isExplained(_ line: Int) -> Bool {
        commentLines.contains(line) || commentLines.contains(line - 1)
    }

    /// Whether the tokens from `index` on are these.
    func matches(_ expected: [String], at index: Int) -> Bool {
        guard index + expected.count <= tokens.count else { return false }
        return expected.indices.allSatisfy { tokens[index + $0].text == expected[$0] }
    }

    /// Where these tokens stand one after the other.
    func occurrences(of expected: [String]) -> [Int] {
        tokens.indices.filter { matches(expected, at: $0) }
    }

    private func byte(_ offset: Int = 0) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private mutating func advance() {
        if bytes[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    private mutating func scan(untilClosingParenthesis: Bool) {
        var depth = 0
        while let current = byte() {
            switch current {
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"): skipLineComment()
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"): skipBlockComment()
            case UInt8(ascii: "\""): skipText(hashes: 0)
            case UInt8(ascii: "#") where hashesBeforeQuote() > 0: skipText(hashes: hashesBeforeQuote())
            case UInt8(ascii: "`"): readRawIdentifier()
            case _ where isIdentifier(current): readIdentifier()
            default:
                if current == UInt8(ascii: "(") { depth += 1 }
                if current == UInt8(ascii: ")") {
                    depth -= 1
                    if untilClosingParenthesis, depth < 0 { return advance() }
                }
                if current > 32 { tokens.append(Token(text: String(UnicodeScalar(current)), line: line)) }
                advance()
            }
        }
    }

    private func isIdentifier(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...255:
            true
        default: false
        }
    }

    private mutating func readIdentifier() {
        let start = position
        while let current = byte(), isIdentifier(current) { advance() }
        tokens.append(Token(text: String(decoding: bytes[start..<position], as: UTF8.self), line: line))
    }

    private mutating func readRawIdentifier() {
        advance()
        let start = position
        while let current = byte(), current != UInt8(ascii: "`") { advance() }
        tokens.append(Token(text: String(decoding: bytes[start..<position], as: UTF8.self), line: line))
        if byte() != nil { advance() }
    }

    private mutating func skipLineComment() {
        commentLines.insert(line)
        while let current = byte(), current != UInt8(ascii: "\n") { advance() }
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            commentLines.insert(line)
            if byte() == UInt8(ascii: "/"), byte(1) == UInt8(ascii: "*") {
                depth += 1
                advance()
            } else if byte() == UInt8(ascii: "*"), byte(1) == UInt8(ascii: "/") {
                depth -= 1
                advance()
            }
            if byte() != nil { advance() }
        } while depth > 0 && byte() != nil
    }

    /// How many `#` stand here, when a quote follows them.
    private func hashesBeforeQuote() -> Int {
        var count = 0
        while byte(count) == UInt8(ascii: "#") { count += 1 }
        return byte(count) == UInt8(ascii: "\"") ? count : 0
    }

    private func hasHashes(_ count: Int, at offset: Int) -> Bool {
        (0..<count).allSatisfy { byte(offset + $0) == UInt8(ascii: "#") }
    }

    private mutating func skipText(hashes: Int) {
        tokens.append(Token(text: "\"", line: line))
        for _ in 0..<hashes { advance() }
        let quotes = byte(1) == UInt8(ascii: "\"") && byte(2) == UInt8(ascii: "\"") ? 3 : 1
        for _ in 0..<quotes { advance() }
        while let current = byte() {
            if current == UInt8(ascii: "\\"), hasHashes(hashes, at: 1) {
                for _ in 0...hashes { advance() }
                guard let escaped = byte() else { return }
                advance()
                if escaped == UInt8(ascii: "(") { scan(untilClosingParenthesis: true) }
            } else if (0..<quotes).allSatisfy({ byte($0) == UInt8(ascii: "\"") }), hasHashes(hashes, at: quotes) {
                for _ in 0..<(quotes + hashes) { advance() }
                return
            } else {
                advance()
            }
        }
    }
}
