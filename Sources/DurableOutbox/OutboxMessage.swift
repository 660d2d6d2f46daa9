/// How urgent a message is: smaller numbers go first. 0 to 9.
package struct OutboxPriority: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: Int

    /// Anything outside 0 to 9 becomes the nearest of them.
    package init(rawValue: Int) {
        self.rawValue = min(max(rawValue, 0), 9)
    }

    /// What somebody must learn first. No rate limit, no order and no other message's slow answer holds it back.
    package static let first = OutboxPriority(rawValue: 0)
    package static let urgent = OutboxPriority(rawValue: 1)
    package static let normal = OutboxPriority(rawValue: 4)
    package static let bulk = OutboxPriority(rawValue: 8)

    package static func < (left: OutboxPriority, right: OutboxPriority) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// One message for one destination. What the payload means is between its owner and the sender.
package struct OutboxMessage: Hashable, Sendable {
    /// Stable over all attempts and restarts: the receiver may tell a repetition by it. 1 to 200 bytes.
    package var id: String
    /// Whom it is for, as the sender knows them. 1 to 200 bytes. Limits count by destination.
    package var destination: String
    /// Chooses the retry schedule; otherwise the owner's. At most 100 bytes.
    package var kind: String
    package var priority: OutboxPriority
    /// Messages of one thread to one destination keep their order; nil: in no order. At most 300 bytes.
    package var thread: String?
    package var payload: [UInt8]
    /// Not sent before this long after enqueueing; zero to 30 days.
    package var notBefore: Duration
    /// How long after enqueueing the last try is made; more than `notBefore`, at most 30 days. See `OutboxCourse`.
    package var giveUpAfter: Duration
    /// Milliseconds since 1970, by the wall clock; for people. `enqueue` sets it.
    package var enqueuedAtMilliseconds: Int64

    package init(
        id: String, destination: String, kind: String = "", priority: OutboxPriority = .normal, thread: String? = nil,
        payload: [UInt8], notBefore: Duration = .zero, giveUpAfter: Duration = .seconds(86_400),
        enqueuedAtMilliseconds: Int64 = 0
    ) {
        self.id = id
        self.destination = destination
        self.kind = kind
        self.priority = priority
        self.thread = thread
        self.payload = payload
        self.notBefore = notBefore
        self.giveUpAfter = giveUpAfter
        self.enqueuedAtMilliseconds = enqueuedAtMilliseconds
    }

    /// Why it cannot be taken; nil when it can.
    func fault(maximumPayloadBytes: Int) -> OutboxError? {
        let longest = Duration.seconds(30 * 86_400)
        switch true {
        case id.isEmpty || id.utf8.count > 200: return .malformed("a message's id has 1 to 200 bytes")
        case destination.isEmpty || destination.utf8.count > 200:
            return .malformed("the destination of message \(id) has to have 1 to 200 bytes")
        case kind.utf8.count > 100: return .malformed("the kind of message \(id) is longer than 100 bytes")
        case (thread ?? "").utf8.count > 300: return .malformed("the thread of message \(id) is longer than 300 bytes")
        case notBefore < .zero || notBefore > longest:
            return .malformed("message \(id) would be held back for \(notBefore): zero to 30 days")
        case giveUpAfter <= notBefore || giveUpAfter > longest:
            return .malformed(
                "message \(id) would be given up after \(giveUpAfter): longer than it is held back, up to 30 days")
        case payload.count > maximumPayloadBytes:
            return .tooLarge(bytes: payload.count, limit: maximumPayloadBytes)
        default: return nil
        }
    }
}

/// What became of the call to enqueue.
package enum OutboxEnqueued: Hashable, Sendable {
    case queued
    /// A message of this id is there already, in whatever state; nothing was changed.
    case known
    /// The destination is disabled: the message is there, dead, and its outcome waits to be heard.
    case destinationDisabled
}

/// The final news about a message. Kept until its owner has marked it heard.
package struct OutboxOutcome: Hashable, Sendable {
    package var id: String
    package var destination: String
    package var kind: String
    package var priority: OutboxPriority
    package var thread: String?
    /// `delivered`, `dead` or `withdrawn`.
    package var state: OutboxCourse.State
    /// Why it is dead; nil for other states.
    package var cause: OutboxCourse.DeathCause?
    package var attempts: Int
    /// The last thing the receiver or the network said.
    package var words: String
    /// What the receiver gave as a proof, e.g. the identifier it chose.
    package var receipt: String?
    package var enqueuedAtMilliseconds: Int64
    package var endedAtMilliseconds: Int64

    package init(
        id: String, destination: String, kind: String = "", priority: OutboxPriority = .normal, thread: String? = nil,
        state: OutboxCourse.State, cause: OutboxCourse.DeathCause? = nil, attempts: Int, words: String = "",
        receipt: String? = nil, enqueuedAtMilliseconds: Int64, endedAtMilliseconds: Int64
    ) {
        self.id = id
        self.destination = destination
        self.kind = kind
        self.priority = priority
        self.thread = thread
        self.state = state
        self.cause = cause
        self.attempts = attempts
        self.words = words
        self.receipt = receipt
        self.enqueuedAtMilliseconds = enqueuedAtMilliseconds
        self.endedAtMilliseconds = endedAtMilliseconds
    }
}

/// A message that is not final yet, without its payload.
package struct OutboxPending: Hashable, Sendable {
    package var id: String
    package var destination: String
    package var kind: String
    package var priority: OutboxPriority
    package var thread: String?
    package var state: OutboxCourse.State
    package var attempts: Int
    /// Until the next attempt; zero when it is due or in flight.
    package var dueIn: Duration
    package var words: String
    package var enqueuedAtMilliseconds: Int64
}

/// How many messages are in which state.
package struct OutboxCounts: Hashable, Sendable {
    package var waiting = 0
    package var claimed = 0
    package var delivered = 0
    package var dead = 0
    package var withdrawn = 0
    /// Final, but not marked heard.
    package var unheard = 0

    package init(
        waiting: Int = 0, claimed: Int = 0, delivered: Int = 0, dead: Int = 0, withdrawn: Int = 0, unheard: Int = 0
    ) {
        self.waiting = waiting
        self.claimed = claimed
        self.delivered = delivered
        self.dead = dead
        self.withdrawn = withdrawn
        self.unheard = unheard
    }
}
