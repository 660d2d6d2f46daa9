import AlertRules
package import OakumModel

/// Who makes incidents of what the engine notices. What it is told it keeps, or tries again by itself.
package protocol AlertSink: Sendable {
    /// What keeps it from making incidents and pages, in words, with what to do; nil: nothing does.
    var problem: String? { get async }
    /// Alerts of Oakum's own that fired when it ended: whoever told them goes on with them, and ends them if they are over.
    func firing() async -> [Alert]
    /// Conditions that hold, told again while they do, or no longer hold.
    func take(_ alerts: [Alert]) async
    /// What the journal says: acts and what came of them.
    func take(_ events: [Event]) async
    /// What users and the business lose of a service, measured anew; a loss with an end is over.
    func take(_ impacts: [Impact], of service: String) async
}

/// What is on its way to the sink.
enum Tidings: Sendable {
    case alerts([Alert])
    case events([Event])
    case impacts(String, [Impact])
    case bucket(service: String, metric: String, BusinessBucket)
}
