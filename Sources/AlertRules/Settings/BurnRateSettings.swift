package import OakumModel

/// How fast an error budget is used up, over several pairs of windows; one pair is enough to raise.
///
/// A burn of 1 uses the budget up exactly in the period; a pair holds when the burn of both of its windows is at least its
/// factor. Google, The Site Reliability Workbook (2018), chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
package struct BurnRateSettings: Hashable, Sendable, Codable {
    /// The share of good requests that is promised: 0.5 to 0.99999.
    package var target: Double
    /// Over which it is promised. Told, and used for the share of the budget that is gone.
    package var periodDays: Double
    /// At most 6, the first ones.
    package var pairs: [BurnWindows]
    /// A window with fewer requests says nothing.
    package var minimumRequests: Double
    /// Fewer bad requests than this in the long window raise nothing, whatever their share.
    package var minimumBad: Double
    /// A pair lets go below this part of its factor in the short window; 0 to 1.
    package var clearShare: Double
    /// All pairs must have let go for so long, seconds.
    package var clearSeconds: Double

    package init(
        target: Double, periodDays: Double = 30, pairs: [BurnWindows] = BurnWindows.standard,
        minimumRequests: Double = 20, minimumBad: Double = 5, clearShare: Double = 0.5, clearSeconds: Double = 30
    ) {
        self.target = target
        self.periodDays = periodDays
        self.pairs = pairs
        self.minimumRequests = minimumRequests
        self.minimumBad = minimumBad
        self.clearShare = clearShare
        self.clearSeconds = clearSeconds
    }

    package static let errors = BurnRateSettings(target: 0.999)
}

/// Two windows and the burn from which on they hold.
package struct BurnWindows: Hashable, Sendable, Codable {
    /// Seconds, 1 to 21,600.
    package var longSeconds: Double
    /// Seconds, less than the long one: so that the alert ends soon after the condition.
    package var shortSeconds: Double
    package var factor: Double
    package var severity: Severity

    package init(longSeconds: Double, shortSeconds: Double, factor: Double, severity: Severity) {
        self.longSeconds = longSeconds
        self.shortSeconds = shortSeconds
        self.factor = factor
        self.severity = severity
    }

    /// The two pairs of the workbook that page, and one of seconds for what hurts many users at once.
    package static let standard = [
        BurnWindows(longSeconds: 60, shortSeconds: 10, factor: 50, severity: .critical),
        BurnWindows(longSeconds: 3_600, shortSeconds: 300, factor: 14.4, severity: .critical),
        BurnWindows(longSeconds: 21_600, shortSeconds: 1_800, factor: 6, severity: .error),
    ]
}

/// Requests that take too long: bad are those above a threshold, where the service publishes a histogram.
package struct LatencySettings: Hashable, Sendable, Codable {
    /// Rounded up to the next bound of the histogram. Without a histogram: the mean of the requests, seconds.
    package var thresholdSeconds: Double
    /// Of the share of slow requests.
    package var burn: BurnRateSettings
    /// Without a histogram: raised when the mean is above the threshold in both windows of the fastest pair.
    package var meanSeverity: Severity

    package init(
        thresholdSeconds: Double = 1, burn: BurnRateSettings = .latency, meanSeverity: Severity = .warning
    ) {
        self.thresholdSeconds = thresholdSeconds
        self.burn = burn
        self.meanSeverity = meanSeverity
    }
}

extension BurnRateSettings {
    /// 99 % within the threshold.
    package static let latency = BurnRateSettings(
        target: 0.99,
        pairs: [
            BurnWindows(longSeconds: 60, shortSeconds: 10, factor: 30, severity: .error),
            BurnWindows(longSeconds: 3_600, shortSeconds: 300, factor: 14.4, severity: .error),
            BurnWindows(longSeconds: 21_600, shortSeconds: 1_800, factor: 6, severity: .warning),
        ])
}
