import NIOCore
import Synchronization

/// Hands accepted connections from the event loops to the one task that serves them.
///
/// Not cancellable on purpose: every connection put in must be taken out and served to its end. Bounded by the number
/// of connections the gate lets in.
final class ConnectionQueue<Element: Sendable>: Sendable {
    /// What the serving task has to do next.
    enum Next: Sendable {
        case serve(Element)
        case cancelAll
        /// Nothing more comes, and all that came has been served.
        case finished
    }

    private struct State {
        var waiting = CircularBuffer<Element>()
        var served = 0
        var isFinished = false
        var cancelsAll = false
        var consumer: CheckedContinuation<Next, Never>?

        mutating func takeNext() -> Next? {
            if cancelsAll {
                cancelsAll = false
                return .cancelAll
            }
            if !waiting.isEmpty {
                served += 1
                return .serve(waiting.removeFirst())
            }
            return isFinished && served == 0 ? .finished : nil
        }
    }

    private let state = Mutex(State())

    /// Puts a connection in; must not be called after `finish`.
    func put(_ element: Element) { change { $0.waiting.append(element) } }

    /// One that was taken out has been served to its end.
    func wasServed() { change { $0.served -= 1 } }

    /// Nothing more is put in.
    func finish() { change { $0.isFinished = true } }

    /// Asks the serving task to cancel all that it serves.
    func cancelAll() { change { $0.cancelsAll = true } }

    /// Waits for the next thing to do; one caller at a time.
    func next() async -> Next {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> Next? in
                if let next = state.takeNext() { return next }
                state.consumer = continuation
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let wake = state.withLock { state -> (CheckedContinuation<Next, Never>, Next)? in
            body(&state)
            guard let consumer = state.consumer, let next = state.takeNext() else { return nil }
            state.consumer = nil
            return (consumer, next)
        }
        if let wake { wake.0.resume(returning: wake.1) }
    }
}
