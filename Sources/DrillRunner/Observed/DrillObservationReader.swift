import LoadGenerator
import StrictYAML

/// Reads `observed` of a drill block.
enum DrillObservationReader {
    static func observation(_ value: YAMLValue, _ load: DrillLoad) throws(YAMLProblem) -> DrillObservation {
        let mapping = try value.mapping(["fault_bytes", "timeout", "restart_takes", "fixed_at", "business"])
        let bytes = try mapping["fault_bytes"]?.bytes()
        let fixed = try mapping.require("fixed_at", hint: "when the repaired build is put in place, such as 90s")
        let hint = "`business: {name: sign-ups, metric: signups_total, request: sign-up}`"
        return DrillObservation(
            faultBytes: bytes, timeoutSeconds: try mapping["timeout"]?.seconds(in: 0.1...600),
            restartSeconds: try mapping["restart_takes"]?.seconds(in: 0.1...600),
            fixedAtSeconds: try fixed.seconds(in: 1...3_600),
            business: try business(try mapping.require("business", hint: hint), load))
    }

    private static func business(_ value: YAMLValue, _ load: DrillLoad) throws(YAMLProblem) -> CountedBusiness {
        let mapping = try value.mapping(["name", "metric", "labels", "request", "days", "tolerance_points"])
        let request = try mapping.require("request", hint: "the name of one of the load's requests")
        let wanted = try request.string()
        guard let stream = load.streams.firstIndex(where: { $0.request.name == wanted }) else {
            let names = load.streams.map(\.request.name).joined(separator: ", ")
            throw request.problem("the load has no request `\(wanted)`", hint: "it has: \(names)")
        }
        let name = try mapping.require("name", hint: "what people call it, in the plural: sign-ups")
        let words = try name.string()
        guard (1...60).contains(words.utf8.count), words.unicodeScalars.allSatisfy({ $0.value >= 32 }) else {
            throw name.problem("`name` must be a line of 1 to 60 bytes", hint: "such as sign-ups")
        }
        var labels: [(key: String, value: String)] = []
        for (key, text) in try mapping["labels"]?.entries() ?? [] { labels.append((key, try text.string())) }
        return CountedBusiness(
            name: words, metric: try mapping.require("metric", hint: "the workers' counter: signups_total").string(),
            labels: labels, stream: stream, days: try mapping["days"]?.integer(in: 7...34) ?? 28,
            tolerancePoints: try mapping["tolerance_points"]?.number(in: 0.1...100) ?? 10)
    }
}
