/// What a running drill tells while it runs.
package enum DrillNews: Hashable, Sendable {
    case armStarted(DrillArm, seconds: Double)
    case status(DrillStatus)
    /// Something happened; `seconds` after the arm's first request, nil before it.
    case note(DrillArm, seconds: Double?, text: String)
    /// About the drill as a whole.
    case remark(String)
}

/// Where an arm stands. Once a second.
package struct DrillStatus: Hashable, Sendable {
    package var arm: DrillArm
    /// After the first request; nil while accounts and logins are prepared.
    package var seconds: Double?
    package var requests: UInt64
    package var failed: UInt64
    package var p99Milliseconds: Double?
    /// Resident memory by process; nil where it is unknown or nothing runs.
    package var memory: [Int64?]
    package var budgetBytes: Int64
}
