import Glibc
import Synchronization

/// A request on its way, and the one caller who waits for it. Identity is the object's.
final class Transfer: Sendable {
    typealias Outcome = Result<OutboundResponse, OutboundError>

    let request: OutboundRequest
    /// On `MonotonicClock`.
    let deadline: Double

    private enum State {
        case new
        case waiting(CheckedContinuation<Outcome, Never>)
        case finished(Outcome)
    }
    private let state = Mutex(State.new)

    init(request: OutboundRequest, deadline: Double) {
        self.request = request
        self.deadline = deadline
    }

    /// Parks the caller. Returns false, with the caller resumed, when the transfer was cancelled before it began.
    func wait(_ continuation: CheckedContinuation<Outcome, Never>) -> Bool {
        let early = state.withLock { state -> Outcome? in
            if case .finished(let outcome) = state {
                return outcome
            }
            state = .waiting(continuation)
            return nil
        }
        guard let early else { return true }
        continuation.resume(returning: early)
        return false
    }

    /// Gives the outcome to the caller. Only the first outcome counts; returns whether this was the first.
    @discardableResult
    func finish(_ outcome: Outcome) -> Bool {
        let (first, continuation) = state.withLock { state -> (Bool, CheckedContinuation<Outcome, Never>?) in
            switch state {
            case .new:
                state = .finished(outcome)
                return (true, nil)
            case .waiting(let continuation):
                state = .finished(outcome)
                return (true, continuation)
            case .finished:
                return (false, nil)
            }
        }
        continuation?.resume(returning: outcome)
        return first
    }

    var isFinished: Bool {
        state.withLock { state in
            if case .finished = state { true } else { false }
        }
    }
}

extension OutboundRequest {
    /// The timeout, held between a millisecond and a day.
    var allowedSeconds: Double {
        timeoutSeconds.isNaN ? 0.001 : min(max(timeoutSeconds, 0.001), 86_400)
    }
}

/// `CLOCK_MONOTONIC` in seconds: deadlines of transfers, compared on the transfer thread.
enum MonotonicClock {
    static func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
