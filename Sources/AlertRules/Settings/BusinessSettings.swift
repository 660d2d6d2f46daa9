package import OakumModel

/// Something the business counts, as a counter in the workers' `/metrics`.
package struct BusinessSettings: Hashable, Sendable, Codable {
    /// What people call it, in the plural: "sign-ups". Unique within the service.
    package var name: String
    /// Name of the counter: "signups_total".
    package var counter: String
    /// Labels a sample must have to count: `outcome: created`. Others may be there too: samples are summed.
    package var labels: [String: String]
    /// Chance of a false alarm in a day of watching, as the expectation reckons it: 0 to 0.1.
    package var probability: Double
    /// Fewer than so many expected say nothing.
    package var minimumExpected: Double
    /// What is missing must be at least this share of what is expected: 0 to 1.
    package var minimumDrop: Double
    /// From this share on it is `worseSeverity`.
    package var worseDrop: Double
    package var severity: Severity
    package var worseSeverity: Severity
    /// It must last for so long once it is seen, seconds: a moment's pause is no incident.
    package var raiseSeconds: Double
    /// Restored when the rate is back within what is expected for so long, seconds.
    package var clearSeconds: Double
    /// Whose day it is, as an IANA name: "America/New_York". nil: that of the host.
    package var timeZone: String?

    package init(
        name: String, counter: String, labels: [String: String] = [:], probability: Double = 1e-4,
        minimumExpected: Double = 10, minimumDrop: Double = 0.25, worseDrop: Double = 0.75,
        severity: Severity = .error, worseSeverity: Severity = .critical, raiseSeconds: Double = 10,
        clearSeconds: Double = 60,
        timeZone: String? = nil
    ) {
        self.name = name
        self.counter = counter
        self.labels = labels
        self.probability = probability
        self.minimumExpected = minimumExpected
        self.minimumDrop = minimumDrop
        self.worseDrop = worseDrop
        self.severity = severity
        self.worseSeverity = worseSeverity
        self.raiseSeconds = raiseSeconds
        self.clearSeconds = clearSeconds
        self.timeZone = timeZone
    }
}
