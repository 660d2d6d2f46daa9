/// Writes the protocol buffer wire format, as much of it as pprof needs. Fields without a value are left out, as proto3
/// does.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(_ other: ProtobufWriter) {
        bytes += other.bytes
    }

    mutating func number(_ field: Int, _ value: UInt64) {
        guard value != 0 else { return }
        varint(UInt64(field) << 3)
        varint(value)
    }

    mutating func number(_ field: Int, _ value: Int64) {
        number(field, UInt64(bitPattern: value))
    }

    mutating func flag(_ field: Int, _ value: Bool) {
        number(field, UInt64(value ? 1 : 0))
    }

    mutating func text(_ field: Int, _ text: String) {
        message(field, Array(text.utf8))
    }

    /// Written even when it is empty: an element of a repeated field.
    mutating func message(_ field: Int, _ content: [UInt8]) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(content.count))
        bytes += content
    }

    mutating func message(_ field: Int, _ fill: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        fill(&inner)
        message(field, inner.bytes)
    }

    mutating func packed(_ field: Int, _ values: [UInt64]) {
        guard !values.isEmpty else { return }
        message(field) { inner in
            for value in values { inner.varint(value) }
        }
    }
}
