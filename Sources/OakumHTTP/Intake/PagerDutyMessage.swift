package import OakumAPI
import OakumModel

/// PagerDuty's Events API v2: events and change events, as its documentation has them. Unknown fields are ignored.
package struct PagerDutyMessage: Hashable, Sendable {
    package enum Act: Hashable, Sendable {
        /// Alerts that fire or end, and deploys.
        case take(IntakeItem)
        /// Somebody over there has taken it on.
        case acknowledge(fingerprint: String)
    }

    /// PagerDuty's own limit for one event.
    package static let maxBytes = 512 << 10

    /// The intake token.
    package var routingKey: String
    /// What the sender calls the condition; made up where it named none.
    package var dedupKey: String
    package var act: Act

    /// What may be read before anybody is known: the token.
    package static func routingKey(_ bytes: [UInt8]) throws(IntakeProblem) -> (String, JSONNode) {
        guard bytes.count <= maxBytes else { throw IntakeProblem("an event has at most \(maxBytes) bytes") }
        let root = try IntakeText.tree(bytes)
        guard let key = root["routing_key"]?.string, !key.isEmpty else {
            throw IntakeProblem("'routing_key' is missing or blank")
        }
        return (key, root)
    }

    /// An event of `/v2/enqueue`.
    ///
    /// - Parameter random: names a condition whose sender has no name for it.
    package static func event(
        _ root: JSONNode, _ context: IntakeContext, random: () -> String
    ) throws(IntakeProblem) -> PagerDutyMessage {
        guard let key = root["routing_key"]?.string else { throw IntakeProblem("'routing_key' is missing or blank") }
        let given = root["dedup_key"]?.string ?? ""
        guard given.unicodeScalars.count <= 255 else {
            throw IntakeProblem("'dedup_key' is longer than 255 characters")
        }
        switch root["event_action"]?.string {
        case "trigger":
            let dedup = given.isEmpty ? random() : given
            let alert = try alert(root, dedup, context)
            return PagerDutyMessage(routingKey: key, dedupKey: dedup, act: .take(.alert(alert)))
        case "resolve":
            guard !given.isEmpty else { throw IntakeProblem("'dedup_key' is missing: what is resolved?") }
            let alert = Alert(
                source: .intake, status: .resolved, fingerprint: fingerprint(given), kind: .outside,
                service: context.service, severity: .info, summary: IntakeText.summary("resolved: \(given)"),
                since: context.at, at: context.at)
            return PagerDutyMessage(routingKey: key, dedupKey: given, act: .take(.alert(alert)))
        case "acknowledge":
            guard !given.isEmpty else { throw IntakeProblem("'dedup_key' is missing: what is acknowledged?") }
            return PagerDutyMessage(
                routingKey: key, dedupKey: given, act: .acknowledge(fingerprint: fingerprint(given)))
        default: throw IntakeProblem("'event_action' must be trigger, acknowledge or resolve")
        }
    }

    private static func fingerprint(_ key: String) -> String { IntakeText.fingerprint("pagerduty", key) }

    private static func alert(
        _ root: JSONNode, _ dedup: String, _ context: IntakeContext
    ) throws(IntakeProblem) -> Alert {
        guard let payload = root["payload"], payload.object != nil else { throw IntakeProblem("'payload' is missing") }
        guard let summary = payload["summary"]?.string, !Plain.line(summary, bytes: 1_024).isEmpty else {
            throw IntakeProblem("'payload.summary' is missing or blank")
        }
        guard let source = payload["source"]?.string, !source.isEmpty else {
            throw IntakeProblem("'payload.source' is missing or blank")
        }
        let word = payload["severity"]?.string
        guard let word, ["critical", "error", "warning", "info"].contains(word),
            let severity = Severity(rawValue: word)
        else { throw IntakeProblem("'payload.severity' must be critical, error, warning or info") }
        var labels = IntakeText.labels(payload["custom_details"])
        for name in ["source", "component", "group", "class"] {
            if let text = payload[name]?.string, labels.count < IntakeText.labels {
                labels[name] = Plain.line(text, bytes: IntakeText.labelBytes)
            }
        }
        var details = ["source: \(Plain.line(source, bytes: 200))"]
        if let text = payload["custom_details"]?.string { details += IntakeText.details(text) }
        return Alert(
            source: .intake, status: .firing, fingerprint: fingerprint(dedup), kind: .outside,
            service: IntakeText.service(payload["custom_details"]?["service"]?.string) ?? context.service,
            severity: severity, summary: IntakeText.summary(summary),
            since: context.moment(payload["timestamp"]?.string.flatMap(TimeText.wallTime)), at: context.at,
            details: Array(details.prefix(IntakeText.details)), labels: labels,
            link: links(root) ?? IntakeText.link(root["client_url"]?.string))
    }

    /// The first that can be linked to.
    private static func links(_ root: JSONNode) -> String? {
        (root["links"]?.array ?? []).lazy.compactMap { IntakeText.link($0["href"]?.string) }.first
    }

    /// A change event of `/v2/change/enqueue`: a deploy.
    package static func change(_ root: JSONNode, _ context: IntakeContext) throws(IntakeProblem) -> IntakeItem {
        guard let payload = root["payload"], payload.object != nil else { throw IntakeProblem("'payload' is missing") }
        guard let summary = payload["summary"]?.string, !Plain.line(summary, bytes: 1_024).isEmpty else {
            throw IntakeProblem("'payload.summary' is missing or blank")
        }
        let source = payload["source"]?.string.map { " (\(Plain.line($0, bytes: 200)))" } ?? ""
        let link = links(root).map { " \($0)" } ?? ""
        let time = payload["timestamp"]?.string.flatMap(TimeText.wallTime)
        return .deploy(
            service: IntakeText.service(payload["custom_details"]?["service"]?.string) ?? context.service,
            text: Plain.line(summary, bytes: 1_024) + source + link, at: context.moment(time).wall)
    }
}
