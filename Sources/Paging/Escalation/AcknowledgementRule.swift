package import OakumModel

/// Whether an acknowledgement still holds: it was given for a severity and a time to the limit, and ends when these get
/// clearly worse than they were said to become.
///
/// The forecast then was "the limit is `T` s away at the least", so `t` s later `T − t` remain. The forecast is clearly
/// worse while
/// - its early end is under half of what remains, and
/// - its middle (the limit at the mean of the slopes of both ends) falls short of what remains by at least a tenth of `T`.
///
/// It has to be so in `readingsNeeded` readings in a row and for 2 % of `T`, 2 s at least and 2 min at most; one reading
/// that is not worse starts that anew. A forecast that appears when none was known ends nothing by itself: what is urgent
/// about it raises the severity.
package struct AcknowledgementRule: Hashable, Sendable, Codable {
    /// For which it was given.
    package var severity: Severity
    package var givenAt: Uptime
    /// Least time to the limit that was known then, seconds; nil: none was.
    package var timeToLimit: Double?
    /// When it ends by itself.
    package var until: Uptime?
    private var worseSince: Uptime?
    private var worseReadings = 0

    package static let readingsNeeded = 3

    package init(severity: Severity, givenAt: Uptime, timeToLimit: Double?, until: Uptime?) {
        self.severity = severity
        self.givenAt = givenAt
        self.timeToLimit = timeToLimit
        self.until = until
    }

    /// Takes a reading in and says why the acknowledgement ends; nil: it holds.
    ///
    /// - Parameter forecast: nil: there is none now, which is neither better nor worse.
    package mutating func judge(severity: Severity, forecast: TimeToLimit?, at now: Uptime) -> AcknowledgementEnd? {
        if severity > self.severity { return .severityRaised }
        if let until, until <= now { return .timeUp }
        guard let timeToLimit, let forecast else { return nil }
        guard Self.isWorse(forecast, than: timeToLimit, after: now - givenAt) else {
            worseSince = nil
            worseReadings = 0
            return nil
        }
        let since = worseSince ?? now
        worseSince = since
        worseReadings += 1
        let patience = min(120, max(2, timeToLimit * 0.02))
        return worseReadings >= Self.readingsNeeded && now - since >= patience ? .forecastWorse : nil
    }

    /// The machine was started again, and its clock with it.
    package mutating func rebase(by seconds: Double) {
        givenAt = givenAt + seconds
        until = until.map { $0 + seconds }
        worseSince = worseSince.map { $0 + seconds }
    }

    private static func isWorse(_ forecast: TimeToLimit, than promised: Double, after elapsed: Double) -> Bool {
        let remaining = promised - elapsed
        guard remaining > 0, forecast.low < remaining / 2 else { return false }
        let low = max(0, forecast.low)
        let middle = low == 0 ? 0 : 2 / (1 / low + (forecast.high.map { 1 / max($0, low) } ?? 0))
        return middle <= remaining - promised * 0.1
    }
}
