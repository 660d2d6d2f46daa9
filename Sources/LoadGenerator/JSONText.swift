/// Finds one value in JSON text without building the rest (RFC 8259). Nesting at most 64 deep.
///
/// No Foundation in this ring, and only one token of an answer is ever wanted.
enum JSONText {
    /// The string or number at `path` (object keys and array positions joined by dots), a string unescaped; nil when it
    /// is not there, is something else, or the text before it is no JSON.
    static func scalar(at path: String, in bytes: [UInt8]) -> [UInt8]? {
        scanner(at: path, in: bytes)?.scalar()
    }

    /// The same for `true`, `false` and `null` too.
    static func word(at path: String, in bytes: [UInt8]) -> [UInt8]? {
        scanner(at: path, in: bytes)?.word()
    }

    private static func scanner(at path: String, in bytes: [UInt8]) -> Scanner? {
        var scanner = Scanner(bytes: bytes)
        for key in path.split(separator: ".") {
            guard scanner.enter(Array(key.utf8)) else { return nil }
        }
        return scanner
    }
}

private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    private static let depthLimit = 64

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard current == byte else { return false }
        position += 1
        return true
    }

    /// Moves to the value of a key, or of a position when an array begins here.
    mutating func enter(_ key: [UInt8]) -> Bool {
        skipSpace()
        guard current == UInt8(ascii: "["), key.count <= 6, let position = Int(String(decoding: key, as: UTF8.self))
        else { return enterValue(of: key) }
        return enterElement(position)
    }

    private mutating func enterElement(_ number: Int) -> Bool {
        guard number >= 0, take(UInt8(ascii: "[")) else { return false }
        for _ in 0..<number { guard skipValue(), take(UInt8(ascii: ",")) else { return false } }
        skipSpace()
        return current != UInt8(ascii: "]")
    }

    /// Moves to the value of `key` in the object that begins here; the first one when the key is there twice.
    mutating func enterValue(of key: [UInt8]) -> Bool {
        guard take(UInt8(ascii: "{")) else { return false }
        while true {
            guard let name = string(), take(UInt8(ascii: ":")) else { return false }
            if name == key { return true }
            guard skipValue(), take(UInt8(ascii: ",")) else { return false }
        }
    }

    func word() -> [UInt8]? {
        var copy = self
        if let scalar = copy.takeScalar() { return scalar }
        for word in ["true", "false", "null"] where bytes[copy.position...].starts(with: word.utf8) {
            return Array(word.utf8)
        }
        return nil
    }

    func scalar() -> [UInt8]? {
        var copy = self
        return copy.takeScalar()
    }

    private mutating func takeScalar() -> [UInt8]? {
        skipSpace()
        if current == UInt8(ascii: "\"") { return string() }
        return number()
    }

    mutating func number() -> [UInt8]? {
        let start = position
        while let byte = current, isNumberByte(byte) { position += 1 }
        guard position > start, bytes[start] != UInt8(ascii: "+"), bytes[start] != UInt8(ascii: ".") else { return nil }
        return Array(bytes[start..<position])
    }

    private func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// A string with its escapes resolved.
    mutating func string() -> [UInt8]? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"): guard appendEscape(to: &text) else { return nil }
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func appendEscape(to text: inout [UInt8]) -> Bool {
        guard let byte = current else { return false }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = escapedScalar() else { return false }
            text.append(contentsOf: String(scalar).utf8)
        default: return false
        }
        return true
    }

    private mutating func escapedScalar() -> Unicode.Scalar? {
        guard let first = hexQuad() else { return nil }
        guard (0xd800..<0xdc00).contains(first) else { return Unicode.Scalar(first) }
        guard current == UInt8(ascii: "\\") else { return nil }
        position += 1
        guard current == UInt8(ascii: "u") else { return nil }
        position += 1
        guard let second = hexQuad(), (0xdc00..<0xe000).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    }

    private mutating func hexQuad() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        position += 4
        return UInt32(digits, radix: 16)
    }

    /// Skips one value of any kind, without recursion.
    private mutating func skipValue() -> Bool {
        var closers: [UInt8] = []
        repeat {
            skipSpace()
            guard let byte = current else { return false }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard closers.count < Self.depthLimit else { return false }
                closers.append(byte + 2)
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard closers.popLast() == byte else { return false }
                position += 1
            case UInt8(ascii: "\""):
                guard string() != nil else { return false }
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard !closers.isEmpty else { return false }
                position += 1
            default:
                guard skipWord() else { return false }
            }
        } while !closers.isEmpty
        return true
    }

    /// true, false, null, or a number.
    private mutating func skipWord() -> Bool {
        let start = position
        while let byte = current, isNumberByte(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) {
            position += 1
        }
        return position > start
    }
}
