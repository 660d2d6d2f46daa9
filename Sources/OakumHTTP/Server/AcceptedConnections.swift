import Synchronization

/// Connections on their way from the event loop to the task that serves them.
///
/// Not cancellable on purpose: a connection that was set up must be served or closed, and what an `AsyncStream` holds
/// when its reader is cancelled is dropped instead, which NIO answers with a trap. Bounded by what the kernel's queue
/// and the listener's limit let in.
final class AcceptedConnections<Connection: Sendable>: Sendable {
    private struct State {
        var waiting: [Connection] = []
        var isFinished = false
        var reader: CheckedContinuation<Connection?, Never>?
    }

    private let state = Mutex(State())

    /// Must not be called after `finish`.
    func put(_ connection: Connection) {
        let reader = state.withLock { state -> CheckedContinuation<Connection?, Never>? in
            guard let reader = state.reader else {
                state.waiting.append(connection)
                return nil
            }
            state.reader = nil
            return reader
        }
        reader?.resume(returning: connection)
    }

    /// Nothing more comes.
    func finish() {
        let reader = state.withLock { state -> CheckedContinuation<Connection?, Never>? in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// The next connection; nil after the last one. One reader at a time.
    func next() async -> Connection? {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Connection?? in
                if !state.waiting.isEmpty { return state.waiting.removeFirst() }
                if state.isFinished { return .some(nil) }
                state.reader = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }
}
