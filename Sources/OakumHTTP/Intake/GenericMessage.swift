package import OakumAPI
import OakumModel

/// An alert of any script, in the fields GoAlert's generic integration has: `summary`, `details`, `action`, `dedup`, `meta`,
/// and `severity` and `service` of our own. As JSON, as a form, or in the query; unknown fields are ignored.
package struct GenericMessage: Hashable, Sendable {
    package var item: IntakeItem
    package var service: String?

    package init(json bytes: [UInt8], _ context: IntakeContext) throws(IntakeProblem) {
        let root = try IntakeText.tree(bytes)
        guard root.object != nil else { throw IntakeProblem("the body must be an object with at least a summary") }
        try self.init({ root[$0]?.words }, meta: IntakeText.labels(root["meta"]), context)
    }

    /// - Parameter field: a field by its name; `meta` as `name=value`, once.
    package init(field: (String) -> String?, _ context: IntakeContext) throws(IntakeProblem) {
        var meta: [String: String] = [:]
        if let text = field("meta"), let sign = text.firstIndex(of: "=") {
            let name = Plain.line(String(text[..<sign]), bytes: 128)
            meta[name] = Plain.line(String(text[text.index(after: sign)...]), bytes: IntakeText.labelBytes)
        }
        try self.init(field, meta: meta, context)
    }

    private init(
        _ field: (String) -> String?, meta: [String: String], _ context: IntakeContext
    ) throws(IntakeProblem) {
        let summary = IntakeText.summary(field("summary") ?? "")
        let details = field("details") ?? ""
        let dedup = field("dedup") ?? ""
        let action = field("action") ?? ""
        guard action.isEmpty || action == "close" else { throw IntakeProblem("action must be close, or absent") }
        let isClosing = action == "close"
        guard !summary.isEmpty || isClosing && !dedup.isEmpty else {
            throw IntakeProblem("summary is missing: one line that says what is wrong")
        }
        let word = field("severity") ?? ""
        guard word.isEmpty || IntakeText.severity(word) != nil else {
            throw IntakeProblem("severity must be critical, error, warning or info")
        }
        service = IntakeText.service(field("service")) ?? context.service
        // As GoAlert: what is told with the same words is the same.
        let key = dedup.isEmpty ? "\(field("summary") ?? "")\n\(details)" : dedup
        item = .alert(
            Alert(
                source: .intake, status: isClosing ? .resolved : .firing,
                fingerprint: IntakeText.fingerprint("generic", "\(service ?? "")/\(key)"), kind: .outside,
                service: service, severity: IntakeText.severity(word) ?? .critical,
                summary: summary.isEmpty ? IntakeText.summary("closed: \(dedup)") : summary, since: context.at,
                at: context.at, details: Array(IntakeText.details(details).prefix(IntakeText.details)), labels: meta))
    }
}
