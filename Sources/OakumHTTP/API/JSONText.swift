// Foundation for the JSON coders alone: the standard library has none.
import FoundationEssentials
import NIOCore

/// How Oakum writes and reads JSON over HTTP.
enum JSONText {
    /// Numbers that JSON has no word for (an infinite forecast, say) become the strings "inf", "-inf" and "nan", so that
    /// one odd value never hides everything else.
    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return ByteBuffer(bytes: try encoder.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from buffer: ByteBuffer) throws -> Value {
        try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
    }
}
