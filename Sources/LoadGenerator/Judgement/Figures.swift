import Glibc

/// Numbers as people read them.
package enum Figures {
    /// Rounded to so many places, thousands grouped by commas.
    package static func number(_ value: Double, places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return value.isFinite ? "\(value)" : "–" }
        var factor = 1.0
        for _ in 0..<places { factor *= 10 }
        let scaled = (abs(value) * factor).rounded()
        let sign = value < 0 && scaled > 0 ? "−" : ""
        let whole = grouped(UInt64(scaled / factor))
        guard places > 0 else { return sign + whole }
        let rest = String(UInt64(scaled.truncatingRemainder(dividingBy: factor)))
        return sign + whole + "." + String(repeating: "0", count: places - rest.count) + rest
    }

    package static func grouped(_ value: UInt64) -> String {
        let digits = Array(String(value))
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// "0.42 ms", "31.2 ms", "1.24 s".
    package static func milliseconds(_ value: Double) -> String {
        switch abs(value) {
        case ..<10: number(value, places: 2) + " ms"
        case ..<1_000: number(value, places: 1) + " ms"
        default: number(value / 1_000, places: 2) + " s"
        }
    }

    /// "512 B", "41.2 MiB".
    package static func bytes(_ value: Double) -> String {
        var (amount, unit) = (value, "B")
        for next in ["KiB", "MiB", "GiB", "TiB"] where abs(amount) >= 1_024 {
            amount /= 1_024
            unit = next
        }
        return number(amount, places: unit == "B" ? 0 : 1) + " " + unit
    }

    /// "45 s", "12 min", "2.5 h".
    package static func seconds(_ value: Double) -> String {
        switch value {
        case ..<10: number(value, places: 1) + " s"
        case ..<120: number(value, places: 0) + " s"
        case ..<7_200: number(value / 60, places: 1) + " min"
        default: number(value / 3_600, places: 1) + " h"
        }
    }
}

func logOf(_ value: Double) -> Double { log(value) }
func expOf(_ value: Double) -> Double { exp(value) }
func logOnePlus(_ value: Double) -> Double { log1p(value) }
