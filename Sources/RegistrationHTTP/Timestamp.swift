package import RegistrationCore

/// RFC 3339 in UTC, to the second.
package enum Timestamp {
    /// Days to dates by the proleptic Gregorian calendar, in eras of 400 years (H. Hinnant, "chrono-compatible low-level date
    /// algorithms").
    package static func text(_ time: UnixTime) -> String {
        let days = floorDivided(time.seconds, 86_400)
        let second = time.seconds - days * 86_400
        let shifted = days + 719_468
        let era = floorDivided(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + "\(padded(second / 3_600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))Z"
    }

    private static func floorDivided(_ value: Int64, _ divisor: Int64) -> Int64 {
        (value - (value < 0 ? divisor - 1 : 0)) / divisor
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
