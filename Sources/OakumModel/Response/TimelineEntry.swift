/// What a line of a timeline is about. Raw values are stored and shown: added to, never renamed.
package enum TimelineKind: String, Hashable, Sendable, Codable, CaseIterable {
    case leakOnset = "leak_onset"
    case impactOnset = "impact_onset"
    case detected
    case alert
    case opened
    case severityChanged = "severity_changed"
    case paged
    case deliveryFailed = "delivery_failed"
    /// A step had nobody to tell, or the path is at its end.
    case exhausted
    case escalated
    case acknowledged
    /// The acknowledgement ended: it got worse, or its time was up.
    case acknowledgementEnded = "acknowledgement_ended"
    case causeNamed = "cause_named"
    case diagnosed
    case suppressed
    case acted
    case mitigated
    case restored
    case resolved
    case reopened
    case note
    case stakeholdersTold = "stakeholders_told"
    case deploy
    case merged
}

/// One line of an incident's timeline.
package struct TimelineEntry: Hashable, Sendable, Codable {
    package var incident: Int64
    package var at: WallTime
    package var kind: TimelineKind
    /// One sentence.
    package var text: String
    /// A person's name, or "oakum".
    package var by: String
    /// What it rests on: a delivery id, the number of a journal event, an address.
    package var evidence: String?

    package init(
        incident: Int64, at: WallTime, kind: TimelineKind, text: String, by: String = "oakum", evidence: String? = nil
    ) {
        self.incident = incident
        self.at = at
        self.kind = kind
        self.text = text
        self.by = by
        self.evidence = evidence
    }

    private enum CodingKeys: String, CodingKey {
        case incident, kind, text, by, evidence
        case at = "at_ms"
    }
}
