import NIOCore
import OakumAPI
import OakumModel

/// Server-sent events as the HTML standard has them ("Server-sent events", 9.2.6): `event`, `id` and `data` lines.
enum EventStreamText {
    /// How long a browser waits before it reconnects.
    static let opening = ByteBuffer(string: "retry: 2000\n\n")

    /// Sent when more events were missed than are sent again: the reader starts afresh from `/api/v1/events`.
    static let resync = ByteBuffer(string: "event: resync\ndata: {}\n\n")

    static func overview(_ overview: Overview) throws -> ByteBuffer {
        try message("overview", id: nil, overview)
    }

    static func event(_ record: EventRecord) throws -> ByteBuffer {
        try message("event", id: record.id, record)
    }

    /// Oakum is there, but its answer is not.
    static func trouble(_ error: ControlError) -> ByteBuffer {
        do {
            return try message("trouble", id: nil, Problem(error))
        } catch {
            // Plain strings always encode; a comment keeps the stream alive all the same.
            return ByteBuffer(string: ": trouble\n\n")
        }
    }

    private static func message(_ name: String, id: Int64?, _ value: some Encodable) throws -> ByteBuffer {
        let json = try JSONText.encode(value)
        var text = ByteBuffer()
        text.reserveCapacity(json.readableBytes + 64)
        if let id {
            text.writeString("id: \(id)\n")
        }
        text.writeString("event: \(name)\ndata: ")
        text.writeImmutableBuffer(json)
        text.writeString("\n\n")
        return text
    }
}
