/// A date and a time of day as a calendar and a clock on the wall show them, in no particular zone.
///
/// Proleptic Gregorian calendar, years 1 to 9999. Arithmetic knows nothing of clocks that are changed: a day always has
/// 86,400 s. `ZoneRules` says which instant is meant.
package struct CivilTime: Hashable, Comparable, Sendable {
    /// Since 1970-01-01 00:00 on the same clock.
    package var seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }

    /// nil: there is no such date or time of day.
    package init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard (1...9999).contains(year), (1...12).contains(month), (0...23).contains(hour),
            (0...59).contains(minute), (0...59).contains(second),
            (1...CivilDay.length(ofMonth: month, year: year)).contains(day)
        else { return nil }
        let days = CivilDay(year: year, month: month, day: day).number
        seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    }

    package var day: CivilDay { CivilDay(number: seconds.dividedDown(by: 86_400)) }

    /// 0 to 86,399.
    package var secondOfDay: Int64 { seconds - day.number * 86_400 }

    package var weekday: Weekday { day.weekday }

    package static func < (left: CivilTime, right: CivilTime) -> Bool {
        left.seconds < right.seconds
    }

    package static func + (left: CivilTime, right: Int64) -> CivilTime {
        CivilTime(seconds: left.seconds + right)
    }
}

/// Written "2026-12-24 09:00", with ":30" for seconds that are not 0.
extension CivilTime: CustomStringConvertible {
    package var description: String {
        let (year, month, day) = self.day.yearMonthDay
        let second = Int(secondOfDay)
        let date = padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2)
        let time = padded(second / 3_600, 2) + ":" + padded(second / 60 % 60, 2)
        return date + " " + time + (second % 60 == 0 ? "" : ":" + padded(second % 60, 2))
    }

    /// Reads "2026-12-24", "2026-12-24 09:00" and "2026-12-24T09:00:30"; nil: none of these, or no such time.
    package init?(_ text: String) {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == " " || $0 == "T" }
        guard (1...2).contains(parts.count), let date = Self.numbers(parts[0], by: "-", digits: [4, 2, 2]) else {
            return nil
        }
        var time = [0, 0, 0]
        if parts.count == 2 {
            guard
                let read = Self.numbers(parts[1], by: ":", digits: [2, 2])
                    ?? Self.numbers(parts[1], by: ":", digits: [2, 2, 2])
            else { return nil }
            time = read + (read.count == 2 ? [0] : [])
        }
        self.init(
            year: date[0], month: date[1], day: date[2], hour: time[0], minute: time[1], second: time[2])
    }

    private static func numbers(_ text: Substring, by separator: Character, digits: [Int]) -> [Int]? {
        let fields = text.split(separator: separator, omittingEmptySubsequences: false)
        guard fields.count == digits.count else { return nil }
        var result: [Int] = []
        for (field, count) in zip(fields, digits) {
            guard field.utf8.count == count, field.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(field)
            else { return nil }
            result.append(number)
        }
        return result
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

/// Stored as it is written.
extension CivilTime: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = CivilTime(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a date and time")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
