package import OakumAPI
import OakumModel

/// What the servers need to answer for incidents, beside the control plane. What is nil is not configured: its routes say so.
package struct ResponseParts: Sendable {
    package var incidents: (any IncidentPlane)?
    /// Tokens and sessions. Nil: nobody can sign in, so that a console behind a proxy answers `/healthz` alone.
    package var access: AccessDesk?
    package var links: ActionLinks?
    package var heartbeats: HeartbeatDesk?
    package var audit: any AuditTrail
    package var clock: OwnClock

    package init(
        incidents: (any IncidentPlane)? = nil, access: AccessDesk? = nil, links: ActionLinks? = nil,
        heartbeats: HeartbeatDesk? = nil, audit: any AuditTrail = NoAudit(), clock: OwnClock = OwnClock()
    ) {
        self.incidents = incidents
        self.access = access
        self.links = links
        self.heartbeats = heartbeats
        self.audit = audit
        self.clock = clock
    }

    /// Nothing of it.
    package static let none = ResponseParts()

    /// - Throws: that incidents are not configured.
    func incidentPlane() throws(HTTPFailure) -> any IncidentPlane {
        guard let incidents else { throw .notConfigured("incidents") }
        return incidents
    }

    // MARK: - Audit

    func record(
        _ what: String, _ context: OakumContext, principal: Principal?, status: Int, _ error: (any Error)? = nil
    ) async {
        let note = context.audit.note
        guard !note.isMuted else { return }
        let result: AuditEntry.Result =
            switch status {
            case ..<400: .done
            case 401, 403, 429: .denied
            case ..<500: .refused
            default: .failed
            }
        let words = note.words ?? error.flatMap { Problems.words(of: $0) }
        await audit.record(
            AuditEntry(
                at: CivilTime.isoText(clock.now().wall), who: principal?.name,
                role: principal?.role.rawValue, via: principal?.evidence.rawValue, from: context.place, what: what,
                object: note.object, result: result, status: status, words: words.map { Plain.line($0, bytes: 500) }))
    }

    func recordDenial(_ what: String, _ context: OakumContext, principal: Principal?, status: Int) async {
        await record(what, context, principal: principal, status: status)
    }
}
