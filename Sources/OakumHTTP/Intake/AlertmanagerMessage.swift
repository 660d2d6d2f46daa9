package import OakumAPI
import OakumModel

/// Alerts as Prometheus and Alertmanager tell them: the webhook, version 4 (Alertmanager, "Webhook receiver"), and
/// `POST /api/v2/alerts` (its OpenAPI document), so that Prometheus may point at Oakum directly. Fields beyond those are
/// ignored.
package enum AlertmanagerMessage {
    /// Alerts in one message; Alertmanager can be told to send fewer (`max_alerts`).
    package static let limit = 5_000

    /// Decodes a webhook. Each alert goes by its own fingerprint, whatever group it came in.
    package static func webhook(
        _ bytes: [UInt8], _ context: IntakeContext
    ) throws(IntakeProblem) -> [IntakeItem] {
        let root = try IntakeText.tree(bytes)
        guard root.object != nil else {
            throw IntakeProblem("the body must be an object as Alertmanager's webhook sends it")
        }
        if let version = root["version"]?.words, version != "4" {
            throw IntakeProblem(
                "version \(Plain.line(version, bytes: 40)) of Alertmanager's webhook is not known; 4 is")
        }
        guard let alerts = root["alerts"]?.array else { throw IntakeProblem("alerts is missing: a list of alerts") }
        return try items(alerts, context)
    }

    /// Decodes a list of alerts of API v2.
    package static func list(_ bytes: [UInt8], _ context: IntakeContext) throws(IntakeProblem) -> [IntakeItem] {
        guard let alerts = try IntakeText.tree(bytes).array else {
            throw IntakeProblem("the body must be a list of alerts as Prometheus sends it")
        }
        return try items(alerts, context)
    }

    private static func items(
        _ alerts: [JSONNode], _ context: IntakeContext
    ) throws(IntakeProblem) -> [IntakeItem] {
        guard alerts.count <= limit else {
            throw IntakeProblem("\(alerts.count) alerts in one message are too many; at most \(limit) (`max_alerts`)")
        }
        var items: [IntakeItem] = []
        for (index, alert) in alerts.enumerated() { items.append(.alert(try self.alert(alert, index, context))) }
        return items
    }

    private static func alert(
        _ node: JSONNode, _ index: Int, _ context: IntakeContext
    ) throws(IntakeProblem) -> Alert {
        guard let labels = node["labels"]?.object, !labels.isEmpty else {
            throw IntakeProblem("alert \(index) has no labels")
        }
        let texts = labels.compactMapValues(\.string)
        guard texts.count == labels.count else { throw IntakeProblem("a label of alert \(index) is no text") }
        let starts = try time(node["startsAt"], "startsAt", index)
        let ends = try time(node["endsAt"], "endsAt", index)
        let status = try status(node["status"], ends: ends, index, context)
        let notes = node["annotations"]?.object?.compactMapValues(\.string) ?? [:]
        let given = node["fingerprint"]?.string ?? ""
        let name = texts["alertname"] ?? ""
        let summary = notes["summary"] ?? notes["title"] ?? notes["message"] ?? described(name, texts)
        return Alert(
            source: .intake, status: status,
            fingerprint: IntakeText.fingerprint("alertmanager", given.isEmpty ? fingerprint(of: texts) : given),
            kind: .outside, service: IntakeText.service(texts["service"]) ?? context.service,
            severity: IntakeText.severity(texts["severity"]) ?? .error,
            summary: IntakeText.summary(summary), since: context.moment(starts), at: context.at,
            details: details(name, texts, notes, summary), labels: IntakeText.labels(node["labels"]),
            runbook: IntakeText.link(notes["runbook_url"] ?? notes["runbook"]),
            link: IntakeText.link(node["generatorURL"]?.string))
    }

    /// Absent, empty and the zero time of Go ("0001-01-01T00:00:00Z") mean that there is none.
    private static func time(_ node: JSONNode?, _ name: String, _ index: Int) throws(IntakeProblem) -> WallTime? {
        guard let node, node != .null, node != .string("") else { return nil }
        guard let time = node.string.flatMap(TimeText.wallTime) else {
            throw IntakeProblem("\(name) of alert \(index) is no time of RFC 3339")
        }
        return time.milliseconds > 0 ? time : nil
    }

    /// The webhook says it; in API v2 an end that has come says it.
    private static func status(
        _ node: JSONNode?, ends: WallTime?, _ index: Int, _ context: IntakeContext
    ) throws(IntakeProblem) -> Alert.Status {
        switch node {
        case "firing": return .firing
        case "resolved": return .resolved
        case nil, .null, "": return ends.map { $0 <= context.at.wall } == true ? .resolved : .firing
        default: throw IntakeProblem("status of alert \(index) is neither firing nor resolved")
        }
    }

    /// "HighLatency (instance 10.0.0.7:8080, job web)".
    private static func described(_ name: String, _ labels: [String: String]) -> String {
        let places = ["instance", "job", "pod", "namespace"].compactMap { label in
            labels[label].map { "\(label) \($0)" }
        }
        let name = name.isEmpty ? "alert" : name
        return places.isEmpty ? name : "\(name) (\(places.joined(separator: ", ")))"
    }

    private static func details(
        _ name: String, _ labels: [String: String], _ notes: [String: String], _ summary: String
    ) -> [String] {
        var details = IntakeText.details(notes["description"])
        let shown: Set<String> = ["summary", "title", "message", "description", "runbook", "runbook_url"]
        for (key, value) in notes.sorted(by: { $0.key < $1.key }) where !shown.contains(key) {
            details.append(Plain.line("\(key): \(value)", bytes: IntakeText.detailBytes))
        }
        if !name.isEmpty, !summary.contains(name) { details.append("alert \(Plain.line(name, bytes: 200))") }
        return Array(details.prefix(IntakeText.details))
    }

    /// As Prometheus computes it (`model.LabelSet.Fingerprint`), so that an alert told without one is the same as that told
    /// with one: FNV-1a of 64 bits over names and values in the order of the names, each followed by a byte 255.
    package static func fingerprint(of labels: [String: String]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for (name, value) in labels.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            name.utf8.forEach(add)
            add(255)
            value.utf8.forEach(add)
            add(255)
        }
        return Hex.encode(stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: hash >> UInt64($0)) })
    }
}
