/// Cuts a byte stream into frames: four bytes of length (little-endian), then that many bytes of body.
///
/// Bytes may come in any pieces. Memory follows what has come, never what a length announces, and is bounded by
/// `longestBody` and the piece that was added last: a longer frame is an error as soon as its length is known.
package struct FrameDecoder: Sendable {
    /// Longest body of one frame, in bytes: 64 services with long environments fit many times over.
    package static let longestBody = 1 << 20

    private var pending: [UInt8] = []
    private var start = 0

    package init() {}

    /// Bytes that wait for the rest of their frame.
    package var pendingBytes: Int { pending.count - start }

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            pending.removeFirst(min(start, pending.count))
            start = 0
        }
        pending.append(contentsOf: bytes)
    }

    /// The body of the next complete frame; nil when more bytes are needed. After an error the stream is lost.
    package mutating func next() throws(WireError) -> ArraySlice<UInt8>? {
        var header = WireReader(pending[start...])
        guard pendingBytes >= 4 else { return nil }
        let length = try header.integer(UInt32.self)
        guard length <= Self.longestBody else { throw .tooLong(length) }
        guard pendingBytes >= 4 + Int(length) else { return nil }
        let body = pending[(start + 4)..<(start + 4 + Int(length))]
        start += 4 + Int(length)
        return body
    }

    /// A frame around `body`; nil when the body is too long for one.
    static func frame(_ body: [UInt8]) -> [UInt8]? {
        guard body.count <= longestBody else { return nil }
        var writer = WireWriter()
        writer.put(integer: UInt32(truncatingIfNeeded: body.count))
        return writer.bytes + body
    }
}
