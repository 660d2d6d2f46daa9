import AlertRules
import OakumModel
import Paging
import StrictYAML

/// Reads `alerts`: the one at the top, and those of services, which change single keys of it.
///
/// A rule is `off`, or a mapping of what shall be other than before.
struct AlertReader {
    var zones: ZoneFolder

    private static let serviceKeys = [
        "error_rate", "latency", "unresponsive", "cpu", "memory", "file_descriptors", "restarts", "oom_kills",
        "no_data",
        "leak",
    ]
    private static let commonKeys = ["acknowledge_within", "mitigate_within", "runbooks"]

    /// What is told of a service.
    ///
    /// - Parameter base: what holds where the value says nothing.
    func service(_ value: YAMLValue, base: AlertSettings, isTop: Bool) throws(YAMLProblem) -> AlertSettings {
        let mapping = try value.mapping(Self.commonKeys + Self.serviceKeys + (isTop ? ["host"] : []))
        var result = base
        try rule(mapping["error_rate"], &result.errorRate, .errors, burn)
        try rule(mapping["latency"], &result.latency, LatencySettings(), latency)
        try rule(mapping["unresponsive"], &result.unresponsive, UnresponsiveSettings(), unresponsive)
        try rule(mapping["cpu"], &result.cpu, .cpu, share)
        try rule(mapping["memory"], &result.memory, .memory, share)
        try rule(mapping["file_descriptors"], &result.fileDescriptors, .fileDescriptors, share)
        try rule(mapping["restarts"], &result.restarts, .restarts, occurrence)
        try rule(mapping["oom_kills"], &result.outOfMemoryKills, .outOfMemoryKills, occurrence)
        try rule(mapping["no_data"], &result.noData, AbsenceSettings(), absence)
        try rule(mapping["leak"], &result.leak, LeakAlertSettings(), leak)
        if let value = mapping["acknowledge_within"] { result.ackSeconds = try value.seconds(in: 0...86_400) }
        if let value = mapping["mitigate_within"] { result.mitigateSeconds = try value.seconds(in: 0...86_400) }
        if let value = mapping["runbooks"] { result.runbooks.merge(try runbooks(value)) { _, new in new } }
        return result
    }

    /// What is told of the host, from the `alerts` at the top.
    func host(_ value: YAMLValue) throws(YAMLProblem) -> HostAlertSettings {
        let top = try value.mapping(Self.commonKeys + Self.serviceKeys + ["host"])
        var result = HostAlertSettings()
        if let value = top["acknowledge_within"] { result.ackSeconds = try value.seconds(in: 0...86_400) }
        if let value = top["mitigate_within"] { result.mitigateSeconds = try value.seconds(in: 0...86_400) }
        if let value = top["runbooks"] { result.runbooks = try runbooks(value) }
        guard let value = top["host"] else { return result }
        if isOff(value) {
            var off = HostAlertSettings.off
            (off.ackSeconds, off.mitigateSeconds, off.runbooks) =
                (result.ackSeconds, result.mitigateSeconds, result.runbooks)
            return off
        }
        let mapping = try value.mapping([
            "memory", "memory_pressure", "cpu_pressure", "io_pressure", "disk", "no_data", "runbooks",
        ])
        try rule(mapping["memory"], &result.memory, .hostMemory, share)
        try rule(mapping["memory_pressure"], &result.memoryPressure, .memoryPressure, percent)
        try rule(mapping["cpu_pressure"], &result.cpuPressure, .cpuPressure, percent)
        try rule(mapping["io_pressure"], &result.ioPressure, .ioPressure, percent)
        try rule(mapping["disk"], &result.disk, .disk, share)
        try rule(mapping["no_data"], &result.noData, AbsenceSettings(), absence)
        if let value = mapping["runbooks"] { result.runbooks.merge(try runbooks(value)) { _, new in new } }
        return result
    }

    // MARK: - Shared pieces

    func isOff(_ value: YAMLValue) -> Bool {
        // A list or a mapping is no word at all.
        (try? value.string()) == "off"
    }

    /// `off`, or a change of what holds; a rule that was off begins from `initial`.
    private func rule<Settings>(
        _ value: YAMLValue?, _ settings: inout Settings?, _ initial: Settings,
        _ read: (YAMLValue, Settings) throws(YAMLProblem) -> Settings
    ) throws(YAMLProblem) {
        guard let value else { return }
        settings = isOff(value) ? nil : try read(value, settings ?? initial)
    }

    func runbooks(_ value: YAMLValue) throws(YAMLProblem) -> [AlertKind: String] {
        var result: [AlertKind: String] = [:]
        for (key, place) in try value.entries() {
            guard let kind = AlertKind(rawValue: key) else {
                throw place.problem(
                    "no alert is of the kind `\(key)`",
                    hint: "one of \(AlertKind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            result[kind] = try Self.link(place)
        }
        return result
    }

    /// An address that people follow.
    static func link(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let text = try value.string()
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), (9...2_048).contains(text.utf8.count),
            text.utf8.allSatisfy({ (33...126).contains($0) })
        else { throw value.problem("\(value.name) must be a URL", hint: "such as https://wiki.example.org/leaks") }
        return text
    }
}
