/// What Oakum holds a series to be. "Unknown" is an answer: `notEnoughData`.
package enum VerdictCode: String, Sendable, Codable, CaseIterable {
    case leak
    case cacheFill = "cache_fill"
    case fragmentation
    case load
    case warmUp = "warm_up"
    case step
    case steady
    case notEnoughData = "not_enough_data"
}

/// An estimate with its confidence interval, in the unit its field name gives.
package struct Estimate: Hashable, Sendable, Codable {
    package var estimate: Double
    package var low: Double
    package var high: Double

    package init(estimate: Double, low: Double, high: Double) {
        self.estimate = estimate
        self.low = low
        self.high = high
    }
}

/// Seconds until the limit is reached, as an interval. `high` is nil when the slow end of the slope never gets there.
package struct TimeToLimit: Hashable, Sendable, Codable {
    package var low: Double
    package var high: Double?

    package init(low: Double, high: Double?) {
        self.low = low
        self.high = high
    }
}

/// A verdict with its evidence. Times are seconds on the series' own axis.
package struct Verdict: Hashable, Sendable, Codable {
    package var code: VerdictCode
    /// Since when the memory grows; nil when it does not.
    package var onsetSeconds: Double?
    /// When this verdict was first reached.
    package var decidedSeconds: Double?
    /// Units of the series per second (bytes for live workers).
    package var slope: Estimate?
    package var timeToLimit: TimeToLimit?
    /// Plain sentences for people: what speaks for the verdict, with numbers.
    package var evidence: [String]

    package init(
        code: VerdictCode, onsetSeconds: Double? = nil, decidedSeconds: Double? = nil, slope: Estimate? = nil,
        timeToLimit: TimeToLimit? = nil, evidence: [String] = []
    ) {
        self.code = code
        self.onsetSeconds = onsetSeconds
        self.decidedSeconds = decidedSeconds
        self.slope = slope
        self.timeToLimit = timeToLimit
        self.evidence = evidence
    }

    private enum CodingKeys: String, CodingKey {
        case code = "verdict"
        case onsetSeconds = "onset_seconds"
        case decidedSeconds = "decided_seconds"
        case slope = "slope_per_s"
        case timeToLimit = "time_to_limit_s"
        case evidence
    }
}
