package import OakumModel

/// Multi-window burn rates of one service's share of bad requests. Requests in, condition and numbers out.
///
/// burn = share of bad requests ÷ (1 − target). A pair takes hold when the burn of both of its windows is at least its factor,
/// both saw enough requests, the long one enough bad ones, the short one is covered, and the last five minutes still burn; it
/// lets go when the short window's burn is below `clearShare` of the factor, or nothing to speak of burnt in the last five
/// minutes.
package struct BurnRule: Sendable {
    /// What a pair's windows show.
    package struct Reading: Hashable, Sendable {
        package var windows: BurnWindows
        package var long: WindowSums.Sums
        package var short: WindowSums.Sums
        package var holds: Bool
    }

    package let settings: BurnRateSettings
    private var sums = WindowSums()
    private var pairs: [BurnWindows]
    private var holding: [Bool]
    private var newest: Uptime?
    /// Since when there is anything to look at: a window that is not covered says nothing.
    private var begin: Uptime?
    /// An alert of it fired when Oakum ended.
    private var isAssumed = false
    /// Requests that are told of this late say nothing of now, seconds.
    private static let staleSeconds = 15.0
    /// Whether it still burns is read from so many seconds, or from the short window when that is shorter.
    private static let recentSeconds = 300.0

    package init(_ settings: BurnRateSettings) {
        self.settings = settings
        pairs = Array(settings.pairs.prefix(6)).filter { $0.shortSeconds > 0 && $0.longSeconds > $0.shortSeconds }
        holding = pairs.map { _ in false }
    }

    /// 1 − target.
    package var allowed: Double { min(0.5, max(1e-5, 1 - settings.target)) }

    package mutating func add(all: Double, bad: Double, from: Uptime, until: Uptime) {
        sums.add(WindowSums.Sums(all: all, bad: bad), from: from, until: until)
        newest = max(newest ?? until, until)
        begin = min(begin ?? from, from)
    }

    /// It fired when Oakum ended: it does not end just because windows are not covered yet.
    package mutating func assume() { isAssumed = true }

    package mutating func condition(at now: Uptime) -> Condition {
        guard let newest, now - newest <= Self.staleSeconds else { return .unknown }
        // Most of the time nothing fails: then the long windows need not be looked at.
        let recent = sums.sum(seconds: Self.recentSeconds, until: now)
        guard recent.bad > 0 else {
            for index in holding.indices { holding[index] = false }
            return .low
        }
        var worst: Severity?
        for index in pairs.indices {
            holding[index] =
                holding[index] ? goesOn(pairs[index], recent, at: now) : begins(pairs[index], recent, at: now)
            if holding[index] { worst = max(worst ?? .info, pairs[index].severity) }
        }
        if let worst { return .high(worst) }
        return isAssumed && mayGoOn(recent, at: now) ? .between : .low
    }

    /// What is seen so far burns as if a pair held that cannot tell yet.
    private func mayGoOn(_ recent: WindowSums.Sums, at now: Uptime) -> Bool {
        guard let begin else { return false }
        return pairs.contains { now - begin < $0.shortSeconds && goesOn($0, recent, at: now) }
    }

    /// What burns now, of the short window when that is shorter.
    private func fresh(_ pair: BurnWindows, _ recent: WindowSums.Sums, at now: Uptime) -> Double {
        let sums = pair.shortSeconds < Self.recentSeconds ? sums.sum(seconds: pair.shortSeconds, until: now) : recent
        return sums.badShare ?? 0
    }

    private func goesOn(_ pair: BurnWindows, _ recent: WindowSums.Sums, at now: Uptime) -> Bool {
        guard fresh(pair, recent, at: now) >= settings.clearShare * allowed else { return false }
        let short = sums.sum(seconds: pair.shortSeconds, until: now)
        return (short.badShare ?? 0) >= settings.clearShare * min(pair.factor * allowed, 0.99)
    }

    private func begins(_ pair: BurnWindows, _ recent: WindowSums.Sums, at now: Uptime) -> Bool {
        guard fresh(pair, recent, at: now) >= allowed, let begin, now - begin >= pair.shortSeconds else { return false }
        // Never more than all of them.
        let share = min(pair.factor * allowed, 0.99)
        // Of the short window less is asked: it only says that it goes on.
        let enough = min(settings.minimumRequests, settings.minimumRequests * pair.shortSeconds / pair.longSeconds * 3)
        let short = sums.sum(seconds: pair.shortSeconds, until: now)
        guard short.all >= max(1, enough), let shortShare = short.badShare, shortShare >= share else { return false }
        let long = sums.sum(seconds: pair.longSeconds, until: now)
        guard long.all >= settings.minimumRequests, long.bad >= settings.minimumBad, let longShare = long.badShare
        else { return false }
        return longShare >= share
    }

    /// What the windows show, the pairs that hold first, else the fastest.
    package func readings(at now: Uptime) -> [Reading] {
        zip(pairs, holding).map { pair, holds in
            Reading(
                windows: pair, long: sums.sum(seconds: pair.longSeconds, until: now),
                short: sums.sum(seconds: pair.shortSeconds, until: now), holds: holds)
        }
        .enumerated()
        .sorted { ($0.element.holds ? 0 : 1, $0.offset) < ($1.element.holds ? 0 : 1, $1.offset) }
        .map(\.element)
    }

    /// How many times faster than allowed the budget goes.
    package func burn(_ sums: WindowSums.Sums) -> Double? { sums.badShare.map { $0 / allowed } }

    package func sum(seconds: Double, at now: Uptime) -> WindowSums.Sums { sums.sum(seconds: seconds, until: now) }

    /// One sentence a pair, and how long the budget lasts at the present pace.
    ///
    /// - Parameter bad: what the bad ones do: "fail", "take longer than 1 s".
    func details(_ bad: String, at now: Uptime) -> [String] {
        var lines = readings(at: now).compactMap { reading -> String? in
            guard let long = reading.long.badShare, let burn = burn(reading.long) else { return nil }
            let short = reading.short.badShare.map {
                "; last \(Words.seconds(reading.windows.shortSeconds)): \(Words.percent($0))"
            }
            return "Last \(Words.seconds(reading.windows.longSeconds)): \(Words.percent(long)) \(bad)\(short ?? ""), "
                + "a burn of \(Words.fixed(burn, 1)) (told from \(Words.fixed(reading.windows.factor, 1)) on)"
        }
        let fast = readings(at: now).first?.short ?? WindowSums.Sums()
        if let burn = burn(fast), burn > 1 {
            let left = settings.periodDays * 86_400 / burn
            lines.append(
                "At this pace the allowance of \(Words.fixed(settings.periodDays, 0)) days "
                    + "(\(Words.percent(allowed))) is gone in \(Words.seconds(left))")
        }
        return lines
    }
}
