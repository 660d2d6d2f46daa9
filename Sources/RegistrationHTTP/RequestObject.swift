/// A JSON object as a request brings it: its members in order, texts decoded, other values only recognised.
///
/// Strict (RFC 8259): one object and nothing after it, no byte order mark, no duplicate names, no lone surrogates, and
/// at most `maximumDepth` levels. Work and memory are proportional to the bytes given, which the caller bounds.
package struct RequestObject: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case text(String)
        case other
    }

    package static let maximumDepth = 16
    package private(set) var members: [(name: String, value: Value)] = []

    package init(parsing bytes: [UInt8]) throws(RequestObjectProblem) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .malformed }
        var reader = JSONReader(bytes: bytes)
        members = try reader.object()
    }

    package subscript(name: String) -> Value? {
        members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    package static func == (left: RequestObject, right: RequestObject) -> Bool {
        left.members.elementsEqual(right.members) { $0.name == $1.name && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        for member in members { hasher.combine(member.name) }
    }
}

/// The bytes are not one JSON object of the accepted kind.
package enum RequestObjectProblem: Error, Hashable, Sendable {
    case malformed
}

/// Reads over bytes that are known to be UTF-8.
private struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func object() throws(RequestObjectProblem) -> [(name: String, value: RequestObject.Value)] {
        var members: [(name: String, value: RequestObject.Value)] = []
        var names: Set<[UInt8]> = []
        skipSpace()
        try expect("{")
        skipSpace()
        if !take("}") {
            repeat {
                skipSpace()
                let name = try string()
                // By bytes: two spellings of one text are two names.
                guard names.insert(Array(name.utf8)).inserted else { throw .malformed }
                skipSpace()
                try expect(":")
                skipSpace()
                members.append((name, try value()))
                skipSpace()
            } while take(",")
            try expect("}")
        }
        skipSpace()
        guard position == bytes.count else { throw .malformed }
        return members
    }

    private mutating func value() throws(RequestObjectProblem) -> RequestObject.Value {
        if peek == UInt8(ascii: "\"") { return .text(try string()) }
        try skipValue(depth: 2)
        return .other
    }

    /// Recursion is bounded by `maximumDepth`.
    private mutating func skipValue(depth: Int) throws(RequestObjectProblem) {
        guard depth <= RequestObject.maximumDepth else { throw .malformed }
        switch peek {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"): try skipContainer(closing: "}", depth: depth, named: true)
        case UInt8(ascii: "["): try skipContainer(closing: "]", depth: depth, named: false)
        case UInt8(ascii: "t"): try expect("true")
        case UInt8(ascii: "f"): try expect("false")
        case UInt8(ascii: "n"): try expect("null")
        default: try skipNumber()
        }
    }

    private mutating func skipContainer(
        closing: StaticString, depth: Int, named: Bool
    ) throws(RequestObjectProblem) {
        position += 1
        skipSpace()
        if take(closing) { return }
        repeat {
            skipSpace()
            if named {
                _ = try string()
                skipSpace()
                try expect(":")
                skipSpace()
            }
            try skipValue(depth: depth + 1)
            skipSpace()
        } while take(",")
        try expect(closing)
    }

    private mutating func skipNumber() throws(RequestObjectProblem) {
        _ = take("-")
        if !take("0") { try skipDigits() }
        if take(".") { try skipDigits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(RequestObjectProblem) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw .malformed }
    }

    private mutating func string() throws(RequestObjectProblem) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += Array(String(try escape()).utf8)
            case 0..<0x20: throw .malformed
            default: text.append(byte)
            }
        }
        throw .malformed
    }

    private mutating func escape() throws(RequestObjectProblem) -> Unicode.Scalar {
        guard let byte = peek else { throw .malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw .malformed
        }
    }

    private mutating func unicodeEscape() throws(RequestObjectProblem) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // A surrogate: only a high one followed by a low one means something.
        guard first < 0xDC00, take("\\u") else { throw .malformed }
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw .malformed }
        return scalar
    }

    private mutating func hexadecimal() throws(RequestObjectProblem) -> UInt32 {
        guard position + 4 <= bytes.count else { throw .malformed }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
            default: throw .malformed
            }
        }
        position += 4
        return value
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        let found = text.withUTF8Buffer { bytes[position..<end].elementsEqual($0) }
        if found { position = end }
        return found
    }

    private mutating func expect(_ text: StaticString) throws(RequestObjectProblem) {
        guard take(text) else { throw .malformed }
    }
}
