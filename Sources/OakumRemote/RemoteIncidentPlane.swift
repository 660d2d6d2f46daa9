package import OakumAPI
package import OakumModel
package import Outbound

/// The incidents of another process, over its control socket. Acts are told under the name of the user who runs this one:
/// the kernel says who that is.
package struct RemoteIncidentPlane: IncidentPlane {
    private let socket: ControlSocket

    /// A test page to everybody on call is delivered while the caller waits.
    private static let checkSeconds = 30.0

    /// - Parameters:
    ///   - socketPath: `STATE/oakum.sock`.
    ///   - timeoutSeconds: for each call as a whole.
    package init(
        socketPath: String, client: OutboundClient = OutboundClient(maxConcurrent: 4), timeoutSeconds: Double = 10
    ) {
        socket = ControlSocket(path: socketPath, client: client, timeoutSeconds: timeoutSeconds)
    }

    package func incidents(_ query: IncidentQuery) async throws(ControlError) -> [Incident] {
        var target = "/api/v1/incidents?limit=\(query.limit)"
        if !query.states.isEmpty {
            target += "&state=\(query.states.map(\.rawValue).sorted().joined(separator: ","))"
        }
        if let service = query.service { target += "&service=\(PercentEncoding.encode(service))" }
        if let before = query.before { target += "&before=\(before)" }
        return try await socket.call("GET", target)
    }

    package func incident(_ id: Int64) async throws(ControlError) -> IncidentReport {
        try await socket.call("GET", "/api/v1/incidents/\(id)")
    }

    /// - Parameter actor: not sent: the other side asks the kernel.
    package func act(_ act: IncidentAct, by actor: String) async throws(ControlError) -> IncidentOutcome {
        let call = ActCall(act)
        guard let body = call.body else { return try await socket.call(call.method, call.target) }
        return try await socket.call(
            call.method, call.target, body: try ControlSocket.body(body), seconds: call.isCheck ? Self.checkSeconds : 0)
    }

    /// Intake has an address of its own, for programs that send alerts.
    package func take(_ intake: [IntakeItem]) async throws(ControlError) -> [IntakeReceipt] {
        throw .forbidden("alerts are handed in over the console's address: see `/intake/` in docs/api.md")
    }

    package func onCall() async throws(ControlError) -> OnCallReport {
        try await socket.call("GET", "/api/v1/on-call")
    }
}

/// An act as a request.
private struct ActCall {
    struct Body: Encodable {
        var title: String?
        var service: String?
        var severity: Severity?
        var details: String?
        var text: String?
        var note: String?
        var seconds: Double?
        var reason: String?
        var person: String?
    }

    var method = "POST"
    var target: String
    var body: Body? = Body()
    var isCheck = false

    init(_ act: IncidentAct) {
        switch act {
        case .open(let title, let service, let severity, let details):
            target = "/api/v1/incidents"
            body = Body(title: title, service: service, severity: severity, details: details)
        case .acknowledge(let id): target = "/api/v1/incidents/\(id)/acknowledge"
        case .note(let id, let text):
            target = "/api/v1/incidents/\(id)/note"
            body = Body(text: text)
        case .resolve(let id, let note):
            target = "/api/v1/incidents/\(id)/resolve"
            body = Body(note: note)
        case .silence(let id, let seconds, let reason):
            target = "/api/v1/incidents/\(id)/silence"
            body = Body(seconds: seconds, reason: reason)
        case .endSilence(let id):
            method = "DELETE"
            target = "/api/v1/silences/\(id)"
            body = nil
        case .check(let person):
            target = "/api/v1/on-call/check"
            body = Body(person: person)
            isCheck = true
        case .deploy(let service, let text):
            target = "/api/v1/deploys"
            body = Body(service: service, text: text)
        }
    }
}
