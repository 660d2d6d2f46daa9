import OakumModel

/// Numbers as people read them.
enum Words {
    /// "12.4 %", "0.05 %".
    static func percent(_ share: Double) -> String {
        let percent = share * 100
        return "\(fixed(percent, percent != 0 && abs(percent) < 1 ? 2 : abs(percent) < 10 ? 1 : 0)) %"
    }

    /// "−50 %": with a true minus.
    static func change(_ share: Double) -> String {
        let rounded = (share * 100).rounded()
        return (rounded < 0 ? "−" : "+") + "\(fixed(abs(rounded), 0)) %"
    }

    /// "41 s", "12 min", "3.0 h", "5.2 d".
    static func seconds(_ value: Double) -> String {
        guard value.isFinite, value < 1e12 else { return "unknown" }
        if value < 10 { return "\(fixed(value, value == value.rounded() ? 0 : 1)) s" }
        if value < 120 { return "\(fixed(value, 0)) s" }
        if value < 7_200 { return "\(fixed(value / 60, 0)) min" }
        if value < 172_800 { return "\(fixed(value / 3_600, 1)) h" }
        return "\(fixed(value / 86_400, 1)) d"
    }

    /// "38 to 52 s", "38 s or more".
    static func interval(_ time: TimeToLimit) -> String {
        guard let high = time.high else { return "\(seconds(time.low)) or more" }
        let (low, up) = (seconds(time.low), seconds(high))
        guard low != up else { return low }
        let unit = up.drop { $0 != " " }
        return (low.hasSuffix(unit) ? String(low.dropLast(unit.count)) : low) + " to \(up)"
    }

    /// "12,345".
    static func count(_ value: Double) -> String {
        let text = fixed(value, 0)
        guard text.count > 4 else { return text }
        var result = ""
        for (index, digit) in text.reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3), digit != "-" { result.append(",") }
            result.append(digit)
        }
        return String(result.reversed())
    }

    /// "1 of 2 workers".
    static func workers(_ some: Int, of all: Int) -> String {
        "\(some) of \(all) worker\(all == 1 ? "" : "s")"
    }

    static func plural(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    /// Bytes per second in the unit people would choose: "0.8 MiB/s", "3.1 MiB/h".
    static func rate(_ bytesPerSecond: Double) -> String {
        guard bytesPerSecond.isFinite, abs(bytesPerSecond) < 1e15 else { return "at an unknown rate" }
        if abs(bytesPerSecond) >= 100_000 { return "\(fixed(bytesPerSecond / 1_048_576, 2)) MiB/s" }
        return "\(fixed(bytesPerSecond * 3_600 / 1_048_576, 1)) MiB/h"
    }

    static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = [1.0, 10, 100, 1_000][min(max(digits, 0), 3)]
        guard value.isFinite, abs(value) * scale < 9e15 else { return "?" }
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % Int64(scale))
        let padding = String(repeating: "0", count: max(0, min(digits, 3) - fraction.count))
        return "\(sign)\(scaled / Int64(scale)).\(padding)\(fraction)"
    }

    /// At most so many bytes of UTF-8, at the end of a character.
    static func cut(_ text: String, bytes: Int) -> String {
        guard text.utf8.count > bytes else { return text }
        var result = ""
        var size = 0
        for character in text {
            size += character.utf8.count
            guard size <= bytes - 3 else { break }
            result.append(character)
        }
        return result + "…"
    }
}
