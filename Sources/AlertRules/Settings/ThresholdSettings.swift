package import OakumModel

/// A level that is too high, with hysteresis: raised at `raise` for a while, cleared at `clear` for a while.
package struct ThresholdSettings: Hashable, Sendable, Codable {
    /// Raised at or above this, in the unit of what is measured.
    package var raise: Double
    /// Cleared at or below this. Less than `raise`: what lies between changes nothing.
    package var clear: Double
    /// It must have been that high for so long, seconds.
    package var raiseSeconds: Double
    /// It must have been that low for so long, seconds.
    package var clearSeconds: Double
    package var severity: Severity
    /// At or above this it is `worseSeverity`; nil: there is one step.
    package var worse: Double?
    package var worseSeverity: Severity

    package init(
        raise: Double, clear: Double, raiseSeconds: Double = 10, clearSeconds: Double = 60,
        severity: Severity = .warning, worse: Double? = nil, worseSeverity: Severity = .error
    ) {
        self.raise = raise
        self.clear = clear
        self.raiseSeconds = raiseSeconds
        self.clearSeconds = clearSeconds
        self.severity = severity
        self.worse = worse
        self.worseSeverity = worseSeverity
    }

    package static let cpu = ThresholdSettings(raise: 0.9, clear: 0.75, raiseSeconds: 30, clearSeconds: 60)
    package static let memory = ThresholdSettings(
        raise: 0.92, clear: 0.85, raiseSeconds: 6, clearSeconds: 60, worse: 0.98)
    package static let fileDescriptors = ThresholdSettings(
        raise: 0.8, clear: 0.7, raiseSeconds: 10, clearSeconds: 60, worse: 0.95)
    package static let hostMemory = ThresholdSettings(
        raise: 0.92, clear: 0.88, raiseSeconds: 10, clearSeconds: 60, worse: 0.97)
    package static let memoryPressure = ThresholdSettings(
        raise: 15, clear: 5, raiseSeconds: 10, clearSeconds: 60, worse: 40)
    package static let cpuPressure = ThresholdSettings(raise: 60, clear: 40, raiseSeconds: 60, clearSeconds: 60)
    package static let ioPressure = ThresholdSettings(raise: 60, clear: 40, raiseSeconds: 60, clearSeconds: 60)
    package static let disk = ThresholdSettings(
        raise: 0.9, clear: 0.87, raiseSeconds: 10, clearSeconds: 60, worse: 0.97)
}

/// Events that are too many within a while.
package struct OccurrenceSettings: Hashable, Sendable, Codable {
    /// Raised when there were so many within `windowSeconds`; at least 1.
    package var count: Int
    /// At most 86,400.
    package var windowSeconds: Double
    package var severity: Severity
    /// From so many on it is `worseSeverity`; nil: there is one step.
    package var worseCount: Int?
    package var worseSeverity: Severity
    /// Cleared when there was none for so long, seconds.
    package var clearSeconds: Double

    package init(
        count: Int, windowSeconds: Double, severity: Severity = .error, worseCount: Int? = nil,
        worseSeverity: Severity = .critical, clearSeconds: Double = 300
    ) {
        self.count = count
        self.windowSeconds = windowSeconds
        self.severity = severity
        self.worseCount = worseCount
        self.worseSeverity = worseSeverity
        self.clearSeconds = clearSeconds
    }

    package static let restarts = OccurrenceSettings(count: 3, windowSeconds: 300, worseCount: 10)
    package static let outOfMemoryKills = OccurrenceSettings(count: 1, windowSeconds: 600, worseCount: 3)
}

/// Workers that do not answer.
package struct UnresponsiveSettings: Hashable, Sendable, Codable {
    /// A worker counts when all its probes failed for so long, seconds: two probes and more.
    package var forSeconds: Double
    /// Raised when so many workers do not answer.
    package var workers: Int
    package var severity: Severity
    /// From this share of the service's workers on it is `worseSeverity`; 0 to 1.
    package var worseShare: Double
    package var worseSeverity: Severity
    /// Cleared when all have answered for so long, seconds.
    package var clearSeconds: Double

    package init(
        forSeconds: Double = 5, workers: Int = 1, severity: Severity = .error, worseShare: Double = 0.5,
        worseSeverity: Severity = .critical, clearSeconds: Double = 20
    ) {
        self.forSeconds = forSeconds
        self.workers = workers
        self.severity = severity
        self.worseShare = worseShare
        self.worseSeverity = worseSeverity
        self.clearSeconds = clearSeconds
    }
}

/// What was measured once and is no longer.
package struct AbsenceSettings: Hashable, Sendable, Codable {
    /// Raised when it has not been measured for so long, seconds.
    package var afterSeconds: Double
    package var severity: Severity
    /// Cleared when it has been measured again for so long, seconds.
    package var clearSeconds: Double
    /// A series that has not come back for so long is forgotten, and the alert ends: it was taken out of the service.
    package var forgetSeconds: Double

    package init(
        afterSeconds: Double = 20, severity: Severity = .warning, clearSeconds: Double = 20,
        forgetSeconds: Double = 86_400
    ) {
        self.afterSeconds = afterSeconds
        self.severity = severity
        self.clearSeconds = clearSeconds
        self.forgetSeconds = forgetSeconds
    }
}

/// A leak as a condition of the service: it holds across recycles, which only buy time.
package struct LeakAlertSettings: Hashable, Sendable, Codable {
    /// While there is time to act. Critical when the limit falls inside acknowledge and mitigate time.
    package var severity: Severity
    /// Ended when no worker of the service has been judged leaking for so long, seconds, and all were judged.
    package var clearSeconds: Double

    package init(severity: Severity = .error, clearSeconds: Double = 600) {
        self.severity = severity
        self.clearSeconds = clearSeconds
    }
}
