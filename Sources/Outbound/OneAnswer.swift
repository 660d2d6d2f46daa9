import Synchronization

/// A result somebody waits for, which may be given by several: the first counts. Identity is the object's.
final class OneAnswer<Value: Sendable>: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<Value, Never>)
        case finished(Value)
    }
    private let state = Mutex(State.new)

    /// Parks the caller. Returns false, with the caller resumed, when the result was there before.
    func wait(_ continuation: CheckedContinuation<Value, Never>) -> Bool {
        let early = state.withLock { state -> Value? in
            if case .finished(let value) = state {
                return value
            }
            state = .waiting(continuation)
            return nil
        }
        guard let early else { return true }
        continuation.resume(returning: early)
        return false
    }

    /// Gives the result to the caller. Returns whether this was the first.
    @discardableResult
    func finish(_ value: Value) -> Bool {
        let (first, continuation) = state.withLock { state -> (Bool, CheckedContinuation<Value, Never>?) in
            switch state {
            case .new:
                state = .finished(value)
                return (true, nil)
            case .waiting(let continuation):
                state = .finished(value)
                return (true, continuation)
            case .finished:
                return (false, nil)
            }
        }
        continuation?.resume(returning: value)
        return first
    }

    var isFinished: Bool {
        state.withLock { state in
            if case .finished = state { true } else { false }
        }
    }
}
