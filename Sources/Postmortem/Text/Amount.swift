import OakumModel

/// Quantities as people read them, the same on every machine.
enum Amount {
    /// "3.4 s", "38 s", "4 min 10 s", "1 h 5 min", "2 d 3 h"; the sign is left out.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e12 else { return "an unknown time" }
        let tenths = (abs(seconds) * 10).rounded() / 10
        if tenths < 10 { return "\(number(tenths)) s" }
        let whole = Int(abs(seconds).rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3_600 { return pair(whole / 60, "min", whole % 60, "s") }
        let minutes = (whole + 30) / 60
        if minutes < 1_440 { return pair(minutes / 60, "h", minutes % 60, "min") }
        let hours = (whole + 1_800) / 3_600
        return pair(hours / 24, "d", hours % 24, "h")
    }

    /// "38 s to 52 s", "at least 2 h".
    static func interval(_ time: TimeToLimit) -> String {
        guard let high = time.high else { return "at least \(duration(time.low))" }
        let (from, to) = (duration(time.low), duration(high))
        return from == to ? from : "\(from) to \(to)"
    }

    /// Whole numbers and large ones without decimals, others with one; thousands apart: "12,345", "3.4".
    static func number(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "unknown" }
        let sign = value < 0 ? "−" : ""
        let tenths = Int64((abs(value) * 10).rounded())
        let isWhole = tenths % 10 == 0 || tenths >= 1_000
        let whole = isWhole ? Int64(abs(value).rounded()) : tenths / 10
        let text = grouped(whole) + (isWhole ? "" : ".\(tenths % 10)")
        return (whole == 0 && (isWhole || tenths == 0) ? "" : sign) + text
    }

    /// "−50 %", "+12 %", "0 %".
    static func change(_ percent: Double) -> String {
        let whole = percent.rounded()
        return (whole > 0 ? "+" : "") + "\(number(whole)) %"
    }

    /// From 0 to 1: "81 %".
    static func share(_ fraction: Double) -> String {
        "\(number((fraction * 100).rounded())) %"
    }

    /// "95 to 98 %".
    static func shares(_ estimate: Estimate) -> String {
        let (low, high) = (number((estimate.low * 100).rounded()), number((estimate.high * 100).rounded()))
        return low == high ? "\(low) %" : "\(low) to \(high) %"
    }

    /// Bytes a second in the unit people would choose, with its interval: "1.21 MiB/s (1.10 to 1.32)".
    static func rate(_ slope: Estimate) -> String {
        let isFast = abs(slope.estimate) >= 100_000
        let unit = isFast ? "MiB/s" : "MiB/h"
        let factor = isFast ? 1 / 1_048_576.0 : 3_600 / 1_048_576.0
        let digits = isFast ? 2 : 1
        let words = [slope.estimate, slope.low, slope.high].map { fixed($0 * factor, digits) }
        return "\(words[0]) \(unit) (\(words[1]) to \(words[2]))"
    }

    /// With so many decimals, 0 to 3.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = [1.0, 10, 100, 1_000][min(max(digits, 0), 3)]
        guard value.isFinite, abs(value) * scale < 9e15 else { return "unknown" }
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled > 0 ? "−" : ""
        guard digits > 0 else { return sign + "\(scaled)" }
        let fraction = String(scaled % Int64(scale))
        let zeros = String(repeating: "0", count: max(0, min(digits, 3) - fraction.count))
        return sign + "\(scaled / Int64(scale)).\(zeros)\(fraction)"
    }

    /// "1 page", "3 pages".
    static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(grouped(Int64(number))) \(number == 1 ? one : many ?? one + "s")"
    }

    private static func pair(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
        small == 0 ? "\(large) \(largeUnit)" : "\(large) \(largeUnit) \(small) \(smallUnit)"
    }

    private static func grouped(_ number: Int64) -> String {
        var digits = Array(String(number))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return String(digits)
    }
}
