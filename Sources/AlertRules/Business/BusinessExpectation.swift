import Glibc
package import OakumModel

/// What earlier days, or the last hour, lead one to expect of a rate.
///
/// Rate of a moment = median over earlier days of the rate in the 25 minutes around the same time of day, on the same weekday
/// where four of them are known, else on working days or on weekends alike where three are; times the level of today, 0.6 to 1: what the last six hours came to beside their own expectation. Without enough days: the
/// median of the last hour, and then only what is clearly less than any hour's usual change counts.
///
/// A median of n ≥ 3 days is not moved by one day that was bad, or by two of five. About 60 KiB.
package struct BusinessExpectation: Sendable {
    /// A rate with how well it is known.
    package struct Rate: Hashable, Sendable {
        package var perSecond: Double
        /// The least of what it is just before and just after: less than `perSecond` where the day goes steeply up or down.
        package var around: Double
        /// Relative standard deviation of what a usual day's rate is beside it.
        package var deviation: Double
        /// Variance over mean of counts: 1 for events that come singly.
        package var dispersion: Double
        /// "the same hour of 5 earlier days".
        package var basis: String
        package var isSeasonal: Bool

        /// What a usual moment is hardly ever below.
        package var low: Double {
            let usual = around * exp(-BusinessExpectation.margin * deviation)
            return isSeasonal ? usual : usual * BusinessExpectation.hourlyChange
        }

        /// Of so many seconds, with an interval of 95 %.
        package func estimate(_ expected: Double) -> Estimate {
            let spread = 1.96 * (deviation * deviation + dispersion / max(expected, 1)).squareRoot()
            return Estimate(
                estimate: expected, low: expected * exp(-spread), high: expected * exp(spread))
        }
    }

    /// Standard deviations a usual rate may lie below the expected one.
    static let margin = 2.0
    /// An hour may bring down a rate by so much without anything being wrong.
    static let hourlyChange = 0.8
    /// Today may be so much quieter than other days.
    static let leastLevel = 0.6
    private static let slotsPerDay = 86_400 / BusinessBucket.seconds
    /// Neighbours on either side that a bucket's rate is smoothed over.
    private static let reach = 2
    /// What is newer than this many buckets does not speak for the level: it may be the incident.
    private static let levelGap = 6
    private static let levelSpan = 72

    private let zone: ZoneOffsets
    private var ring = BucketRing()
    private(set) var wander = RateWander()
    /// What was seen of the last six hours beside what was expected, by bucket number.
    private var seen: [(number: Int, actual: Double, expected: Double)] = []

    package init(zone: ZoneOffsets = .utc) {
        self.zone = zone
    }

    /// What is known of earlier times, in any order. About 20 ms for 35 days.
    package mutating func load(_ buckets: [BusinessBucket]) {
        let rising = buckets.sorted { $0.start < $1.start }.suffix(BusinessBucket.limit)
        guard let last = rising.last?.number else { return }
        for bucket in rising where bucket.number < last - 7 * Self.slotsPerDay { ring.add(bucket) }
        for bucket in rising where bucket.number >= last - 7 * Self.slotsPerDay { add(bucket) }
    }

    /// A bucket that is over.
    package mutating func add(_ bucket: BusinessBucket) {
        let number = bucket.number
        let seasonal = seasonalRate(number)?.rate
        ring.add(bucket)
        guard let rate = bucket.rate else { return }
        if let seasonal {
            let level = level(at: number)
            seen.append((number, rate, seasonal))
            if seen.count > Self.levelSpan { seen.removeFirst(seen.count - Self.levelSpan) }
            let width = Double(BusinessBucket.seconds)
            wander.add(count: rate * width, expected: seasonal * level * width)
        } else {
            wander.add(count: rate * Double(BusinessBucket.seconds), expected: nil)
        }
    }

    /// The clock was set: what was noted of the last hours is not comparable with what comes.
    package mutating func clockWasSet() {
        seen = []
    }

    /// nil: neither enough days nor half an hour of today are known.
    ///
    /// - Parameter trustsClock: false: the lower one of both ways, because the time of day may be wrong.
    package func rate(at time: WallTime, trustsClock: Bool = true) -> Rate? {
        let number = BusinessBucket.number(time)
        let recent = recentRate(number)
        guard let seasonal = seasonalRate(number) else { return recent }
        let level = level(at: number)
        // What a median of so many days is off by, beside what the days differ by.
        let median = 1.57 / Double(seasonal.days)
        let smoothed = seasonal.rate * Double(BusinessBucket.seconds * (2 * Self.reach + 1))
        let own = wander.deviation
        let deviation = (own * own * (1 + median) + median * wander.dispersion / max(smoothed, 0.5)).squareRoot()
        let rate = Rate(
            perSecond: seasonal.rate * level, around: seasonal.around * level, deviation: min(1, deviation),
            dispersion: wander.dispersion,
            basis: seasonal.basis, isSeasonal: true)
        if !trustsClock, let recent, recent.low < rate.low { return recent }
        return rate
    }

    /// What is left of the expectation of earlier days today: 0.6 to 1.
    private func level(at number: Int) -> Double {
        var actual = 0.0
        var expected = 0.0
        for past in seen where past.number <= number - Self.levelGap && past.number > number - Self.levelSpan {
            actual += past.actual
            expected += past.expected
        }
        guard expected * Double(BusinessBucket.seconds) >= 50 else { return 1 }
        return min(1, max(Self.leastLevel, actual / expected))
    }

    /// The median of the last hour, without the ten minutes before now; or, if that is less, where the last twenty minutes
    /// before those are heading: the evening is no incident.
    private func recentRate(_ number: Int) -> Rate? {
        let rates = (number - 14...number - 2).compactMap { ring.rate($0) }
        guard rates.count >= 4 else { return nil }
        let last = rates.suffix(4).map { $0 }
        let (before, after) = ((last[0] + last[1]) / 2, (last[2] + last[3]) / 2)
        // Two buckets apart, and two and a half more until now.
        let heading = after + min(0, (after - before) / 2 * 2.5)
        let rate = max(0, min(Self.median(rates), heading))
        let counted = rate * Double(2 * BusinessBucket.seconds)
        let own = wander.deviation
        return Rate(
            perSecond: rate, around: rate,
            deviation: min(1, (own * own + wander.dispersion / max(counted, 0.5)).squareRoot()),
            dispersion: wander.dispersion, basis: "the last hour", isSeasonal: false)
    }
}

// MARK: - Days

extension BusinessExpectation {
    struct Seasonal {
        var rate: Double
        var around: Double
        var days: Int
        var basis: String
    }

    private struct Day {
        var rate: Double
        var around: Double
        var weekday: Int
    }

    private func seasonalRate(_ number: Int) -> Seasonal? {
        let now = BusinessBucket.start(number)
        let offset = zone.seconds(at: now)
        let weekday = Self.weekday(now, offset)
        var days: [Day] = []
        for back in 1..<BusinessBucket.days {
            var past = WallTime(milliseconds: now.milliseconds - Int64(back) * 86_400_000)
            past.milliseconds += Int64(offset - zone.seconds(at: past)) * 1_000
            guard var day = smoothed(BusinessBucket.number(past)) else { continue }
            day.weekday = (weekday - back % 7 + 7) % 7
            days.append(day)
        }
        let same = days.filter { $0.weekday == weekday }
        if same.count >= 4 { return Self.seasonal(same, "\(same.count) earlier \(Self.names[weekday])") }
        // From midnight to eight in the morning it may still be yesterday, or today already.
        return alike(days, Set([-4, 4].map { Self.isWeekend(Self.weekday(now, offset + $0 * 3_600)) }))
    }

    /// Of working days, or of weekends; of both whichever is less.
    private func alike(_ days: [Day], _ kinds: Set<Bool>) -> Seasonal? {
        var result: Seasonal?
        for isWeekend in kinds.sorted(by: { !$0 && $1 }) {
            let alike = days.filter { Self.isWeekend($0.weekday) == isWeekend }.prefix(10)
            // A Saturday says nothing of a Monday.
            guard alike.count >= 3 else { return nil }
            let kind = isWeekend ? "weekend" : "working"
            var seasonal = Self.seasonal(Array(alike), "\(alike.count) earlier \(kind) days")
            // A Monday is no Friday: what one in four was below says nothing yet.
            let low = alike.map(\.around).sorted()
            seasonal.around = min(seasonal.around, low[(low.count - 1) / 4])
            if seasonal.around < result?.around ?? .infinity { result = seasonal }
        }
        return result
    }

    private static func isWeekend(_ weekday: Int) -> Bool { weekday == 0 || weekday == 6 }

    private static func seasonal(_ days: [Day], _ which: String) -> Seasonal {
        Seasonal(
            rate: median(days.map(\.rate)), around: median(days.map(\.around)), days: days.count,
            basis: "the same hour of \(which)")
    }

    private func smoothed(_ number: Int) -> Day? {
        let rates = (number - Self.reach...number + Self.reach).map { ring.rate($0) }
        guard rates.count(where: { $0 != nil }) >= 3 else { return nil }
        func mean(_ some: ArraySlice<Double?>) -> Double? {
            let known = some.compactMap { $0 }
            return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
        }
        guard let rate = mean(rates[...]) else { return nil }
        let sides = [mean(rates[...Self.reach]), mean(rates[Self.reach...])].compactMap { $0 }
        return Day(rate: rate, around: min(rate, sides.min() ?? rate), weekday: 0)
    }

    /// 0: Sunday. 1 January 1970 was a Thursday. A night belongs to the day before it: days begin when least is going on.
    private static func weekday(_ time: WallTime, _ offset: Int) -> Int {
        let seconds = Int((Double(time.milliseconds) / 1_000).rounded(.down)) + offset - 4 * 3_600
        let day = Int((Double(seconds) / 86_400).rounded(.down))
        return ((day + 4) % 7 + 7) % 7
    }

    private static let names = [
        "Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays",
    ]

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
