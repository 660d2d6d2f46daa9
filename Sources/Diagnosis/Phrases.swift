import OakumModel

/// Quantities as people read them.
enum Phrases {
    static func amount(_ value: Double, of kind: SignalKind) -> String {
        switch kind {
        case .memory: ByteCount(whole(value)).description
        case .cpu: "\(decimal(value, 2)) cores"
        case .latency, .dependencyLatency: time(value)
        case .errors, .network, .dependencyErrors, .hostMemory, .diskFree: percent(value)
        case .requests, .work: "\(number(value))/s"
        case .inFlight, .fileDescriptors, .threads: decimal(value, 0)
        case .cpuPerRequest: "\(time(value)) of CPU a request"
        case .cpuPressure, .memoryPressure, .ioPressure: "\(decimal(value, 1)) %"
        }
    }

    /// The subject of a sentence.
    static func subject(_ kind: SignalKind, _ name: String? = nil) -> String {
        let of = name.map { " of \($0)" } ?? ""
        return switch kind {
        case .memory: "memory"
        case .cpu: "CPU"
        case .latency: "latency"
        case .errors: "the share of failed requests"
        case .requests: "the request rate"
        case .inFlight: "the number of requests under way"
        case .fileDescriptors: "the number of open descriptors"
        case .threads: "the number of threads"
        case .work: name.map { $0.split(separator: "_").joined(separator: " ") } ?? "work done"
        case .cpuPerRequest: "CPU per request"
        case .cpuPressure: "processor pressure"
        case .memoryPressure: "memory pressure"
        case .ioPressure: "disk pressure"
        case .hostMemory: "available memory of the host"
        case .diskFree: "free disk space" + of
        case .network: "packet loss"
        case .dependencyLatency: "the answer time" + (name.map { " of \($0)" } ?? " of the dependency")
        case .dependencyErrors: "the share of failed calls" + (name.map { " to \($0)" } ?? " to the dependency")
        }
    }

    static func moved(_ reading: Reading, _ change: Change) -> String {
        "\(subject(reading.kind, reading.name)) \(change.isUp ? "rose" : "fell") from "
            + "\(amount(change.before, of: reading.kind)) to \(amount(change.after, of: reading.kind))"
    }

    static func sentence(_ text: String) -> String {
        guard let first = text.first else { return text }
        return first.uppercased() + text.dropFirst()
    }

    static func duration(_ seconds: Double) -> String {
        switch abs(seconds) {
        case ..<120: "\(decimal(seconds, 0)) s"
        case ..<7_200: "\(decimal(seconds / 60, 0)) min"
        case ..<172_800: "\(decimal(seconds / 3_600, 1)) h"
        default: "\(decimal(seconds / 86_400, 1)) days"
        }
    }

    /// "9–13 min": both ends in the unit of the longer one.
    static func durations(_ low: Double, _ high: Double) -> String {
        let (divisor, name, places): (Double, String, Int) =
            switch max(abs(low), abs(high)) {
            case ..<120: (1, "s", 0)
            case ..<7_200: (60, "min", 0)
            case ..<172_800: (3_600, "h", 1)
            default: (86_400, "days", 1)
            }
        let (from, to) = (decimal(low / divisor, places), decimal(high / divisor, places))
        return from == to ? "\(to) \(name)" : "\(from) to \(to) \(name)"
    }

    static func time(_ seconds: Double) -> String {
        switch abs(seconds) {
        case ..<0.001: "\(decimal(seconds * 1e6, 0)) µs"
        case ..<0.01: "\(decimal(seconds * 1_000, 1)) ms"
        case ..<1: "\(decimal(seconds * 1_000, 0)) ms"
        default: "\(decimal(seconds, 1)) s"
        }
    }

    static func percent(_ share: Double) -> String {
        abs(share) < 0.1 ? "\(decimal(100 * share, share == 0 ? 0 : 1)) %" : "\(decimal(100 * share, 0)) %"
    }

    /// "+4 %".
    static func relative(_ from: Double, _ to: Double) -> String {
        guard from != 0 else { return "from nothing" }
        let change = 100 * (to / from - 1)
        return "\(change < 0 ? "" : "+")\(decimal(change, 0)) %"
    }

    /// Three significant digits or so.
    static func number(_ value: Double) -> String {
        switch abs(value) {
        case ..<10: decimal(value, 2)
        case ..<100: decimal(value, 1)
        case ..<10_000: decimal(value, 0)
        case ..<1_000_000: "\(decimal(value / 1_000, 0)) k"
        default: "\(decimal(value / 1_000_000, 1)) M"
        }
    }

    static func rate(_ bytesPerSecond: Double) -> String {
        if abs(bytesPerSecond) >= 52_428 { return "\(decimal(bytesPerSecond / 1_048_576, 2)) MiB/s" }
        return "\(decimal(bytesPerSecond * 3_600 / 1_048_576, 1)) MiB/h"
    }

    static func decimal(_ value: Double, _ places: Int) -> String {
        var power = 1.0
        for _ in 0..<places { power *= 10 }
        let scaled = whole(abs(value) * power)
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

    /// "memory, disk and network".
    static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}
