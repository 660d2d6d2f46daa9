/// Figures as people read them.
enum Wording {
    /// "0.4 %", "38 %".
    static func percent(_ share: Double) -> String {
        let percent = share * 100
        guard percent < 9.95 else { return "\(Int(min(percent, 1e6).rounded())) %" }
        let tenths = Int((max(percent, 0) * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
    }

    /// "850 ms", "12 s", "9 min", "3.5 h", "12 d".
    static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.9995: "\(Int((max(seconds, 0) * 1000).rounded())) ms"
        case ..<9.95: "\(decimal(seconds)) s"
        case ..<120: "\(Int(seconds.rounded())) s"
        case ..<7200: "\(Int((seconds / 60).rounded())) min"
        case ..<172_800: "\(decimal(seconds / 3600)) h"
        default: "\(Int((min(seconds, 1e12) / 86_400).rounded())) d"
        }
    }

    /// With one decimal, unless that is zero.
    static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }
}
