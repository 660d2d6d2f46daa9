package import OakumModel

/// Who makes incidents of what the engine notices. What it is told it keeps, or tries again by itself.
package protocol AlertSink: Sendable {
    /// Conditions that hold, told again while they do, or no longer hold.
    func take(_ alerts: [Alert]) async
    /// What the journal says: acts and what came of them.
    func take(_ events: [Event]) async
}

/// What is on its way to the sink.
enum Tidings: Sendable {
    case alerts([Alert])
    case events([Event])
}
