package import OakumModel

/// What a rule sees at one moment.
package enum Condition: Hashable, Sendable {
    /// Bad enough to be told, and how bad.
    case high(Severity)
    /// Between the level that raises and the one that clears: changes nothing.
    case between
    case low
    /// Not measured. Never a reason to raise, and never one to clear.
    case unknown
}

/// Turns what a rule sees again and again into an alert that begins once and ends once.
///
/// Raised after `raiseSeconds` of high, cleared after a hold of low. The hold begins at `clearSeconds` and doubles with every
/// raise within an hour, so that a condition that comes and goes is told at most `raisesPerHour` times an hour. A time
/// without a reading of more than `patience`, or of three times the usual pace, counts for neither: waiting begins anew.
package struct Latch: Sendable {
    package enum Change: Hashable, Sendable {
        case raised
        case severity
        case cleared
    }

    package enum State: Hashable, Sendable {
        case quiet
        case rising(since: Moment)
        case firing(since: Moment, Severity)
    }

    /// Seconds without a known condition after which waiting begins anew.
    package static let patience = 15.0
    /// With the shortest hold of 5 s: 5 · (2^10 − 1) seconds are more than an hour.
    package static let raisesPerHour = 10

    package private(set) var state = State.quiet
    private let raiseSeconds: Double
    private let clearSeconds: Double
    private var clearingSince: Uptime?
    private var lastKnown: Uptime?
    /// From one known condition to the next, seconds.
    private var pace = 0.0
    private var raises: [Uptime] = []
    /// When it was last at least that bad.
    private var lastAt: [Severity: Uptime] = [:]

    package init(raiseSeconds: Double, clearSeconds: Double) {
        self.raiseSeconds = max(0, raiseSeconds)
        self.clearSeconds = max(5, clearSeconds)
    }

    package var firing: Severity? {
        if case .firing(_, let severity) = state { return severity }
        return nil
    }

    /// It was firing when Oakum ended: it goes on, to be cleared as if it had been raised here.
    package mutating func assume(_ severity: Severity, since: Moment, at now: Uptime) {
        state = .firing(since: since, severity)
        lastAt[severity] = now
        raises = [now]
    }

    package mutating func take(_ condition: Condition, at now: Moment) -> Change? {
        guard condition != .unknown else { return nil }
        if let last = lastKnown {
            if now.uptime - last > max(Self.patience, 3 * pace) {
                clearingSince = nil
                if case .rising = state { state = .quiet }
            }
            pace = min(60, now.uptime - last)
        }
        lastKnown = now.uptime
        switch state {
        case .quiet, .rising: return wait(condition, at: now)
        case .firing(let since, let severity): return go(on: condition, since, severity, at: now)
        }
    }

    private mutating func wait(_ condition: Condition, at now: Moment) -> Change? {
        guard case .high(let severity) = condition else {
            state = .quiet
            return nil
        }
        var begin = now
        if case .rising(let since) = state { begin = since } else { lastAt = [:] }
        note(severity, at: now.uptime)
        guard now.uptime - begin.uptime >= raiseSeconds else {
            state = .rising(since: begin)
            return nil
        }
        raises = raises.filter { now.uptime - $0 < 3_600 }.suffix(Self.raisesPerHour) + [now.uptime]
        clearingSince = nil
        state = .firing(since: begin, severity)
        return .raised
    }

    private mutating func go(
        on condition: Condition, _ since: Moment, _ severity: Severity, at now: Moment
    ) -> Change? {
        switch condition {
        case .low:
            let begin = clearingSince ?? now.uptime
            clearingSince = begin
            guard now.uptime - begin >= hold(at: now.uptime) else { return settle(since, severity, at: now) }
            state = .quiet
            clearingSince = nil
            lastAt = [:]
            return .cleared
        case .between, .unknown:
            clearingSince = nil
            // Still there, if no worse than it has to be.
            if let least = lastAt.keys.min() { lastAt[least] = now.uptime }
            return settle(since, severity, at: now)
        case .high(let height):
            clearingSince = nil
            note(height, at: now.uptime)
            return settle(since, severity, at: now)
        }
    }

    private mutating func note(_ severity: Severity, at now: Uptime) {
        lastAt[severity] = now
    }

    /// The worst it was within the hold: it gets worse at once, and better slowly.
    private mutating func settle(_ since: Moment, _ severity: Severity, at now: Moment) -> Change? {
        let hold = hold(at: now.uptime)
        let recent = lastAt.filter { now.uptime - $0.value < hold }.keys.max()
        guard let recent, recent != severity else { return nil }
        state = .firing(since: since, recent)
        return .severity
    }

    private func hold(at now: Uptime) -> Double {
        let count = raises.count { now - $0 < 3_600 }
        return min(3_600, clearSeconds * Double(1 << max(0, min(count - 1, 10))))
    }
}
