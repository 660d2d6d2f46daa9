/// The way of one message through the outbox, as a pure state machine.
///
///     waiting → claimed → delivered
///        ↑         ├────→ dead        refused, disabled, or failed at or after `giveUpAt`
///        └─────────┴────→ withdrawn   when its owner asked for that
///
/// Time alone never ends a message: it is given up when an attempt fails at or after `giveUpAt`, and the last attempt
/// is made no later than then if the process runs. So each message is tried at least once, however the clocks were set
/// and however long the machine was off.
package struct OutboxCourse: Hashable, Sendable {
    package enum State: Int, Hashable, Sendable, CaseIterable {
        case waiting = 0
        case claimed = 1
        case delivered = 2
        case dead = 3
        case withdrawn = 4

        package var isFinal: Bool { rawValue >= 2 }
    }

    /// Why a message is dead.
    package enum DeathCause: String, Hashable, Sendable {
        case refused
        case gaveUp = "gave_up"
        /// Its destination wants nothing any more.
        case disabled
    }

    /// What an answer led to.
    package enum Consequence: Hashable, Sendable {
        case retry(at: OutboxInstant)
        case ended
        /// It was in no state to hear an answer; nothing changed.
        case ignored
    }

    /// At most this many bytes of what others say are kept.
    package static let longestWords = 1000

    package internal(set) var state: State = .waiting
    /// Attempts begun, the one in flight included. It never falls.
    package internal(set) var attempts: Int
    /// Before this it is not sent.
    package internal(set) var due: OutboxInstant
    package internal(set) var giveUpAt: OutboxInstant
    package internal(set) var words = ""
    package internal(set) var receipt: String?
    package internal(set) var cause: DeathCause?
    /// Its owner wants it withdrawn, but an attempt is in flight.
    package internal(set) var isWithdrawalAsked = false

    package init(due: OutboxInstant, giveUpAt: OutboxInstant, attempts: Int = 0) {
        self.due = min(due, giveUpAt)
        self.giveUpAt = giveUpAt
        self.attempts = attempts
    }

    /// Begins an attempt. False when it is not waiting, or not due yet.
    package mutating func claim(at now: OutboxInstant) -> Bool {
        guard state == .waiting, due <= now else { return false }
        state = .claimed
        attempts += 1
        return true
    }

    /// Hears what came of the attempt in flight.
    package mutating func hear(
        _ answer: OutboxAnswer, at now: OutboxInstant, schedule: RetrySchedule,
        using generator: inout some RandomNumberGenerator
    ) -> Consequence {
        guard state == .claimed else { return .ignored }
        switch answer {
        case .delivered(let receipt):
            state = .delivered
            self.receipt = receipt.map(Self.shortened)
        case .refused(let words): die(.refused, words)
        case .disabled(let words): die(.disabled, words)
        case .again(let wish, let words):
            self.words = Self.shortened(words)
            if isWithdrawalAsked {
                state = .withdrawn
            } else if now >= giveUpAt {
                die(.gaveUp, words)
            } else {
                let wait = schedule.wait(after: attempts, wish: wish, using: &generator)
                state = .waiting
                due = min(now.advanced(by: wait), giveUpAt)
                return .retry(at: due)
            }
        }
        return .ended
    }

    /// The attempt was cut short by ourselves and nothing is known about it: it is made again as soon as possible.
    package mutating func release(at now: OutboxInstant) {
        guard state == .claimed else { return }
        state = isWithdrawalAsked ? .withdrawn : .waiting
        due = min(due, now)
    }

    /// Its owner does not want it sent. True when it is withdrawn, false when it is in flight (then it will be, unless
    /// the attempt succeeds) or final.
    package mutating func withdraw() -> Bool {
        switch state {
        case .waiting: state = .withdrawn
        case .claimed: isWithdrawalAsked = true
        case .delivered, .dead, .withdrawn: break
        }
        return state == .withdrawn
    }

    /// Its destination wants nothing any more.
    package mutating func destinationDisabled(_ words: String) {
        guard state == .waiting else { return }
        die(.disabled, words)
    }

    private mutating func die(_ cause: DeathCause, _ words: String) {
        state = .dead
        self.cause = cause
        self.words = Self.shortened(words)
    }

    static func shortened(_ text: String) -> String {
        guard text.utf8.count > longestWords else { return text }
        return String(decoding: text.utf8.prefix(longestWords), as: UTF8.self)
    }
}
