import Glibc
import OakumModel

/// Wall times as the formats of channels write them, always in UTC.
enum UTCText {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// "2026-11-21T10:00:00Z".
    static func rfc3339(_ time: WallTime) -> String {
        let parts = civil(time)
        return "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1))-\(padded(Int(parts.tm_mday)))"
            + "T\(clock(parts))Z"
    }

    /// "Sat, 21 Nov 2026 10:00:00 +0000" (RFC 5322, section 3.3).
    static func rfc5322(_ time: WallTime) -> String {
        let parts = civil(time)
        return "\(days[Int(parts.tm_wday)]), \(Int(parts.tm_mday)) \(months[Int(parts.tm_mon)]) "
            + "\(padded(Int(parts.tm_year) + 1900, 4)) \(clock(parts)) +0000"
    }

    /// Seconds since 1970 of "Sat, 21 Nov 2026 10:00:00 GMT" (RFC 9110, section 5.6.7); nil for anything else: the two
    /// forms that are obsolete since 1997 are not read.
    static func httpDate(_ text: String) -> Int64? {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 6, words[5] == "GMT", words[0].hasSuffix(","), days.contains(String(words[0].dropLast())),
            let day = number(words[1], 1...31), let month = months.firstIndex(of: String(words[2])),
            let year = number(words[3], 1970...9999)
        else { return nil }
        let clock = words[4].split(separator: ":")
        guard clock.count == 3, let hour = number(clock[0], 0...23), let minute = number(clock[1], 0...59),
            let second = number(clock[2], 0...60)
        else { return nil }
        var parts = tm()
        parts.tm_year = Int32(year - 1900)
        parts.tm_mon = Int32(month)
        parts.tm_mday = Int32(day)
        parts.tm_hour = Int32(hour)
        parts.tm_min = Int32(minute)
        parts.tm_sec = Int32(second)
        return Int64(timegm(&parts))
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int>) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int(text), range.contains(value)
        else { return nil }
        return value
    }

    /// Held between the years 0 and 9999, which the formats can write.
    private static func civil(_ time: WallTime) -> tm {
        let seconds = (Double(time.milliseconds) / 1000).rounded(.down)
        var stamp = time_t(min(max(seconds, -62_167_219_200), 253_402_300_799))
        var parts = tm()
        gmtime_r(&stamp, &parts)
        return parts
    }

    private static func clock(_ parts: tm) -> String {
        "\(padded(Int(parts.tm_hour))):\(padded(Int(parts.tm_min))):\(padded(Int(parts.tm_sec)))"
    }

    private static func padded(_ value: Int, _ width: Int = 2) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
