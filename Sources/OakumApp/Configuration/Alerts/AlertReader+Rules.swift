import AlertRules
import OakumModel
import StrictYAML

extension AlertReader {
    // MARK: - Levels

    /// A threshold of what is a share, given in percent.
    func share(_ value: YAMLValue, _ base: ThresholdSettings) throws(YAMLProblem) -> ThresholdSettings {
        try threshold(value, base, of: 100)
    }

    /// A threshold of what is measured in percent.
    func percent(_ value: YAMLValue, _ base: ThresholdSettings) throws(YAMLProblem) -> ThresholdSettings {
        try threshold(value, base, of: 1)
    }

    private func threshold(
        _ value: YAMLValue, _ base: ThresholdSettings, of whole: Double
    ) throws(YAMLProblem) -> ThresholdSettings {
        let mapping = try value.mapping([
            "raise", "clear", "for", "clear_after", "severity", "worse", "worse_severity",
        ])
        var result = base
        if let value = mapping["raise"] { result.raise = try value.percent() / whole }
        if let value = mapping["clear"] { result.clear = try value.percent() / whole }
        if let value = mapping["worse"] { result.worse = isOff(value) ? nil : try value.percent() / whole }
        if let value = mapping["for"] { result.raiseSeconds = try value.seconds(in: 0...86_400) }
        if let value = mapping["clear_after"] { result.clearSeconds = try value.seconds(in: 0...86_400) }
        if let value = mapping["severity"] { result.severity = try value.choice() }
        if let value = mapping["worse_severity"] { result.worseSeverity = try value.choice() }
        guard result.clear < result.raise else {
            throw value.problem(
                "\(value.name) must be cleared below \(words(result.raise * whole)), where it is raised",
                hint: "`clear: \(words(max(0, result.raise * whole - 5)))`")
        }
        if let worse = result.worse, worse <= result.raise {
            throw value.problem(
                "\(value.name) gets worse at \(words(worse * whole)), where it is raised already",
                hint: "`worse: …%` above `raise`, or `worse: off`")
        }
        return result
    }

    private func words(_ percent: Double) -> String {
        "\((percent * 10).rounded() / 10)%"
    }

    // MARK: - Burn rates

    func burn(_ value: YAMLValue, _ base: BurnRateSettings) throws(YAMLProblem) -> BurnRateSettings {
        try burn(try value.mapping(Self.burnKeys), base)
    }

    private static let burnKeys = [
        "target", "period", "windows", "minimum_requests", "minimum_bad", "clear_after",
    ]

    private func burn(_ mapping: YAMLMapping, _ base: BurnRateSettings) throws(YAMLProblem) -> BurnRateSettings {
        var result = base
        if let value = mapping["target"] { result.target = try value.percent(in: 50...99.999) / 100 }
        if let value = mapping["period"] { result.periodDays = try value.seconds(in: 86_400...31_622_400) / 86_400 }
        if let value = mapping["minimum_requests"] { result.minimumRequests = try value.number(in: 1...1e9) }
        if let value = mapping["minimum_bad"] { result.minimumBad = try value.number(in: 1...1e9) }
        if let value = mapping["clear_after"] { result.clearSeconds = try value.seconds(in: 0...86_400) }
        guard let windows = mapping["windows"] else { return result }
        result.pairs = []
        for entry in try windows.list(atMost: 6) {
            let pair = try entry.mapping(["long", "short", "burn", "severity"], as: "a pair of windows")
            let hint = "such as {long: 1h, short: 5min, burn: 14.4, severity: critical}"
            let long = try pair.require("long", hint: hint).seconds(in: 1...21_600)
            let short = try pair.require("short", hint: hint)
            let shortSeconds = try short.seconds(in: 1...21_600)
            guard shortSeconds < long else { throw short.problem("`short` must be shorter than `long`", hint: hint) }
            result.pairs.append(
                BurnWindows(
                    longSeconds: long, shortSeconds: shortSeconds,
                    factor: try pair.require("burn", hint: hint).number(in: 1...100_000),
                    severity: try pair.require("severity", hint: hint).choice()))
        }
        guard !result.pairs.isEmpty else {
            throw windows.problem("`windows` is empty", hint: "`off` for the whole rule")
        }
        return result
    }

    func latency(_ value: YAMLValue, _ base: LatencySettings) throws(YAMLProblem) -> LatencySettings {
        let mapping = try value.mapping(Self.burnKeys + ["threshold", "mean_severity"])
        var result = base
        result.burn = try burn(mapping, base.burn)
        if let value = mapping["threshold"] { result.thresholdSeconds = try value.seconds(in: 0.001...3_600) }
        if let value = mapping["mean_severity"] { result.meanSeverity = try value.choice() }
        return result
    }

    // MARK: - Events and absence

    func occurrence(_ value: YAMLValue, _ base: OccurrenceSettings) throws(YAMLProblem) -> OccurrenceSettings {
        let mapping = try value.mapping([
            "count", "within", "severity", "worse_count", "worse_severity", "clear_after",
        ])
        var result = base
        if let value = mapping["count"] { result.count = try value.integer(in: 1...10_000) }
        if let value = mapping["within"] { result.windowSeconds = try value.seconds(in: 1...86_400) }
        if let value = mapping["severity"] { result.severity = try value.choice() }
        if let value = mapping["worse_severity"] { result.worseSeverity = try value.choice() }
        if let value = mapping["clear_after"] { result.clearSeconds = try value.seconds(in: 0...86_400) }
        if let value = mapping["worse_count"] {
            result.worseCount = isOff(value) ? nil : try value.integer(in: 1...10_000)
        }
        if let worse = result.worseCount, worse <= result.count {
            throw value.problem(
                "\(value.name) gets worse at \(worse), where it is raised already",
                hint: "`worse_count` above `count`, or `worse_count: off`")
        }
        return result
    }

    func unresponsive(_ value: YAMLValue, _ base: UnresponsiveSettings) throws(YAMLProblem) -> UnresponsiveSettings {
        let mapping = try value.mapping([
            "for", "workers", "severity", "worse_share", "worse_severity", "clear_after",
        ])
        var result = base
        if let value = mapping["for"] { result.forSeconds = try value.seconds(in: 1...3_600) }
        if let value = mapping["workers"] { result.workers = try value.integer(in: 1...256) }
        if let value = mapping["severity"] { result.severity = try value.choice() }
        if let value = mapping["worse_share"] { result.worseShare = try value.percent() / 100 }
        if let value = mapping["worse_severity"] { result.worseSeverity = try value.choice() }
        if let value = mapping["clear_after"] { result.clearSeconds = try value.seconds(in: 0...86_400) }
        return result
    }

    func absence(_ value: YAMLValue, _ base: AbsenceSettings) throws(YAMLProblem) -> AbsenceSettings {
        let mapping = try value.mapping(["after", "severity", "clear_after", "forget_after"])
        var result = base
        if let value = mapping["after"] { result.afterSeconds = try value.seconds(in: 2...86_400) }
        if let value = mapping["severity"] { result.severity = try value.choice() }
        if let value = mapping["clear_after"] { result.clearSeconds = try value.seconds(in: 0...86_400) }
        if let value = mapping["forget_after"] { result.forgetSeconds = try value.seconds(in: 60...31_622_400) }
        return result
    }

    func leak(_ value: YAMLValue, _ base: LeakAlertSettings) throws(YAMLProblem) -> LeakAlertSettings {
        let mapping = try value.mapping(["severity", "clear_after"])
        var result = base
        if let value = mapping["severity"] { result.severity = try value.choice() }
        if let value = mapping["clear_after"] { result.clearSeconds = try value.seconds(in: 0...86_400) }
        return result
    }
}
