package import OakumModel

/// What has to become durable, all of it or nothing, before the book's new state counts.
package enum IncidentChange: Hashable, Sendable {
    case save(IncidentRecord)
    case line(TimelineEntry)
    /// - Parameters:
    ///   - urgent: it goes before all others, and no limit delays it.
    ///   - delay: seconds from now before which it is not sent.
    case send(Page, urgent: Bool, delay: Double)
    /// Pages that nobody needs any more, if they have not been sent.
    case withdraw([String])
    case alert(incident: Int64, fingerprint: String, isFiring: Bool)
    case silence(Silence)
    /// The owner has taken note of what became of these pages.
    case heard([String])
}

/// An incident with what the book has to remember of it.
package struct IncidentRecord: Hashable, Sendable, Codable {
    package var incident: Incident
    package var desk: DeskState

    package init(incident: Incident, desk: DeskState) {
        self.incident = incident
        self.desk = desk
    }
}

/// Something that happened, as the book hears of it.
package enum IncidentEvent: Hashable, Sendable {
    case alert(Alert)
    case opened(title: String, service: String?, severity: Severity, details: String?, by: String)
    case acknowledged(Int64, by: String)
    case note(Int64, String, by: String)
    case resolved(Int64, String?, by: String)
    case silenced(Int64, seconds: Double, reason: String, by: String)
    case silenceEnded(Int64, by: String)
    /// A test page: to one person, or to all who would be paged now.
    case check(person: String?, by: String)
    case outcome(PageOutcome)
    /// Measured anew: what users and the business lose. Empty `impact` with `restored` set: nothing any more.
    case impact(service: String, [Impact], onset: WallTime?, restored: WallTime?)
    /// Oakum or somebody did something to a service: a line for its incidents.
    case acted(service: String, TimelineKind, String)
    /// What the slope was after an act: `holds` when memory no longer grows.
    case slopeJudged(service: String, String, holds: Bool)
    case tick
}

/// What the book answers.
package struct IncidentAnswer: Hashable, Sendable {
    package var changes: [IncidentChange]
    package var incident: Int64?
    /// A new incident was opened.
    package var isNew: Bool
    /// Nil: nothing was to be changed.
    package var message: String?
    /// Why it cannot be done.
    package var refusal: Refusal?

    package enum Refusal: Hashable, Sendable {
        case notFound(String)
        case refused(String)
        case invalid(String)
    }

    package init(
        changes: [IncidentChange] = [], incident: Int64? = nil, isNew: Bool = false, message: String? = nil,
        refusal: Refusal? = nil
    ) {
        self.changes = changes
        self.incident = incident
        self.isNew = isNew
        self.message = message
        self.refusal = refusal
    }
}
