/// A JSON text as a tree: for what others send, whose shape is only partly known.
///
/// Strict as to the grammar (RFC 8259) and to UTF-8; bounded in depth and in the number of values. Of members with one
/// name the last counts; half a surrogate pair becomes U+FFFD. Work and memory are proportional to the bytes, which the
/// caller bounds.
package enum JSONNode: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONNode])
    case object([String: JSONNode])

    /// Deeper texts are refused.
    package static let maxDepth = 32
    /// Texts with more values are refused.
    package static let maxValues = 200_000

    /// What is wrong, and after how many bytes.
    package struct Malformed: Error, Hashable, Sendable {
        package var what: String
        package var at: Int
    }

    package init(parsing bytes: [UInt8]) throws(Malformed) {
        // Checked as a whole, so that later parts of it can be taken for text.
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Malformed(what: "it is not UTF-8", at: 0) }
        var reader = JSONNodeReader(bytes: bytes)
        self = try reader.document()
    }

    package subscript(_ name: String) -> JSONNode? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var number: Double? { if case .number(let value) = self { value } else { nil } }
    package var array: [JSONNode]? { if case .array(let items) = self { items } else { nil } }
    package var object: [String: JSONNode]? { if case .object(let members) = self { members } else { nil } }

    /// Texts as they are, numbers and truth values as JSON writes them; nil for the rest.
    package var words: String? {
        switch self {
        case .string(let text): text
        case .number(let value): Int64(exactly: value).map { "\($0)" } ?? "\(value)"
        case .bool(let value): value ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}

/// Reads over bytes that are known to be UTF-8.
private struct JSONNodeReader {
    private let bytes: [UInt8]
    private var position = 0
    private var values = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(JSONNode.Malformed) -> JSONNode {
        skipSpace()
        let node = try value(depth: 1)
        skipSpace()
        guard position == bytes.count else { throw wrong("something follows the value") }
        return node
    }

    /// Recursion is bounded by `maxDepth`.
    private mutating func value(depth: Int) throws(JSONNode.Malformed) -> JSONNode {
        values += 1
        guard depth <= JSONNode.maxDepth else { throw wrong("it is nested too deeply") }
        guard values <= JSONNode.maxValues else { throw wrong("it has too many values") }
        switch peek {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return .object(try members(depth: depth))
        case UInt8(ascii: "["): return .array(try items(depth: depth))
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func members(depth: Int) throws(JSONNode.Malformed) -> [String: JSONNode] {
        var members: [String: JSONNode] = [:]
        position += 1
        skipSpace()
        if take("}") { return members }
        repeat {
            skipSpace()
            let name = try string()
            skipSpace()
            try expect(":")
            skipSpace()
            members[name] = try value(depth: depth + 1)
            skipSpace()
        } while take(",")
        try expect("}")
        return members
    }

    private mutating func items(depth: Int) throws(JSONNode.Malformed) -> [JSONNode] {
        var items: [JSONNode] = []
        position += 1
        skipSpace()
        if take("]") { return items }
        repeat {
            skipSpace()
            items.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        try expect("]")
        return items
    }

    private mutating func word(_ text: StaticString, _ node: JSONNode) throws(JSONNode.Malformed) -> JSONNode {
        try expect(text)
        return node
    }

    private mutating func number() throws(JSONNode.Malformed) -> Double {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        // The grammar was checked; a number beyond Double's range becomes infinite, which JSON has no word for.
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite else {
            throw wrong("a number is out of range")
        }
        return value
    }

    private mutating func digits() throws(JSONNode.Malformed) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw wrong("a value was expected") }
    }

    private mutating func string() throws(JSONNode.Malformed) -> String {
        try expect("\"")
        var start = position
        var text = ""
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                text += String(decoding: bytes[start..<position], as: UTF8.self)
                position += 1
                return text
            case UInt8(ascii: "\\"):
                text += String(decoding: bytes[start..<position], as: UTF8.self)
                position += 1
                text.unicodeScalars.append(try escape())
                start = position
            case 0..<0x20: throw wrong("a text holds a control character")
            default: position += 1
            }
        }
        throw wrong("a text has no end")
    }

    private mutating func escape() throws(JSONNode.Malformed) -> Unicode.Scalar {
        guard let byte = peek else { throw wrong("a text has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw wrong("an escape is not known")
        }
    }

    private mutating func unicodeEscape() throws(JSONNode.Malformed) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        let rest = position
        guard first < 0xDC00, take("\\u") else { return "\u{FFFD}" }
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else {
            // Not its other half: it stands for itself.
            position = rest
            return "\u{FFFD}"
        }
        return scalar
    }

    private mutating func hexadecimal() throws(JSONNode.Malformed) -> UInt32 {
        guard position + 4 <= bytes.count else { throw wrong("an escape is cut off") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
            default: throw wrong("an escape is not hexadecimal")
            }
        }
        position += 4
        return value
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        let found = text.withUTF8Buffer { bytes[position..<end].elementsEqual($0) }
        if found { position = end }
        return found
    }

    private mutating func expect(_ text: StaticString) throws(JSONNode.Malformed) {
        guard take(text) else { throw wrong("\(text) was expected") }
    }

    private func wrong(_ what: String) -> JSONNode.Malformed {
        JSONNode.Malformed(what: what, at: position)
    }
}
