import OakumModel

/// Quantities as people read them.
struct Wording: Sendable {
    let unit: SeriesUnit
    let scale: Double

    init(_ settings: DetectionSettings) {
        unit = settings.unit
        scale = settings.unitScale
    }

    func amount(_ value: Double) -> String {
        switch unit {
        case .percent: Self.decimal(value * scale, places: 1) + " %"
        case .bytes: ByteCount(Self.whole(value * scale)).description
        }
    }

    /// A rate in the time unit that makes the number readable: "0.80 MiB/s (0.74–0.86)".
    func rate(_ slope: Double, low: Double, high: Double) -> String {
        let (factor, per): (Double, String) = perTime(slope * scale)
        let (divisor, name) = prefix(abs(slope * scale * factor))
        func number(_ value: Double) -> String { Self.decimal(value * scale * factor / divisor, places: 2) }
        return "\(number(slope)) \(name)/\(per) (\(number(low))–\(number(high)))"
    }

    private func perTime(_ slope: Double) -> (Double, String) {
        let readable = unit == .bytes ? 65_536.0 : 0.1
        if abs(slope) >= readable { return (1, "s") }
        if abs(slope) * 3_600 >= readable { return (3_600, "h") }
        return (86_400, "day")
    }

    private func prefix(_ value: Double) -> (Double, String) {
        guard unit == .bytes else { return (1, "points") }
        if value >= 1_073_741_824 { return (1_073_741_824, "GiB") }
        if value >= 52_428 { return (1_048_576, "MiB") }
        return (1_024, "KiB")
    }

    static func duration(_ seconds: Double) -> String {
        switch abs(seconds) {
        case ..<120: "\(decimal(seconds, places: 0)) s"
        case ..<7_200: "\(decimal(seconds / 60, places: 0)) min"
        case ..<172_800: "\(decimal(seconds / 3_600, places: 1)) h"
        default: "\(decimal(seconds / 86_400, places: 1)) days"
        }
    }

    /// "40–46 s", in the unit of the longer one; nil for an end that is never reached.
    static func durations(_ low: Double, _ high: Double?) -> String {
        guard let high else { return "\(duration(low)) or more" }
        let long = duration(high)
        let parts = long.split(separator: " ")
        guard let name = parts.last else { return long }
        let divisors: [Substring: Double] = ["s": 1, "min": 60, "h": 3_600, "days": 86_400]
        let divisor = divisors[name] ?? 1
        let short = decimal(low / divisor, places: divisor > 60 ? 1 : 0)
        return String(parts[0]) == short ? long : "\(short)–\(long)"
    }

    static func decimal(_ value: Double, places: Int) -> String {
        var power = 1.0
        for _ in 0..<places { power *= 10 }
        let scaled = whole((abs(value) * power).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(scaled)" }
        let digits = "\(scaled % Int64(power))"
        return "\(sign)\(scaled / Int64(power))." + String(repeating: "0", count: places - digits.count) + digits
    }

    /// The nearest whole number that fits; 0 for a value that is no number.
    static func whole(_ value: Double) -> Int64 {
        guard !value.isNaN else { return 0 }
        return Int64(max(-9.0e18, min(9.0e18, value.rounded())))
    }
}
