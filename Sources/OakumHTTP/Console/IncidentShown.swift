import OakumModel

/// How incidents are shown to people.
enum IncidentShown {
    static func number(_ id: Int64) -> String { "#\(id)" }

    static func state(_ state: IncidentState) -> String {
        switch state {
        case .open: "Open"
        case .acknowledged: "Acknowledged"
        case .mitigated: "Mitigated"
        case .resolved: "Resolved"
        }
    }

    static func severity(_ severity: Severity) -> String {
        switch severity {
        case .info: "Info"
        case .warning: "Warning"
        case .error: "Error"
        case .critical: "Critical"
        }
    }

    static func kind(_ kind: AlertKind) -> String {
        switch kind {
        case .memoryLeak: "Memory leak"
        case .memory: "Memory"
        case .errorRate: "Error rate"
        case .latency: "Latency"
        case .unresponsive: "Unresponsive"
        case .cpu: "CPU"
        case .pressure: "Pressure"
        case .fileDescriptors: "File descriptors"
        case .restarts: "Restarts"
        case .outOfMemoryKill: "Out-of-memory kill"
        case .disk: "Disk"
        case .businessRate: "Business rate"
        case .noData: "No data"
        case .delivery: "Delivery"
        case .diagnosis: "Diagnosis"
        case .outside: "From outside"
        }
    }

    static func timeline(_ kind: TimelineKind) -> String {
        switch kind {
        case .leakOnset: "Leak begins"
        case .impactOnset: "Users notice"
        case .detected: "Detected"
        case .alert: "Alert"
        case .opened: "Opened"
        case .severityChanged: "Severity changed"
        case .paged: "Paged"
        case .deliveryFailed: "Delivery failed"
        case .exhausted: "Nobody left to page"
        case .escalated: "Escalated"
        case .acknowledged: "Acknowledged"
        case .acknowledgementEnded: "Acknowledgement ended"
        case .causeNamed: "Cause named"
        case .diagnosed: "Diagnosed"
        case .suppressed: "Not paged"
        case .acted: "Oakum acted"
        case .mitigated: "Mitigated"
        case .restored: "Restored"
        case .resolved: "Resolved"
        case .reopened: "Reopened"
        case .note: "Note"
        case .stakeholdersTold: "Business told"
        case .deploy: "Deploy"
        case .merged: "Merged"
        }
    }

    static func tone(_ kind: TimelineKind) -> String {
        switch kind {
        case .deliveryFailed, .exhausted, .impactOnset, .reopened: "bad"
        case .leakOnset, .detected, .alert, .opened, .severityChanged, .acknowledgementEnded, .escalated: "warn"
        case .paged, .acted, .causeNamed, .diagnosed, .stakeholdersTold, .deploy: "act"
        case .acknowledged, .mitigated, .restored, .resolved: "good"
        case .suppressed, .note, .merged: "plain"
        }
    }

    static func page(_ kind: PageKind) -> String {
        switch kind {
        case .opened: "Opened"
        case .escalated: "Escalated"
        case .updated: "Update"
        case .acknowledged: "Acknowledged"
        case .mitigated: "Mitigated"
        case .resolved: "Resolved"
        case .reopened: "Reopened"
        case .stakeholders: "To the business"
        case .test: "Test"
        }
    }

    /// Date and time of day in UTC; the page's script shows the reader's own zone.
    static func time(_ at: WallTime) -> Markup {
        let civil = CivilTime(at)
        return """
            <time datetime="\(civil.isoText)" data-at="\(at.milliseconds)">\(civil.dateText) \(civil.clockText) UTC</time>
            """
    }

    static func time(_ at: WallTime?) -> Markup { at.map { time($0) } ?? "–" }

    /// "205", "1.4".
    static func amount(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "–" }
        return value == value.rounded() || abs(value) >= 100 ? Shown.count(max(0, value)) : Shown.tenths(value)
    }

    /// "−50 %", "+3 %".
    static func change(_ percent: Double?) -> String {
        guard let percent, percent.isFinite, abs(percent) < 1e6 else { return "–" }
        let whole = Int(percent.rounded())
        return whole < 0 ? "−\(-whole)\u{A0}%" : "+\(whole)\u{A0}%"
    }

    static func severityChip(_ severity: Severity) -> Markup {
        "<span class=\"chip\" data-severity=\"\(severity.rawValue)\">\(Self.severity(severity))</span>"
    }

    static func stateChip(_ state: IncidentState) -> Markup {
        "<span class=\"chip\" data-state=\"\(state.rawValue)\">\(Self.state(state))</span>"
    }
}
