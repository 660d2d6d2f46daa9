package import OakumModel

/// What is told of a condition: made only when it is told.
package struct AlertText: Sendable {
    package var summary: String
    package var details: [String]
    package var labels: [String: String]
    /// Since when, if the rule knows better than the latch.
    package var since: Moment?
    package var impact: [Impact]

    package init(
        _ summary: String, details: [String] = [], labels: [String: String] = [:], since: Moment? = nil,
        impact: [Impact] = []
    ) {
        self.summary = summary
        self.details = details
        self.labels = labels
        self.since = since
        self.impact = impact
    }
}

/// One alert that may be: its latch, and what was told of it. While it fires it is told again at most once a minute, with
/// the numbers of then, and at once when its severity changes.
package struct AlertSlot: Sendable {
    /// Seconds.
    package static let retellSeconds = 60.0
    package let kind: AlertKind
    package let service: String?
    package let fingerprint: String
    private let runbook: String?
    private var latch: Latch
    /// The last one told; nil: nothing is firing.
    package private(set) var told: Alert?

    /// - Parameter subject: what tells it from others of its kind and service: a path, a metric's name.
    package init(
        _ kind: AlertKind, service: String?, subject: String? = nil, raiseSeconds: Double, clearSeconds: Double,
        runbooks: [AlertKind: String] = [:]
    ) {
        self.kind = kind
        self.service = service
        fingerprint = Self.fingerprint(kind, service: service, subject: subject)
        runbook = runbooks[kind]
        latch = Latch(raiseSeconds: raiseSeconds, clearSeconds: clearSeconds)
    }

    /// "rule/registrar/business_rate/sign-ups": at most 512 bytes.
    package static func fingerprint(_ kind: AlertKind, service: String?, subject: String? = nil) -> String {
        let parts = ["rule", service ?? "(host)", kind.rawValue] + (subject.map { [$0] } ?? [])
        return Words.cut(parts.joined(separator: "/"), bytes: 512)
    }

    package var isFiring: Bool { latch.firing != nil }

    /// It was firing when Oakum ended.
    package mutating func assume(_ alert: Alert, at now: Moment) {
        latch.assume(alert.severity, since: alert.since, at: now.uptime)
        told = alert
    }

    /// - Parameter text: asked for when something is told; its argument is true when the condition is over.
    package mutating func take(
        _ condition: Condition, at now: Moment, _ text: (Bool) -> AlertText
    ) -> Alert? {
        switch latch.take(condition, at: now) {
        case .raised, .severity:
            return tell(.firing, at: now, text(false))
        case .cleared:
            let alert = tell(.resolved, at: now, text(true))
            told = nil
            return alert
        case nil:
            guard let told, isFiring, condition != .unknown, now.uptime - told.at.uptime >= Self.retellSeconds else {
                return nil
            }
            return tell(.firing, at: now, text(false))
        }
    }

    private mutating func tell(_ status: Alert.Status, at now: Moment, _ text: AlertText) -> Alert? {
        var since = now
        var severity = told?.severity ?? .warning
        if case .firing(let begin, let height) = latch.state { (since, severity) = (begin, height) }
        if status == .resolved, let told { since = told.since }
        let alert = Alert(
            source: .rule, status: status, fingerprint: fingerprint, kind: kind, service: service, severity: severity,
            summary: Words.cut(text.summary, bytes: 1_024), since: text.since ?? since, at: now,
            details: text.details.prefix(20).map { Words.cut($0, bytes: 1_024) },
            labels: Dictionary(
                text.labels.sorted { $0.key < $1.key }.prefix(64).map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }),
            runbook: runbook, impact: text.impact.isEmpty ? nil : text.impact)
        told = alert
        return alert
    }
}
