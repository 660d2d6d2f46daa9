import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI
import OakumModel

/// `GET /api/v1/stream`: what was missed, then everything as it comes.
struct EventStream: Sendable {
    let plane: any ControlPlane
    let hub: StreamHub

    private static let headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
    /// Missed events are sent in rounds of this many, for at most `rounds` rounds.
    private static let round = 200
    private static let rounds = 5

    /// The first event wanted is the one after `Last-Event-ID` (a browser that reconnects) or the parameter `after`.
    func respond(to request: Request, channel: any Channel) throws -> Response {
        guard request.method != .head else { return Response(status: .ok, headers: Self.headers) }
        let lastEventID = HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }.flatMap { Int64($0) }
        let wanted = try lastEventID ?? QueryText.whole(request, "after")
        let subscription = try hub.join { channel.close(promise: nil) }
        let body = ResponseBody { writer in
            try await writer.write(EventStreamText.opening)
            var last = wanted
            if let wanted {
                last = try await catchUp(after: wanted, &writer)
            }
            subscription.listen()
            for await piece in subscription.pieces {
                // What happened between catching up and the hub's first look.
                if let hub = piece.eventsFollow, let known = last, known < hub {
                    last = try await catchUp(after: known, &writer)
                }
                if let id = piece.eventID {
                    if let known = last, id <= known { continue }
                    last = id
                }
                try await writer.write(piece.bytes)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: Self.headers, body: body)
    }

    /// Returns the number of the last event sent, or skipped with a resync.
    @concurrent
    private func catchUp(after wanted: Int64, _ writer: inout any ResponseBodyWriter) async throws -> Int64 {
        var last = wanted
        for _ in 0..<Self.rounds {
            let missed = try await plane.events(EventQuery(after: last, limit: Self.round))
            for record in missed {
                try await writer.write(try EventStreamText.event(record))
                last = record.id
            }
            if missed.count < Self.round { return last }
        }
        try await writer.write(EventStreamText.resync)
        return try await plane.events(EventQuery(after: nil, limit: 1)).last.map { max($0.id, last) } ?? last
    }
}
