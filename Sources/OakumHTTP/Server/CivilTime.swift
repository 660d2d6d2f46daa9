import Glibc
import OakumModel

/// Reads the wall clock: for the Date header and for what the page says about itself.
struct WallClock: Sendable {
    var now: @Sendable () -> WallTime = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// A wall time as date and time of day in UTC, for years 0 to 9999; others are held at the ends.
struct CivilTime: Hashable, Sendable {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
    /// 0 is Sunday.
    var weekday: Int

    /// Days to dates after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    init(_ time: WallTime) {
        let seconds = min(max(Self.floor(time.milliseconds, 1000), -62_167_219_200), 253_402_300_799)
        let days = Self.floor(seconds, 86_400)
        let clock = seconds - days * 86_400
        let shifted = days + 719_468
        let era = Self.floor(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthIndex + 2) / 5 + 1)
        month = Int(monthIndex < 10 ? monthIndex + 3 : monthIndex - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        hour = Int(clock / 3600)
        minute = Int(clock / 60 % 60)
        second = Int(clock % 60)
        let sinceThursday = days % 7
        weekday = Int((sinceThursday + 11) % 7)
    }

    private static func floor(_ value: Int64, _ unit: Int64) -> Int64 {
        value / unit - (value % unit < 0 ? 1 : 0)
    }

    static func padded(_ value: Int, _ width: Int = 2) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// "14:03:09".
    var clockText: String { "\(Self.padded(hour)):\(Self.padded(minute)):\(Self.padded(second))" }

    /// "2026-03-09".
    var dateText: String { "\(Self.padded(year, 4))-\(Self.padded(month))-\(Self.padded(day))" }

    /// RFC 3339 in UTC, to the second.
    var isoText: String { "\(dateText)T\(clockText)Z" }

    /// RFC 3339 in UTC, to the millisecond.
    static func isoText(_ time: WallTime) -> String {
        let civil = CivilTime(time)
        let rest = Int((time.milliseconds % 1000 + 1000) % 1000)
        return "\(civil.dateText)T\(civil.clockText).\(padded(rest, 3))Z"
    }
}

/// The date format of HTTP headers (RFC 9110, section 5.6.7).
enum HTTPDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func text(_ time: WallTime) -> String {
        let civil = CivilTime(time)
        let date = "\(CivilTime.padded(civil.day)) \(months[civil.month - 1]) \(CivilTime.padded(civil.year, 4))"
        return "\(days[civil.weekday]), \(date) \(civil.clockText) GMT"
    }
}
