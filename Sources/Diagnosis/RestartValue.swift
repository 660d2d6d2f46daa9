import OakumModel

/// What a restart buys: the time a fresh process takes to grow to where this one is now. By that much the limit is put
/// off, wherever it lies; the cause stays.
struct RestartValue {
    let seconds: Estimate

    /// - Parameter freshLevel: bytes a fresh worker of the service was seen to hold; nil when none was.
    /// Nil when memory does not grow, or nothing tells where a fresh worker begins.
    init?(_ growth: MemoryGrowth, freshLevel: Double?) {
        guard let slope = growth.slope, slope.estimate > 0, let reading = growth.reading,
            growth.isLeak || growth.change != nil
        else { return nil }
        // Where lives began after a restart in the window, where one was seen before, the level before the growth.
        let restarted = growth.lives.dropFirst().map(\.first)
        let known =
            restarted
            + [freshLevel, restarted.isEmpty && freshLevel == nil ? growth.change?.before : nil]
            .compactMap { $0 }
        let sorted = known.sorted()
        guard let lowest = sorted.first, let highest = sorted.last else { return nil }
        let fresh = sorted[sorted.count / 2]
        let now = max(reading.latest, reading.series.values.last ?? reading.latest)
        guard now > fresh else { return nil }
        // An unknown fresh level may be off by a tenth of what was gained.
        let doubt = sorted.count > 1 ? 0 : 0.1 * (now - fresh)
        let low = max(0, now - highest - doubt) / max(slope.high, slope.estimate)
        let high = (now - lowest + doubt) / (slope.low > 0.2 * slope.estimate ? slope.low : 0.2 * slope.estimate)
        let estimate = (now - fresh) / slope.estimate
        seconds = Estimate(estimate: estimate, low: min(low, estimate), high: max(high, estimate))
    }
}
