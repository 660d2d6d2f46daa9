import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI
import OakumModel

/// The console's pages about incidents.
struct IncidentPageRoutes: Sendable {
    let plane: any ControlPlane
    let parts: ResponseParts

    /// Memory is shown from so many seconds before the first sign, and for at most so many in all.
    private static let before = 300.0
    private static let longest = 7 * 86_400.0

    func add(to router: Router<OakumContext>) {
        router.get("/incidents") { request, context in try await list(request, context) }
        router.get("/incidents/{id}") { request, context in try await show(request, context) }
        router.get("/on-call") { request, context in try await onCall(request, context) }
        router.post("/incidents") { request, context in
            let form = try await FormBody.read(request)
            guard let severity = Severity(rawValue: form["severity"] ?? "critical") else {
                throw ControlError.invalid("severity must be one of those in the list")
            }
            return try await act(context) { _ throws(ControlError) in
                .open(
                    title: try form.text("title", atMost: IncidentRoutes.titleLimit),
                    service: try form.optionalText("service", atMost: IncidentRoutes.nameLimit), severity: severity,
                    details: try form.optionalText("details", atMost: IncidentRoutes.textLimit))
            }
        }
        router.post("/incidents/{id}/acknowledge") { _, context in
            try await act(context) { id throws(ControlError) in .acknowledge(id) }
        }
        router.post("/incidents/{id}/note") { request, context in
            let form = try await FormBody.read(request)
            return try await act(context) { id throws(ControlError) in
                .note(id, try form.text("text", atMost: IncidentRoutes.textLimit))
            }
        }
        router.post("/incidents/{id}/resolve") { request, context in
            let form = try await FormBody.read(request)
            return try await act(context) { id throws(ControlError) in
                .resolve(id, try form.optionalText("note", atMost: IncidentRoutes.textLimit))
            }
        }
        router.post("/incidents/{id}/silence") { request, context in
            let form = try await FormBody.read(request)
            return try await act(context) { id throws(ControlError) in
                guard let seconds = form["seconds"].flatMap({ Double($0) }), IncidentRoutes.silences.contains(seconds)
                else {
                    throw .invalid("a silence lasts from a minute to 30 days")
                }
                return .silence(id, seconds: seconds, reason: try form.text("reason", atMost: IncidentRoutes.textLimit))
            }
        }
        router.post("/silences/{id}/end") { _, context in
            try await act(context, goTo: "/on-call") { id throws(ControlError) in .endSilence(id) }
        }
        router.post("/on-call/check") { request, context in
            let form = try await FormBody.read(request)
            let person = try form.optionalText("person", atMost: IncidentRoutes.nameLimit)
            return try await act(context, goTo: "/on-call", numbered: false) { _ throws(ControlError) in
                .check(person: person)
            }
        }
    }

    // MARK: - Reading

    private func list(_ request: Request, _ context: OakumContext) async throws -> Response {
        let query = try IncidentRoutes.query(request)
        let incidents = try await parts.incidentPlane().incidents(query)
        let navigation = await navigation(.incidents, context)
        return PageAnswer.html(
            IncidentListPage(
                incidents: incidents, query: query, now: parts.clock.now().wall, navigation: navigation,
                mayAct: Self.mayAct(context)
            ).markup)
    }

    private func show(_ request: Request, _ context: OakumContext) async throws -> Response {
        let report = try await parts.incidentPlane().incident(try IncidentRoutes.number(context))
        let now = parts.clock.now().wall
        let navigation = await navigation(.none, context)
        return PageAnswer.html(
            IncidentPage(
                report: report, history: await history(of: report.incident, now: now), now: now, navigation: navigation,
                mayAct: Self.mayAct(context), told: Self.told(request)
            ).markup)
    }

    private func onCall(_ request: Request, _ context: OakumContext) async throws -> Response {
        let report = try await parts.incidentPlane().onCall()
        return PageAnswer.html(
            OnCallPage(
                report: report, navigation: await navigation(.onCall, context), mayAct: Self.mayAct(context),
                told: Self.told(request)
            ).markup)
    }

    /// Nil when there is none; the page says the rest.
    private func history(of incident: Incident, now: WallTime) async -> History? {
        guard let service = incident.service else { return nil }
        let first = incident.milestones.leakOnset ?? incident.milestones.detected
        let seconds = Double(now.milliseconds - first.milliseconds) / 1000 + Self.before
        do {
            return try await plane.history(
                HistoryQuery(service: service, seconds: min(max(seconds, 600), Self.longest), points: 300))
        } catch {
            // A service of another system, or one that is no longer configured.
            return nil
        }
    }

    private func navigation(_ place: ConsoleNavigation.Place, _ context: OakumContext) async -> ConsoleNavigation {
        ConsoleNavigation(
            place: place, open: await ConsoleNavigation.openCount(parts), principal: context.principal)
    }

    /// Whether to offer forms: while the console is open to this machine, the guard finds out who presses the button.
    private static func mayAct(_ context: OakumContext) -> Bool {
        context.principal.map { $0.role.covers(.responder) || $0.evidence == .open } == true
    }

    /// Only words of our own: the address may come from anywhere.
    private static func told(_ request: Request) -> String? {
        switch QueryText.text(request, "did") {
        case "done": "Done."
        case "unchanged": "Nothing changed: it was so already."
        default: nil
        }
    }

    // MARK: - Acting

    private func act(
        _ context: OakumContext, goTo address: String? = nil, numbered: Bool = true,
        _ make: (Int64) throws(ControlError) -> IncidentAct
    ) async throws -> Response {
        let id = numbered && context.parameters.get("id") != nil ? try IncidentRoutes.number(context) : 0
        let outcome = try await IncidentRoutes.perform(try make(id), parts, context)
        let incident = outcome.incident ?? id
        let page = address ?? (incident > 0 ? "/incidents/\(incident)" : "/incidents")
        return HTTPFailure.redirect(to: "\(page)?did=\(outcome.changed ? "done" : "unchanged")").response
    }
}

extension FormBody {
    func text(_ name: String, atMost limit: Int) throws(ControlError) -> String {
        guard let text = try optionalText(name, atMost: limit) else { throw .invalid("\(name) is missing") }
        return text
    }

    /// Nil when it is absent or blank.
    func optionalText(_ name: String, atMost limit: Int) throws(ControlError) -> String? {
        guard let text = self[name], text.contains(where: { !$0.isWhitespace }) else { return nil }
        guard text.unicodeScalars.count <= limit, !text.unicodeScalars.contains("\0") else {
            throw .invalid("\(name) has at most \(limit) characters")
        }
        return text
    }
}
