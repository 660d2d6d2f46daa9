package import OakumModel

/// The escalation of one incident: who has to be told next, and when.
///
/// Store it with the incident, in the same transaction as the deliveries that its notices become: then a crash at any
/// point neither skips a step nor runs one twice. Rules:
/// - A step is due `afterSeconds` after the one before it was due. After a gap (suspend, Oakum was down) all steps
///   of the cycle that are overdue run at once, in order, each exactly once. Repeats never pile up: the next cycle begins
///   `repeatAfterSeconds` after the last step has really run, so a gap neither uses up repeats nor ends the path.
/// - When nobody can be told by a step, or all its deliveries are dead, the next step of the cycle is due at once. The
///   pause before a repeat stays; without repeats left the path is exhausted at once.
/// - An acknowledgement stops the escalation. When it ends, all begins again with the first step, at once, for all
///   cycles, and the one who had acknowledged is told with it.
/// - The path is exhausted `repeatAfterSeconds` after the last step of the last cycle. That is told once.
package struct EscalationCourse: Hashable, Sendable, Codable {
    package enum Phase: Hashable, Sendable, Codable {
        case idle
        case waiting(due: Uptime, next: Next)
        case acknowledged(until: Uptime?)
        case exhausted
        case ended
    }

    package enum Next: Hashable, Sendable, Codable {
        case step(cycle: Int, step: Int)
        /// Exhaustion.
        case end(cycles: Int)
    }

    package internal(set) var policy: EscalationPolicy
    package internal(set) var phase = Phase.idle
    /// The last notice since the beginning or the last acknowledgement.
    package internal(set) var latest: EscalationNotice?
    /// How many notices there were in all.
    package internal(set) var notices = 0
    /// Deliveries of the last notice that are not known to be dead.
    var alive: Set<String> = []
    /// Who has acknowledged.
    var acknowledger: String?

    package init(policy: EscalationPolicy) {
        self.policy = policy
    }

    /// When `tick` has something to do; nil: never, as things stand. After a `tick` at `now` it is later than `now`.
    package var dueAt: Uptime? {
        switch phase {
        case .waiting(let due, _): due
        case .acknowledged(let until): until
        case .idle, .exhausted, .ended: nil
        }
    }
}
