/// Figures as people read them.
enum Wording {
    /// "0.4 %", "38 %".
    static func percent(_ share: Double) -> String {
        let percent = share * 100
        guard percent < 9.95 else { return "\(integer(percent)) %" }
        let tenths = integer(max(percent, 0) * 10)
        return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
    }

    /// "850 ms", "12 s", "9 min", "3.5 h", "12 d".
    static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.9995: "\(integer(max(seconds, 0) * 1000)) ms"
        case ..<9.95: "\(decimal(seconds)) s"
        case ..<120: "\(integer(seconds)) s"
        case ..<7200: "\(integer(seconds / 60)) min"
        case ..<172_800: "\(decimal(seconds / 3600)) h"
        default: "\(integer(seconds / 86_400)) d"
        }
    }

    /// With one decimal, unless that is zero.
    static func decimal(_ value: Double) -> String {
        let tenths = integer(value * 10)
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }
}

extension Wording {
    /// Rounded; what no integer can hold is cut off at its end, so that no outside figure can stop the program.
    static func integer(_ value: Double) -> Int64 {
        guard value.isFinite else { return value > 0 ? .max : value < 0 ? .min : 0 }
        let rounded = value.rounded()
        return Int64(exactly: rounded) ?? (rounded < 0 ? .min : .max)
    }
}
