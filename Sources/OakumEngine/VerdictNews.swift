package import OakumModel

/// Which verdicts on one process are worth an event: a changed one, at most one in five seconds unless it becomes a
/// leak. A verdict that wavers is told when it has settled.
package struct VerdictNews: Sendable {
    private static let quiet = 5.0
    private var told = VerdictCode.notEnoughData
    private var toldAt: Uptime?

    package init() {}

    package mutating func isNews(_ code: VerdictCode, at now: Uptime) -> Bool {
        guard code != told else { return false }
        if code != .leak, let toldAt, now - toldAt < Self.quiet { return false }
        told = code
        toldAt = now
        return true
    }

    /// What an earlier `oakum` has told already. A leak is told again: better twice than never.
    package mutating func assume(_ code: VerdictCode) {
        if code != .leak { told = code }
    }
}
