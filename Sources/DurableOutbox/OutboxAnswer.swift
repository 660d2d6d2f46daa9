/// What came of one attempt, as the sender understood it.
package enum OutboxAnswer: Hashable, Sendable {
    /// The receiver has taken it. `receipt`: what it gave as a proof.
    case delivered(receipt: String?)
    /// Not now. `after`: when the receiver said how long to wait (Retry-After). Nothing else is a reason to end it, so
    /// this is also the answer to a broken connection, and to silence.
    case again(after: Duration?, words: String)
    /// Never: the receiver will not take this message however often it comes.
    case refused(words: String)
    /// The receiver wants no more of anything (410 Gone). The destination is marked until its owner enables it again.
    case disabled(words: String)
}

/// Hands one message to the network.
///
/// It must answer to cancellation, which comes when the time for one attempt is over and at the end of a graceful stop,
/// and be honest about it: `delivered` when the receiver's answer was read, `again` otherwise.
package protocol OutboxSender: Sendable {
    /// - Parameters:
    ///   - attempt: from 1, over all restarts.
    ///   - waypoints: to be told `connect`, `bytesSent` and `responseRead` as they happen.
    func send(_ message: OutboxMessage, attempt: Int, waypoints: Waypoints) async -> OutboxAnswer
}
