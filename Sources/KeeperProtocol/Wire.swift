/// Why bytes are no message of ours. The connection they came from is of no further use.
package enum WireError: Error, Hashable, Sendable {
    /// The bytes end before the message does.
    case truncated
    /// A text is not UTF-8.
    case notText
    /// A number that stands for a choice names none we know.
    case unknownChoice(UInt8)
    /// The frame announces more than `FrameDecoder.longestBody` bytes.
    case tooLong(UInt32)
    /// A message of a kind that this version does not know.
    case unknownMessage(UInt8)
}

/// Writes the little-endian fields of one message.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ value: UInt8) {
        bytes.append(value)
    }

    mutating func put<Value: FixedWidthInteger>(integer value: Value) {
        var rest = value
        for _ in 0..<(Value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = Value.bitWidth > 8 ? rest >> 8 : 0
        }
    }

    mutating func put(_ value: Bool) {
        put(value ? 1 : 0 as UInt8)
    }

    mutating func put(_ text: String) {
        let utf8 = Array(text.utf8)
        put(integer: UInt32(truncatingIfNeeded: utf8.count))
        bytes.append(contentsOf: utf8)
    }

    mutating func put<Element>(list: [Element], _ putElement: (inout WireWriter, Element) -> Void) {
        put(integer: UInt32(truncatingIfNeeded: list.count))
        for element in list { putElement(&self, element) }
    }

    mutating func put<Value>(optional value: Value?, _ putValue: (inout WireWriter, Value) -> Void) {
        put(value != nil)
        if let value { putValue(&self, value) }
    }
}

/// Reads the fields of one message. Every read is checked against what is left; nothing is allocated by announcement,
/// only by what has really come.
struct WireReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    mutating func byte() throws(WireError) -> UInt8 {
        guard let first = rest.popFirst() else { throw .truncated }
        return first
    }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(WireError) -> Value {
        var value: Value = 0
        for index in 0..<(Value.bitWidth / 8) {
            value |= Value(truncatingIfNeeded: try byte()) << (8 * index)
        }
        return value
    }

    mutating func bool() throws(WireError) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        case let other: throw .unknownChoice(other)
        }
    }

    mutating func text() throws(WireError) -> String {
        let count = Int(try integer(UInt32.self))
        guard count <= rest.count else { throw .truncated }
        guard let text = String(validating: rest.prefix(count), as: UTF8.self) else { throw .notText }
        rest = rest.dropFirst(count)
        return text
    }

    /// A list whose elements take at least one byte each, so that its length is bounded by the bytes that are left.
    mutating func list<Element>(
        _ readElement: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = Int(try integer(UInt32.self))
        guard count <= rest.count else { throw .truncated }
        var list: [Element] = []
        for _ in 0..<count { list.append(try readElement(&self)) }
        return list
    }

    mutating func optional<Value>(
        _ readValue: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        guard try bool() else { return nil }
        return try readValue(&self)
    }
}
