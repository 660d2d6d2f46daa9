package import OakumModel

/// Who may look into a heap, and what was seen last. Pure: questions in, answers out.
///
/// One look at a time, whoever asks; its result is shared by all who ask for the same while it is under way or for
/// `lifetime` afterwards. One result is kept: the memory it takes goes back then.
package struct HeapDesk: Sendable {
    /// What whoever asks must do.
    package enum Answer: Hashable, Sendable {
        case known(HeapLook)
        /// Have it looked at, and wait for the result.
        case begin
        /// Wait for the look that is under way.
        case wait
        /// Another look is under way.
        case busy(WorkerID)
        /// As many wait as may.
        case crowded
        /// Nobody looks: Oakum is coming up or ending.
        case closed
    }

    /// How long a result is good for, seconds.
    package static let lifetime = 10.0
    /// Who waits for one look at once; more are turned away.
    package static let waiterLimit = 64

    private var isOpen = false
    private var underWay: HeapSubject?
    private var waiters = 0
    private var seen: (subject: HeapSubject, look: HeapLook, at: Uptime)?

    package init() {}

    package mutating func open() {
        isOpen = true
    }

    package mutating func ask(_ subject: HeapSubject, at now: Uptime) -> Answer {
        guard isOpen else { return .closed }
        if let seen, seen.subject == subject, now - seen.at < Self.lifetime { return .known(seen.look) }
        guard let underWay else {
            underWay = subject
            waiters = 1
            return .begin
        }
        guard underWay == subject else { return .busy(underWay.worker) }
        guard waiters < Self.waiterLimit else { return .crowded }
        waiters += 1
        return .wait
    }

    package mutating func finished(_ look: HeapLook, at now: Uptime) {
        if let underWay { seen = (underWay, look, now) }
        underWay = nil
        waiters = 0
    }

    /// Nobody looks any more.
    package mutating func close() {
        isOpen = false
        underWay = nil
        seen = nil
    }

    /// Drops what is too old.
    package mutating func forget(at now: Uptime) {
        if let seen, now - seen.at >= Self.lifetime { self.seen = nil }
    }
}
