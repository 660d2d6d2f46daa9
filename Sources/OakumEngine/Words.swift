package import OakumModel

/// How verdicts, rates and times are said to people, the same in console, terminal and journal.
package enum Words {
    package static func verdict(_ code: VerdictCode) -> String {
        switch code {
        case .leak: "leak"
        case .cacheFill: "cache fill"
        case .fragmentation: "fragmentation"
        case .load: "load"
        case .warmUp: "warm-up"
        case .step: "step"
        case .steady: "steady"
        case .notEnoughData: "not enough data"
        }
    }

    package static func summary(_ verdict: Verdict) -> String {
        var text = Self.verdict(verdict.code)
        if verdict.code == .leak || verdict.code == .warmUp || verdict.code == .cacheFill, let slope = verdict.slope {
            text += ": \(rate(slope.estimate))"
        }
        if verdict.code == .leak, let forecast = verdict.timeToLimit {
            text += ", budget reached in \(interval(forecast))"
        }
        return text
    }

    /// Bytes per second in the unit people would choose: "0.8 MiB/s", "3.1 MiB/h".
    package static func rate(_ bytesPerSecond: Double) -> String {
        guard bytesPerSecond.isFinite, abs(bytesPerSecond) < 1e15 else { return "unknown rate" }
        if abs(bytesPerSecond) >= 100_000 { return "\(fixed(bytesPerSecond / 1_048_576, 2)) MiB/s" }
        return "\(fixed(bytesPerSecond * 3_600 / 1_048_576, 1)) MiB/h"
    }

    package static func interval(_ time: TimeToLimit) -> String {
        guard let high = time.high else { return "\(seconds(time.low)) or more" }
        let low = seconds(time.low)
        let highText = seconds(high)
        return low == highText ? low : "\(low)–\(highText)"
    }

    /// "41 s", "12 min", "3.0 h", "5.2 d".
    package static func seconds(_ value: Double) -> String {
        guard value.isFinite else { return "unknown" }
        if value < 120 { return "\(Int(value.rounded())) s" }
        if value < 7_200 { return "\(Int((value / 60).rounded())) min" }
        if value < 172_800 { return "\(fixed(value / 3_600, 1)) h" }
        guard value < 1e12 else { return "years" }
        return "\(fixed(value / 86_400, 1)) d"
    }

    package static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = [1.0, 10, 100, 1_000][min(max(digits, 0), 3)]
        guard value.isFinite, abs(value) * scale < 9e15 else { return "?" }
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % Int64(scale))
        let padding = String(repeating: "0", count: max(0, min(digits, 3) - fraction.count))
        return "\(sign)\(scaled / Int64(scale)).\(padding)\(fraction)"
    }
}
