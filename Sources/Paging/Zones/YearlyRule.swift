/// How a zone's clocks are changed every year: the `TZ` string of POSIX with the extensions of RFC 9636, section 3.3.1.
package struct YearlyRule: Hashable, Sendable, Codable {
    package var standard: ZonePeriod
    /// nil: clocks are never changed.
    package var daylight: Daylight?

    /// The part of the year with other clocks; it may go over New Year.
    package struct Daylight: Hashable, Sendable, Codable {
        package var period: ZonePeriod
        package var begins: Change
        package var ends: Change
    }

    /// A day of the year and a time of that day, by the clock in force before the change.
    package struct Change: Hashable, Sendable, Codable {
        package var day: Day
        /// −167 h to 167 h, in seconds from 00:00.
        package var seconds: Int32
    }

    package enum Day: Hashable, Sendable, Codable {
        /// 1 to 365; 29 February is never counted.
        case withoutLeapDay(Int)
        /// 0 to 365; 29 February is counted.
        case withLeapDay(Int)
        /// Month 1 to 12, week 1 to 5 (5: the last), weekday 0 (Sunday) to 6.
        case weekday(month: Int, week: Int, weekday: Int)
    }

    package init(standard: ZonePeriod, daylight: Daylight? = nil) {
        self.standard = standard
        self.daylight = daylight
    }

    func period(at instant: Int64) -> ZonePeriod {
        guard let daylight else { return standard }
        var result = standard
        for change in changes(near: instant, daylight) where change.at <= instant {
            result = change.toDaylight ? daylight.period : standard
        }
        return result
    }

    func nextChange(after instant: Int64) -> Int64? {
        guard let daylight else { return nil }
        return changes(near: instant, daylight).first { $0.at > instant }?.at
    }

    /// The changes of the year before, of this one and of the next, in order.
    private func changes(near instant: Int64, _ daylight: Daylight) -> [(at: Int64, toDaylight: Bool)] {
        let year = CivilTime(seconds: instant).day.yearMonthDay.year
        var result: [(at: Int64, toDaylight: Bool)] = []
        for year in year - 1...year + 1 {
            let begin = daylight.begins.seconds(year: year) - Int64(standard.offsetSeconds)
            let end = daylight.ends.seconds(year: year) - Int64(daylight.period.offsetSeconds)
            result.append((begin, true))
            result.append((end, false))
        }
        // Where the end of one and the beginning of the next fall together, daylight saving time lasts all year.
        return result.sorted { ($0.at, $0.toDaylight ? 1 : 0) < ($1.at, $1.toDaylight ? 1 : 0) }
    }
}

extension YearlyRule.Change {
    /// Civil seconds since 1970.
    func seconds(year: Int) -> Int64 {
        firstSecond(of: day, year: year) + Int64(seconds)
    }

    private func firstSecond(of day: YearlyRule.Day, year: Int) -> Int64 {
        let newYear = CivilDay(year: year, month: 1, day: 1).number
        let number: Int64
        switch day {
        case .withoutLeapDay(let day):
            number = newYear + Int64(day - 1) + (CivilDay.isLeap(year) && day >= 60 ? 1 : 0)
        case .withLeapDay(let day):
            number = newYear + Int64(day)
        case .weekday(let month, let week, let weekday):
            let first = CivilDay(year: year, month: month, day: 1)
            // Sunday is 0 here, and the seventh of `Weekday`.
            let firstWeekday = ((first.number + 4) % 7 + 7) % 7
            var day = 1 + (Int64(weekday) - firstWeekday + 7) % 7 + Int64(week - 1) * 7
            while day > Int64(CivilDay.length(ofMonth: month, year: year)) { day -= 7 }
            number = first.number + day - 1
        }
        return number * 86_400
    }
}
