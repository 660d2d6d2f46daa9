import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI
import OakumModel

/// Incidents, who is on call, and what people do, as JSON.
struct IncidentRoutes: Sendable {
    let parts: ResponseParts

    /// Lengths in characters, times in seconds. The longest text fits into a body even with every character escaped.
    static let titleLimit = 200
    static let textLimit = 4_000
    static let reasonLimit = 500
    static let nameLimit = 64
    static let silences = 60.0...30 * 86_400

    func add(to router: Router<OakumContext>) {
        addReading(to: router)
        router.post("/api/v1/incidents") { request, context in
            let body = try await RequestBody.members(request, known: ["title", "service", "severity", "details"])
            return try await act(
                .open(
                    title: try body.text("title", atMost: Self.titleLimit),
                    service: try body.optionalText("service", atMost: Self.nameLimit),
                    severity: try body.choice("severity", Severity.self) ?? .critical,
                    details: try body.optionalText("details", atMost: Self.textLimit)), context)
        }
        router.post("/api/v1/incidents/{id}/acknowledge") { request, context in
            _ = try await RequestBody.members(request, known: [])
            return try await act(.acknowledge(try Self.number(context)), context)
        }
        router.post("/api/v1/incidents/{id}/note") { request, context in
            let body = try await RequestBody.members(request, known: ["text"])
            return try await act(
                .note(try Self.number(context), try body.text("text", atMost: Self.textLimit)), context)
        }
        router.post("/api/v1/incidents/{id}/resolve") { request, context in
            let body = try await RequestBody.members(request, known: ["note"])
            return try await act(
                .resolve(try Self.number(context), try body.optionalText("note", atMost: Self.textLimit)), context)
        }
        router.post("/api/v1/incidents/{id}/silence") { request, context in
            let body = try await RequestBody.members(request, known: ["seconds", "reason"])
            let id = try Self.number(context)
            guard let seconds = try body.number("seconds", in: Self.silences) else {
                throw ControlError.invalid("seconds is missing: a silence always has an end")
            }
            let reason = try body.text("reason", atMost: Self.reasonLimit)
            return try await act(.silence(id, seconds: seconds, reason: reason), context)
        }
        router.delete("/api/v1/silences/{id}") { _, context in
            try await act(.endSilence(try Self.number(context)), context)
        }
        router.post("/api/v1/on-call/check") { request, context in
            let body = try await RequestBody.members(request, known: ["person"])
            return try await act(
                .check(person: try body.optionalText("person", atMost: Self.nameLimit)), context)
        }
        router.post("/api/v1/deploys") { request, context in
            let body = try await RequestBody.members(request, known: ["service", "text"])
            return try await act(
                .deploy(
                    service: try body.text("service", atMost: Self.nameLimit),
                    text: try body.text("text", atMost: Self.titleLimit)), context)
        }
    }

    private func addReading(to router: Router<OakumContext>) {
        router.get("/api/v1/incidents") { request, _ in
            let query = try Self.query(request)
            return try APIRoutes.json(try await parts.incidentPlane().incidents(query))
        }
        router.get("/api/v1/incidents/{id}") { _, context in
            let id = try Self.number(context)
            return try APIRoutes.json(try await parts.incidentPlane().incident(id))
        }
        router.get("/api/v1/on-call") { _, _ in
            try APIRoutes.json(try await parts.incidentPlane().onCall())
        }
    }

    /// Acts in the caller's name. 201 with its address for a new incident.
    private func act(_ act: IncidentAct, _ context: OakumContext) async throws -> Response {
        let outcome = try await Self.perform(act, parts, context)
        var response = try APIRoutes.json(outcome)
        if case .open = act, outcome.changed, let id = outcome.incident {
            response.status = .created
            response.headers[.location] = "/api/v1/incidents/\(id)"
        }
        return response
    }

    /// Acts in the caller's name, and tells the audit log what came of it.
    static func perform(
        _ act: IncidentAct, _ parts: ResponseParts, _ context: OakumContext
    ) async throws -> IncidentOutcome {
        guard let name = context.principal?.name else { throw HTTPFailure.unauthorized }
        let outcome = try await parts.incidentPlane().act(act, by: name)
        context.audit.tell(
            object: outcome.incident.map { "\($0)" }, words: outcome.changed ? nil : "unchanged: \(outcome.message)")
        return outcome
    }

    static func number(_ context: OakumContext) throws(ControlError) -> Int64 {
        guard let text = context.parameters.get("id"), text.utf8.count <= 18, let id = Int64(text), id > 0,
            String(id) == text
        else { throw .notFound("incidents and silences are named by their number, such as 12") }
        return id
    }

    static func query(_ request: Request) throws(ControlError) -> IncidentQuery {
        var query = IncidentQuery()
        for word in (QueryText.text(request, "state") ?? "").split(separator: ",") {
            guard let state = IncidentState(rawValue: String(word)) else {
                throw .invalid(
                    "state must be some of \(IncidentState.allCases.map(\.rawValue).joined(separator: ",")), joined by commas"
                )
            }
            query.states.insert(state)
        }
        query.service = QueryText.text(request, "service")
        query.before = try QueryText.whole(request, "before")
        if let limit = try QueryText.whole(request, "limit") {
            guard (1...200).contains(limit) else { throw .invalid("limit must be in 1...200") }
            query.limit = Int(limit)
        }
        return query
    }
}
