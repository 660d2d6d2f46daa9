import AlertRules

extension AlertSettings {
    /// What rings beside the leak verdict, one phrase each.
    var words: [String] {
        let rules: [String?] = [
            errorRate.map { "failed requests beyond \(Self.percent(1 - $0.target)) burn the error budget too fast" },
            latency.map {
                "more than \(Self.percent(1 - $0.burn.target)) of requests take longer than \(Self.seconds($0.thresholdSeconds))"
            },
            unresponsive.map { "workers do not answer for \(Self.seconds($0.forSeconds))" },
            cpu.map { "CPU above \(Self.percent($0.raise))" },
            memory.map { "memory above \(Self.percent($0.raise)) of the budget" },
            fileDescriptors.map { "descriptors above \(Self.percent($0.raise)) of the limit" },
            restarts.map { "\($0.count) or more unasked ends of workers within \(Self.seconds($0.windowSeconds))" },
            outOfMemoryKills.map { _ in "a worker is killed for want of memory" },
            noData.map { "something that was measured is no longer, for \(Self.seconds($0.afterSeconds))" },
        ]
        let rates = business.map { "\($0.name) lower than expected by \(Self.percent($0.minimumDrop)) or more" }
        return rules.compactMap(\.self) + rates
    }

    private static func percent(_ share: Double) -> String {
        guard share.isFinite, abs(share) < 1e6 else { return "unknown %" }
        let hundredths = Int((share * 10_000).rounded())
        let rest = hundredths % 100
        guard rest != 0 else { return "\(hundredths / 100) %" }
        let digits = rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)"
        return "\(hundredths / 100).\(digits) %"
    }

    private static func seconds(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e9 else { return "an unknown time" }
        if value < 1 { return "\(Int((value * 1_000).rounded())) ms" }
        let whole = Int(value.rounded())
        if whole % 3_600 == 0 { return "\(whole / 3_600) h" }
        return whole % 60 == 0 && whole >= 120 ? "\(whole / 60) min" : "\(whole) s"
    }
}
