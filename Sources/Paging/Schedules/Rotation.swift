/// People who take turns.
///
/// Turns are counted on the clock on the wall: a handover at 09:00 stays one at 09:00 when clocks are changed, and the
/// turn is then an hour shorter or longer.
package struct Rotation: Hashable, Sendable, Codable {
    /// In order, over and over; somebody may stand in it twice.
    package var members: [String]
    /// When the first member's first turn begins; nobody is on call before.
    package var start: CivilTime
    /// The length of a turn by the clock on the wall, from 1 h to 52 weeks.
    package var turnSeconds: Int64
    /// Times of the week to which the rotation is limited; empty: always.
    package var windows: [WeeklyWindow]

    package init(members: [String], start: CivilTime, turnSeconds: Int64, windows: [WeeklyWindow] = []) {
        self.members = members
        self.start = start
        self.turnSeconds = turnSeconds
        self.windows = windows
    }

    private enum CodingKeys: String, CodingKey {
        case members, start, windows
        case turnSeconds = "turn_s"
    }
}

/// A time of day on some days of the week: business hours, nights.
package struct WeeklyWindow: Hashable, Sendable, Codable {
    /// On which it begins.
    package var days: [Weekday]
    /// Seconds from 00:00, 0 to 86,399.
    package var fromSecond: Int64
    /// 1 to 86,400, or not later than `fromSecond`: then it ends on the day after.
    package var untilSecond: Int64

    package init(days: [Weekday], fromSecond: Int64, untilSecond: Int64) {
        self.days = days
        self.fromSecond = fromSecond
        self.untilSecond = untilSecond
    }

    private enum CodingKeys: String, CodingKey {
        case days
        case fromSecond = "from_s"
        case untilSecond = "until_s"
    }
}
