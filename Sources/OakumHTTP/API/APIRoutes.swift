import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI
import OakumModel
import PrometheusText

/// What can be read, the same on console and control socket.
struct APIRoutes: Sendable {
    let plane: any ControlPlane
    let hub: StreamHub

    /// Ceilings of one answer; the control plane has its own.
    private static let maxPoints: Int64 = 10_000
    private static let maxEvents: Int64 = 1_000

    func add(to router: Router<OakumContext>) {
        router.get("/api/v1/overview") { _, _ in
            try Self.json(try await plane.overview())
        }
        router.get("/api/v1/history") { request, _ in
            try Self.json(try await plane.history(try Self.historyQuery(request)))
        }
        router.get("/api/v1/events") { request, _ in
            try Self.json(try await plane.events(try Self.eventQuery(request)))
        }
        router.get("/api/v1/releases") { request, _ in
            guard let service = QueryText.text(request, "service") else {
                throw ControlError.invalid("name a service: /api/v1/releases?service=NAME")
            }
            return try Self.json(try await plane.releases(of: service))
        }
        router.get("/api/v1/heap") { request, _ in
            try Self.json(try await plane.heap(try QueryText.heap(request)))
        }
        for form in HeapFileForm.allCases {
            router.get(RouterPath("/api/v1/heap.\(form.rawValue)")) { request, _ in
                let query = try QueryText.heap(request)
                var response = Self.answer(form.mediaType, ByteBuffer(bytes: try await plane.heapFile(query, as: form)))
                response.headers[.contentDisposition] = "attachment; filename=\"\(form.fileName(query))\""
                return response
            }
        }
        router.get("/api/v1/stream") { request, context in
            try EventStream(plane: plane, hub: hub).respond(to: request, channel: context.channel)
        }
        router.get("/metrics") { _, _ in
            let text = MetricsText.write(try await plane.overview(), streams: hub.readerCount)
            return Self.answer(PrometheusText.contentType, ByteBuffer(string: text))
        }
        router.get("/healthz") { _, _ in
            _ = try await plane.overview()
            return Self.answer("text/plain; charset=utf-8", ByteBuffer(string: "ok\n"))
        }
    }

    /// `POST /api/v1/commands`, for the control socket alone.
    func addCommands(to router: Router<OakumContext>) {
        router.post("/api/v1/commands") { request, context in
            let body = try await RequestBody.whole(request)
            let command: ControlCommand
            do {
                command = try JSONText.decode(ControlCommand.self, from: body)
            } catch {
                throw ControlError.invalid(
                    #"the body must be a command such as {"command":"recycle","service":"web","worker":3}"#)
            }
            context.audit.tell(object: command.words)
            return try Self.json(try await plane.perform(command))
        }
    }

    static func answer(_ type: String, _ body: ByteBuffer) -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-store"], body: ResponseBody(byteBuffer: body))
    }

    static func json(_ value: some Encodable) throws -> Response {
        answer("application/json", try JSONText.encode(value))
    }

    private static func historyQuery(_ request: Request) throws(ControlError) -> HistoryQuery {
        guard let service = QueryText.text(request, "service") else {
            throw .invalid("name a service: /api/v1/history?service=NAME")
        }
        var query = HistoryQuery(service: service)
        query.seconds = try QueryText.number(request, "seconds") ?? query.seconds
        if let points = try QueryText.whole(request, "points") {
            guard points >= 2, points <= maxPoints else { throw .invalid("points must be in 2...\(maxPoints)") }
            query.points = Int(points)
        }
        return query
    }

    private static func eventQuery(_ request: Request) throws(ControlError) -> EventQuery {
        var query = EventQuery(after: try QueryText.whole(request, "after"))
        if let limit = try QueryText.whole(request, "limit") {
            guard limit >= 1, limit <= maxEvents else { throw .invalid("limit must be in 1...\(maxEvents)") }
            query.limit = Int(limit)
        }
        return query
    }
}

extension HeapFileForm {
    fileprivate var mediaType: String {
        switch self {
        case .pprof: "application/octet-stream"
        case .folded: "text/plain; charset=utf-8"
        }
    }

    /// Of letters, digits, dots and dashes, whatever the service is called.
    fileprivate func fileName(_ query: HeapQuery) -> String {
        let service = query.service.prefix(64).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return "\(String(service))-\(query.worker).\(self == .pprof ? "heap.pb" : "folded.txt")"
    }
}

extension ControlCommand {
    /// For the audit log.
    fileprivate var words: String {
        switch self {
        case .recycle(let service, let worker): "recycle \(service)" + (worker.map { "/\($0)" } ?? "")
        case .pause(let paused): paused ? "pause" : "pause --off"
        case .markDeploy(let service, let text): "mark-deploy \(service ?? "every service") \(text)"
        case .deploy(let request): "deploy \(request.service) \(request.artefact)"
        case .rollback(let service, let release, _): "rollback \(service)" + (release.map { " \($0)" } ?? "")
        case .down: "down"
        }
    }
}
