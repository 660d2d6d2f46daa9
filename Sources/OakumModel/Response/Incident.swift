/// Where an incident stands. Raw values are stored and shown: added to, never renamed.
package enum IncidentState: String, Hashable, Sendable, Codable, CaseIterable {
    case open
    /// Somebody has taken it on; escalation rests.
    case acknowledged
    /// Users are safe for now, and the slope afterwards says so; its cause may still be there.
    case mitigated
    case resolved
}

/// Something users may notice, from the first sign to its end: the record that pages, console and postmortem show.
package struct Incident: Hashable, Sendable, Codable, Identifiable {
    /// Rises by one, never reused: shown as "#12".
    package var id: Int64
    /// One line: "registrar: memory leak in VerificationContext.init (verification.swift:41)".
    package var title: String
    /// nil: of the host or from outside.
    package var service: String?
    package var kind: AlertKind
    package var severity: Severity
    package var state: IncidentState
    /// Of the alert that opened it.
    package var fingerprint: String
    /// Times told to people are UTC milliseconds; nil: has not happened (yet), or is not known.
    package var milestones: Milestones
    package var evidence: Evidence
    /// Alerts that belong to it, at most `alertLimit`, the first ones; `alertCount` counts all that were told.
    package var alerts: [IncidentAlert]
    package var alertCount: Int
    /// Measured, never typed.
    package var impact: [Impact]
    package var acknowledgement: Acknowledgement?
    /// Name of the escalation policy; nil: nobody is paged.
    package var policy: String?
    package var runbook: String?
    /// How often it came back after its end.
    package var reopened: Int
    /// What the mitigation brought, in words: "the slope afterwards is the same: it bought 31 s".
    package var mitigation: String?
    /// The last change.
    package var updated: WallTime

    package static let alertLimit = 50

    package init(
        id: Int64, title: String, service: String? = nil, kind: AlertKind, severity: Severity,
        state: IncidentState = .open, fingerprint: String, milestones: Milestones, evidence: Evidence = Evidence(),
        alerts: [IncidentAlert] = [], alertCount: Int = 0, impact: [Impact] = [],
        acknowledgement: Acknowledgement? = nil, policy: String? = nil, runbook: String? = nil, reopened: Int = 0,
        mitigation: String? = nil, updated: WallTime
    ) {
        self.id = id
        self.title = title
        self.service = service
        self.kind = kind
        self.severity = severity
        self.state = state
        self.fingerprint = fingerprint
        self.milestones = milestones
        self.evidence = evidence
        self.alerts = alerts
        self.alertCount = alertCount
        self.impact = impact
        self.acknowledgement = acknowledgement
        self.policy = policy
        self.runbook = runbook
        self.reopened = reopened
        self.mitigation = mitigation
        self.updated = updated
    }

    private enum CodingKeys: String, CodingKey {
        case id, title, service, kind, severity, state, fingerprint, milestones, evidence, alerts, impact
        case acknowledgement, policy, runbook, reopened, mitigation
        case alertCount = "alert_count"
        case updated = "updated_ms"
    }
}

/// When what happened. For a leak there are two onsets: of the leak, and of what users noticed.
package struct Milestones: Hashable, Sendable, Codable {
    package var leakOnset: WallTime?
    package var impactOnset: WallTime?
    package var detected: WallTime
    /// The first page was accepted by its receiver.
    package var paged: WallTime?
    package var acknowledged: WallTime?
    package var causeNamed: WallTime?
    package var mitigated: WallTime?
    /// Users are served as before.
    package var restored: WallTime?
    package var resolved: WallTime?

    package init(
        leakOnset: WallTime? = nil, impactOnset: WallTime? = nil, detected: WallTime, paged: WallTime? = nil,
        acknowledged: WallTime? = nil, causeNamed: WallTime? = nil, mitigated: WallTime? = nil,
        restored: WallTime? = nil, resolved: WallTime? = nil
    ) {
        self.leakOnset = leakOnset
        self.impactOnset = impactOnset
        self.detected = detected
        self.paged = paged
        self.acknowledged = acknowledged
        self.causeNamed = causeNamed
        self.mitigated = mitigated
        self.restored = restored
        self.resolved = resolved
    }

    /// Seconds between detection and the first user who noticed; positive: detected before. Nil: nobody noticed.
    package var leadSeconds: Double? {
        impactOnset.map { Double($0.milliseconds - detected.milliseconds) / 1000 }
    }

    private enum CodingKeys: String, CodingKey {
        case leakOnset = "leak_onset_ms"
        case impactOnset = "impact_onset_ms"
        case detected = "detected_ms"
        case paged = "paged_ms"
        case acknowledged = "acknowledged_ms"
        case causeNamed = "cause_named_ms"
        case mitigated = "mitigated_ms"
        case restored = "restored_ms"
        case resolved = "resolved_ms"
    }
}

/// An alert within an incident.
package struct IncidentAlert: Hashable, Sendable, Codable {
    package var fingerprint: String
    package var kind: AlertKind
    package var severity: Severity
    package var summary: String
    package var isFiring: Bool
    package var since: WallTime
    /// It is held to be a symptom of the incident's cause: told, not paged.
    package var isSymptom: Bool
    /// It is of the host, whatever service the incident is about; nil: it is not.
    package var isOfHost: Bool?

    package init(
        fingerprint: String, kind: AlertKind, severity: Severity, summary: String, isFiring: Bool, since: WallTime,
        isSymptom: Bool
    ) {
        self.fingerprint = fingerprint
        self.kind = kind
        self.severity = severity
        self.summary = summary
        self.isFiring = isFiring
        self.since = since
        self.isSymptom = isSymptom
    }

    private enum CodingKeys: String, CodingKey {
        case fingerprint, kind, severity, summary
        case isFiring = "firing"
        case since = "since_ms"
        case isSymptom = "symptom"
        case isOfHost = "of_host"
    }
}

/// Somebody has taken an incident on. It holds for what was known then, and ends when that gets worse.
package struct Acknowledgement: Hashable, Sendable, Codable {
    package var by: String
    package var at: WallTime
    /// The severity it was given for.
    package var severity: Severity
    /// Least time to the limit that was known, seconds; nil: none was.
    package var timeToLimitSeconds: Double?
    /// When it ends by itself.
    package var until: WallTime?

    package init(
        by: String, at: WallTime, severity: Severity, timeToLimitSeconds: Double? = nil, until: WallTime? = nil
    ) {
        self.by = by
        self.at = at
        self.severity = severity
        self.timeToLimitSeconds = timeToLimitSeconds
        self.until = until
    }

    private enum CodingKeys: String, CodingKey {
        case by, severity
        case at = "at_ms"
        case timeToLimitSeconds = "time_to_limit_s"
        case until = "until_ms"
    }
}

/// What users or the business lost, from counters: "sign-ups 205 of 412 expected, −50 %".
package struct Impact: Hashable, Sendable, Codable {
    /// What is counted, in the plural: "sign-ups", "requests".
    package var what: String
    package var service: String?
    package var actual: Double
    /// With its interval.
    package var expected: Estimate
    package var from: WallTime
    /// nil: it goes on.
    package var until: WallTime?
    /// Where the expectation comes from: "the same hour of 5 earlier days".
    package var basis: String
    /// It is what the business counts, not a sign of how well the service works; nil: it is not.
    package var isOfBusiness: Bool?

    package init(
        what: String, service: String? = nil, actual: Double, expected: Estimate, from: WallTime,
        until: WallTime? = nil, basis: String, isOfBusiness: Bool? = nil
    ) {
        self.isOfBusiness = isOfBusiness
        self.what = what
        self.service = service
        self.actual = actual
        self.expected = expected
        self.from = from
        self.until = until
        self.basis = basis
    }

    /// −50 for half as many as expected; nil when nothing was expected.
    package var percent: Double? {
        expected.estimate > 0 ? (actual / expected.estimate - 1) * 100 : nil
    }

    private enum CodingKeys: String, CodingKey {
        case what, service, actual, expected, basis
        case from = "from_ms"
        case until = "until_ms"
        case isOfBusiness = "of_business"
    }
}
