package import OakumModel

/// Requests that take too long: the share above a threshold where the service publishes a histogram, else the mean.
package struct LatencyRule: Sendable {
    package let settings: LatencySettings
    private var slow: BurnRule
    package private(set) var impact: ShareImpact
    private var means = WindowSums()
    private var newestMean: Uptime?
    private var isMeanHigh = false
    /// The bound of the histogram that is counted from.
    package private(set) var bound: Double?

    package init(_ settings: LatencySettings) {
        self.settings = settings
        slow = BurnRule(settings.burn)
        impact = ShareImpact(allowed: slow.allowed)
    }

    /// The requests of a worker that took too long, since its start; nil: it publishes no histogram that could tell.
    package mutating func slowTotal(_ counters: WorkerCounters) -> Double? {
        guard let all = counters.durationCount,
            let bucket = counters.durations.first(where: { $0.bound >= settings.thresholdSeconds * 0.999 })
        else { return nil }
        bound = bucket.bound
        return max(0, all - bucket.count)
    }

    package mutating func add(all: Double, slow count: Double, from: Uptime, until: Uptime) {
        slow.add(all: all, bad: min(all, count), from: from, until: until)
    }

    /// The sums of a whole reading, for the moment of change.
    package mutating func addToImpact(all: Double, slow: Double, from: Moment, at now: Moment) {
        impact.add(all: all, bad: min(all, slow), from: from, at: now)
    }

    package mutating func addMean(count: Double, seconds: Double, from: Uptime, until: Uptime) {
        means.add(WindowSums.Sums(all: count, bad: seconds), from: from, until: until)
        newestMean = max(newestMean ?? until, until)
    }

    /// It fired when Oakum ended.
    package mutating func assume() { slow.assume() }

    package mutating func condition(at now: Uptime) -> Condition {
        let share = slow.condition(at: now)
        guard share == .unknown else { return share }
        guard let newestMean, now - newestMean <= 15, let pair = settings.burn.pairs.first else { return .unknown }
        let long = means.sum(seconds: pair.longSeconds, until: now)
        let short = means.sum(seconds: pair.shortSeconds, until: now)
        guard let recent = Self.mean(short) else {
            isMeanHigh = false
            return .low
        }
        if isMeanHigh {
            isMeanHigh = recent > settings.thresholdSeconds * 0.8
        } else if let mean = Self.mean(long), long.all >= settings.burn.minimumRequests {
            isMeanHigh = mean > settings.thresholdSeconds && recent > settings.thresholdSeconds
        }
        return isMeanHigh ? .high(settings.meanSeverity) : .low
    }

    private static func mean(_ sums: WindowSums.Sums) -> Double? { sums.all > 0 ? sums.bad / sums.all : nil }

    func text(service: String, at now: Moment) -> (over: AlertText, going: AlertText) {
        let limit = Words.seconds(bound ?? settings.thresholdSeconds)
        let what = "requests answered within \(limit)"
        let impact = impact.impact(what, service: service)
        let since = self.impact.episode?.from
        let over = AlertText("\(service): requests are fast again", since: since, impact: impact)
        if bound != nil, let reading = slow.readings(at: now.uptime).first(where: { $0.holds }) {
            let sums = reading.long
            return (
                over,
                AlertText(
                    "\(service): \(Words.percent(sums.badShare ?? 0)) of requests take longer than \(limit) "
                        + "(\(Words.count(sums.bad)) of \(Words.count(sums.all)) in "
                        + "\(Words.seconds(reading.windows.longSeconds))); \(Words.percent(slow.allowed)) may",
                    details: slow.details("take longer than \(limit)", at: now.uptime),
                    labels: ["threshold_s": Words.fixed(bound ?? settings.thresholdSeconds, 3)], since: since,
                    impact: impact)
            )
        }
        let windows = settings.burn.pairs.first
        let mean = Self.mean(means.sum(seconds: windows?.longSeconds ?? 60, until: now.uptime)) ?? 0
        let text =
            bound == nil
            ? "\(service): requests take \(Words.seconds(mean)) on average; \(limit) is the limit"
            : "\(service): requests took longer than \(limit) just now"
        return (over, AlertText(text, since: since, impact: impact))
    }
}
