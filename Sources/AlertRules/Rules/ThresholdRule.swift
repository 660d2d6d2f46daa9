import OakumModel

/// A level with hysteresis and its alert.
struct ThresholdRule: Sendable {
    let settings: ThresholdSettings
    var slot: AlertSlot

    init(
        _ kind: AlertKind, _ settings: ThresholdSettings, service: String?, subject: String? = nil,
        runbooks: [AlertKind: String]
    ) {
        self.settings = settings
        slot = AlertSlot(
            kind, service: service, subject: subject, raiseSeconds: settings.raiseSeconds,
            clearSeconds: settings.clearSeconds, runbooks: runbooks)
    }

    /// - Parameters:
    ///   - value: nil: not measured.
    ///   - isUrgent: the limit is reached before anybody could act: critical, whatever the settings say.
    mutating func take(
        _ value: Double?, isUrgent: Bool = false, at now: Moment, _ text: (Bool) -> AlertText
    ) -> Alert? {
        slot.take(settings.condition(value, isUrgent: isUrgent), at: now, text)
    }
}

extension ThresholdSettings {
    package func condition(_ value: Double?, isUrgent: Bool = false) -> Condition {
        guard let value, value.isFinite else { return .unknown }
        if value >= raise, isUrgent { return .high(.critical) }
        if let worse, value >= worse { return .high(worseSeverity) }
        if value >= raise { return .high(severity) }
        return value <= clear ? .low : .between
    }
}
