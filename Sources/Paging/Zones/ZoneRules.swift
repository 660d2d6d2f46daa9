package import OakumModel

/// How far a clock on the wall is ahead of UTC for a while, and what that is called.
package struct ZonePeriod: Hashable, Sendable, Codable {
    /// Seconds east of UTC, −93,599 to 93,599 (RFC 9636, section 3.2: within −25 h and 26 h).
    package var offsetSeconds: Int32
    /// "CEST", "+03".
    package var abbreviation: String

    package init(offsetSeconds: Int32, abbreviation: String) {
        self.offsetSeconds = offsetSeconds
        self.abbreviation = abbreviation
    }
}

/// The instant at which clocks are changed, and to what.
package struct ZoneTransition: Hashable, Sendable, Codable {
    /// Seconds since 1970 in UTC.
    package var at: Int64
    package var period: ZonePeriod

    package init(at: Int64, period: ZonePeriod) {
        self.at = at
        self.period = period
    }
}

/// A time zone as a value: all changes of the clock that are known, and the rule for the years after the last of them.
///
/// Read from a zone file by `init(name:file:)`. Lookups cost a binary search; beyond the last transition, the
/// computation of a few years' changes.
package struct ZoneRules: Hashable, Sendable, Codable {
    /// "Europe/Vienna".
    package var name: String
    /// Before the first transition.
    package var first: ZonePeriod
    /// Ascending.
    package var transitions: [ZoneTransition]
    /// After the last transition; nil: the last period goes on for ever.
    package var rule: YearlyRule?

    package init(name: String, first: ZonePeriod, transitions: [ZoneTransition] = [], rule: YearlyRule? = nil) {
        self.name = name
        self.first = first
        self.transitions = transitions
        self.rule = rule
    }

    package static let utc = ZoneRules(name: "UTC", first: ZonePeriod(offsetSeconds: 0, abbreviation: "UTC"))

    /// What clocks show at an instant (seconds since 1970 in UTC).
    package func period(at instant: Int64) -> ZonePeriod {
        let known = known(through: instant)
        guard known == transitions.count, let rule else {
            return known == 0 ? first : transitions[known - 1].period
        }
        // A rule without daylight saving time, or one that has not begun yet, says it all by itself.
        return rule.period(at: instant)
    }

    package func civil(at instant: Int64) -> CivilTime {
        CivilTime(seconds: instant + Int64(period(at: instant).offsetSeconds))
    }

    package func civil(at wall: WallTime) -> CivilTime {
        civil(at: wall.milliseconds.dividedDown(by: 1_000))
    }

    /// The first instant at which clocks show this time or a later one, in seconds since 1970 in UTC.
    ///
    /// So a time that is skipped when clocks go forward means the moment of the change, and one that comes twice when
    /// they go back means its first coming. A later civil time is never an earlier instant.
    package func instant(of civil: CivilTime) -> Int64 {
        // No clock is further than this from UTC, so it cannot show the time before, and shows it by the end.
        let reach: Int64 = 26 * 3_600
        var from = civil.seconds - reach
        while from <= civil.seconds + reach {
            let wanted = max(from, civil.seconds - Int64(period(at: from).offsetSeconds))
            guard let next = nextTransition(after: from), next <= wanted else { return wanted }
            from = next
        }
        return from
    }

    /// When the clock is changed next, at the latest a year and a day later; nil: not within that time.
    ///
    /// A change may be one of the name alone.
    package func nextTransition(after instant: Int64) -> Int64? {
        let known = known(through: instant)
        if known < transitions.count { return transitions[known].at }
        return rule?.nextChange(after: instant)
    }

    /// How many transitions have happened by then.
    private func known(through instant: Int64) -> Int {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= instant { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension ZoneRules {
    /// "10:04 CET".
    package func timeOfDay(at wall: WallTime) -> String {
        "\(civil(at: wall).description.dropFirst(11).prefix(5)) \(abbreviation(at: wall))"
    }

    /// "Sat 2026-01-10 00:00 CET".
    package func dayAndTime(at wall: WallTime) -> String {
        let civil = civil(at: wall)
        return "\(civil.weekday.rawValue) \(civil.description.prefix(16)) \(abbreviation(at: wall))"
    }

    /// Seconds east of UTC.
    package func offsetSeconds(at wall: WallTime) -> Int {
        Int(period(at: wall.milliseconds.dividedDown(by: 1_000)).offsetSeconds)
    }

    /// As `nextTransition`.
    package func nextChange(after wall: WallTime) -> WallTime? {
        nextTransition(after: wall.milliseconds.dividedDown(by: 1_000)).map { WallTime(seconds: $0) }
    }

    private func abbreviation(at wall: WallTime) -> String {
        period(at: wall.milliseconds.dividedDown(by: 1_000)).abbreviation
    }
}
