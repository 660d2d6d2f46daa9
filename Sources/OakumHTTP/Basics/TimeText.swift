import OakumModel

/// Reads times of RFC 3339, section 5.6, as other systems write them.
enum TimeText {
    /// Nil for anything else. Years 0 to 9999; fractions below milliseconds are cut off; a leap second counts as the one
    /// before it.
    static func wallTime(_ text: String) -> WallTime? {
        let bytes = Array(text.utf8)
        guard (20...64).contains(bytes.count), isLetter(bytes[10], "t") || bytes[10] == 0x20,
            let year = number(bytes, 0..<4), bytes[4] == 0x2D, let month = number(bytes, 5..<7), bytes[7] == 0x2D,
            let day = number(bytes, 8..<10), let hour = number(bytes, 11..<13), bytes[13] == 0x3A,
            let minute = number(bytes, 14..<16), bytes[16] == 0x3A, let second = number(bytes, 17..<19),
            (1...12).contains(month), (1...daysOf(month, year)).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var position = 19
        var milliseconds: Int64 = 0
        if bytes[position] == 0x2E {
            guard let fraction = fraction(bytes, &position) else { return nil }
            milliseconds = fraction
        }
        guard let offset = offset(Array(bytes[position...])) else { return nil }
        let days = days(Int64(year), Int64(month), Int64(day))
        let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + min(second, 59)) - offset * 60
        return WallTime(milliseconds: seconds * 1000 + milliseconds)
    }

    /// Digits after the point; leaves the position after them.
    private static func fraction(_ bytes: [UInt8], _ position: inout Int) -> Int64? {
        position += 1
        var value: Int64 = 0
        var digits = 0
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
            if digits < 3 { value = value * 10 + Int64(bytes[position] - 0x30) }
            digits += 1
            position += 1
        }
        guard digits > 0 else { return nil }
        for _ in digits..<max(3, digits) { value *= 10 }
        return value
    }

    /// Minutes east of UTC.
    private static func offset(_ bytes: [UInt8]) -> Int64? {
        if bytes.count == 1, isLetter(bytes[0], "z") { return 0 }
        guard bytes.count == 6, bytes[0] == 0x2B || bytes[0] == 0x2D, bytes[3] == 0x3A,
            let hours = number(bytes, 1..<3), let minutes = number(bytes, 4..<6), hours < 24, minutes < 60
        else { return nil }
        let value = Int64(hours * 60 + minutes)
        return bytes[0] == 0x2D ? -value : value
    }

    private static func isLetter(_ byte: UInt8, _ letter: Unicode.Scalar) -> Bool {
        UInt32(byte | 0x20) == letter.value
    }

    private static func number(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        guard range.upperBound <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[range] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    private static func daysOf(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970 after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
