package import OakumModel

/// Whether an acknowledgement still holds: it was given for a severity and a time to the limit, and ends when these get
/// clearly worse than they were said to become.
///
/// The forecast then was "the limit is `T` s away at the least", so `t` s later `T − t` remain. The forecast has become
/// clearly worse when both hold, on average over the last 5 % of `T` (2 s at least, 5 min at most):
/// - its early end is under half of what remains: all goes at least twice as fast as it was said to;
/// - its middle (the limit at the mean of the slopes of both ends) falls short of what remains by a tenth of `T`.
///
/// The averages begin with "as it was said", and one reading counts for a third at the most, so a few wild readings end
/// nothing. A forecast that appears when none was known ends nothing by itself, nor does a limit that is nearer because
/// time has passed: what is urgent about them raises the severity.
package struct AcknowledgementRule: Hashable, Sendable, Codable {
    /// For which it was given.
    package var severity: Severity
    package var givenAt: Uptime
    /// Least time to the limit that was known then, seconds; nil: none was.
    package var timeToLimit: Double?
    /// When it ends by itself.
    package var until: Uptime?
    private var lastReading: Uptime
    /// What remained over what the early end of the forecast leaves, on average: 1 is as it was said.
    private var pace = 1.0
    /// By how much the middle of the forecast falls short of what remained, as a share of `timeToLimit`, on average.
    private var shortfall = 0.0

    /// A reading is not taken for more than this pace: nothing can be said to be worse without end.
    private static let highestPace = 4.0

    package init(severity: Severity, givenAt: Uptime, timeToLimit: Double?, until: Uptime?) {
        self.severity = severity
        self.givenAt = givenAt
        self.timeToLimit = timeToLimit
        self.until = until
        lastReading = givenAt
    }

    /// Takes a reading in and says why the acknowledgement ends; nil: it holds.
    ///
    /// - Parameter forecast: nil: there is none now, which is neither better nor worse.
    package mutating func judge(severity: Severity, forecast: TimeToLimit?, at now: Uptime) -> AcknowledgementEnd? {
        if severity > self.severity { return .severityRaised }
        if let until, until <= now { return .timeUp }
        guard let timeToLimit, let forecast, now > lastReading else { return nil }
        let remaining = timeToLimit - (now - givenAt)
        guard remaining > 0 else { return nil }
        let span = min(300, max(2, timeToLimit * 0.05))
        let passed = now - lastReading
        let weight = min(1.0 / 3, passed / (span + passed))
        lastReading = now
        let low = max(forecast.low, remaining / Self.highestPace)
        pace += weight * (remaining / low - pace)
        shortfall += weight * ((remaining - Self.middle(of: forecast)) / timeToLimit - shortfall)
        return pace > 2 && shortfall >= 0.1 ? .forecastWorse : nil
    }

    /// The machine was started again, and its clock with it.
    package mutating func rebase(by seconds: Double) {
        givenAt = givenAt + seconds
        until = until.map { $0 + seconds }
        lastReading = lastReading + seconds
    }

    /// The time to the limit at the mean of the slopes that the ends stand for.
    private static func middle(of forecast: TimeToLimit) -> Double {
        guard forecast.low > 0 else { return 0 }
        return 2 / (1 / forecast.low + (forecast.high.map { 1 / max($0, forecast.low) } ?? 0))
    }
}
