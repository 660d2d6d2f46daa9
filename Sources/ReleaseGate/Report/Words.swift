import OakumModel

/// Numbers as people read them.
enum Words {
    /// "41 s", "12 min", "3.0 h", "5.2 d".
    static func seconds(_ value: Double) -> String {
        guard value.isFinite, value < 1e12 else { return "unknown" }
        if value < 120 { return "\(fixed(value, 0)) s" }
        if value < 7_200 { return "\(fixed(value / 60, 0)) min" }
        if value < 172_800 { return "\(fixed(value / 3_600, 1)) h" }
        return "\(fixed(value / 86_400, 1)) d"
    }

    /// "3.1 %", "0.05 %".
    static func percent(_ share: Double) -> String {
        let percent = 100 * share
        return "\(fixed(percent, percent != 0 && abs(percent) < 1 ? 3 : 1)) %"
    }

    /// "12,345".
    static func count(_ value: Double) -> String {
        let digits = fixed(value, 0)
        guard digits.count > 3 else { return digits }
        var result = ""
        for (index, digit) in digits.reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3), digit != "-" { result.append(",") }
            result.append(digit)
        }
        return String(result.reversed())
    }

    static func bytes(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 9e18 else { return "?" }
        return ByteCount(Int64(value.rounded())).description
    }

    static func ratio(_ value: Double) -> String { fixed(value, 2) }

    /// "1.02 (0.93 to 1.12)".
    static func ratio(_ interval: RatioInterval) -> String {
        let estimate = interval.estimate.map(ratio) ?? "?"
        guard let high = interval.high else { return "\(estimate) (\(ratio(interval.low)) or more)" }
        return "\(estimate) (\(ratio(interval.low)) to \(ratio(high)))"
    }

    /// "38 min to 3.0 h", "38 min or more".
    static func time(_ interval: TimeToLimit) -> String {
        guard let high = interval.high else { return "\(seconds(interval.low)) or more" }
        return "\(seconds(interval.low)) to \(seconds(high))"
    }

    static func plural(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    static func fixed(_ value: Double, _ places: Int) -> String {
        let scale = [1.0, 10, 100, 1_000][min(max(places, 0), 3)]
        guard value.isFinite, abs(value) * scale < 9e15 else { return "?" }
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % Int64(scale))
        let padding = String(repeating: "0", count: max(0, min(places, 3) - fraction.count))
        return "\(sign)\(scaled / Int64(scale)).\(padding)\(fraction)"
    }
}
