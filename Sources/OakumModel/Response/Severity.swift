/// How urgent something is. Raw values are stored and shown: added to, never renamed.
package enum Severity: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    /// For the record.
    case info
    /// Somebody should look at it some day.
    case warning
    /// Within hours.
    case error
    /// Now: users are hurt, or will be before a person could act.
    case critical

    package static func < (left: Severity, right: Severity) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .info: 0
        case .warning: 1
        case .error: 2
        case .critical: 3
        }
    }
}
