import AlertRules
import OakumModel
import Paging
import StrictYAML

extension AlertReader {
    /// `business` of a service: one thing that is counted, or several.
    mutating func business(_ value: YAMLValue) throws(YAMLProblem) -> [BusinessSettings] {
        var result: [BusinessSettings] = []
        for entry in try value.oneOrMore(atMost: AlertSettings.businessLimit) {
            let settings = try businessEntry(entry)
            guard !result.contains(where: { $0.name == settings.name }) else {
                throw entry.problem("two entries of `business` are called `\(settings.name)`")
            }
            result.append(settings)
        }
        return result
    }

    private mutating func businessEntry(_ value: YAMLValue) throws(YAMLProblem) -> BusinessSettings {
        let hint = "such as {name: sign-ups, metric: signups_total, labels: {outcome: created}}"
        let mapping = try value.mapping(
            [
                "name", "metric", "labels", "minimum_expected", "minimum_drop", "worse_drop", "severity",
                "worse_severity", "raise_after", "clear_after", "false_alarms_per_day", "time_zone",
            ], as: "an entry of `business`")
        let name = try mapping.require("name", hint: "what people call it, in the plural: sign-ups")
        let words = try name.string()
        guard (1...60).contains(words.utf8.count), words.unicodeScalars.allSatisfy({ $0.value >= 32 }) else {
            throw name.problem("`name` must be a line of 1 to 60 bytes", hint: hint)
        }
        var result = BusinessSettings(name: words, counter: try metric(try mapping.require("metric", hint: hint)))
        for (label, place) in try mapping["labels"]?.entries() ?? [] { result.labels[label] = try place.string() }
        if let value = mapping["minimum_expected"] { result.minimumExpected = try value.number(in: 1...1e9) }
        if let value = mapping["minimum_drop"] { result.minimumDrop = try value.percent(in: 1...100) / 100 }
        if let value = mapping["worse_drop"] { result.worseDrop = try value.percent(in: 1...100) / 100 }
        if let value = mapping["severity"] { result.severity = try value.choice() }
        if let value = mapping["worse_severity"] { result.worseSeverity = try value.choice() }
        if let value = mapping["raise_after"] { result.raiseSeconds = try value.seconds(in: 0...3_600) }
        if let value = mapping["clear_after"] { result.clearSeconds = try value.seconds(in: 0...86_400) }
        if let value = mapping["false_alarms_per_day"] { result.probability = try value.number(in: 1e-9...0.1) }
        if let value = mapping["time_zone"] { result.timeZone = try zones.rules(value).name }
        guard result.minimumDrop <= result.worseDrop else {
            throw value.problem("`worse_drop` must not be less than `minimum_drop`")
        }
        return result
    }

    /// A name as Prometheus allows it (prometheus.io/docs/concepts/data_model).
    private func metric(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let text = try value.string()
        let isName = text.utf8.enumerated().allSatisfy { index, byte in
            (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ":") || (index > 0 && (48...57).contains(byte))
        }
        guard isName, (1...200).contains(text.utf8.count) else {
            throw value.problem(
                "`\(text)` is not the name of a metric",
                hint: "such as signups_total; what its labels must be stands in `labels: {outcome: created}`")
        }
        return text
    }
}
