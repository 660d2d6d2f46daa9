import Synchronization

/// How many messages are taken in at once: a storm of them must cost neither memory nor the console's answers.
///
/// `limit` are worked on, at most `waiting` more wait their turn with their body unread (it stays with the sender), the
/// rest is turned away at once and comes again.
final class IntakeGate: Sendable {
    private struct State {
        var active = 0
        var nextTicket = 0
        /// In the order of their coming.
        var queue: [(ticket: Int, turn: CheckedContinuation<Bool, Never>)] = []
    }

    private let limit: Int
    private let waiting: Int
    private let state = Mutex(State())

    init(limit: Int = 8, waiting: Int = 128) {
        self.limit = limit
        self.waiting = waiting
    }

    /// Runs the body when it is its turn.
    /// - Throws: 503 when too many wait; what the body throws.
    func pass<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        guard await enter() else { throw HTTPFailure.crowded }
        defer { leave() }
        return try await body()
    }

    private func enter() async -> Bool {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let now = state.withLock { state -> Bool? in
                    if state.active < limit {
                        state.active += 1
                        return true
                    }
                    guard state.queue.count < waiting, !Task.isCancelled else { return false }
                    state.queue.append((ticket, turn))
                    return nil
                }
                if let now { turn.resume(returning: now) }
            }
        } onCancel: {
            let turn = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let index = state.queue.firstIndex(where: { $0.ticket == ticket }) else { return nil }
                return state.queue.remove(at: index).turn
            }
            turn?.resume(returning: false)
        }
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard !state.queue.isEmpty else {
                state.active -= 1
                return nil
            }
            // The place goes on to the next one.
            return state.queue.removeFirst().turn
        }
        next?.resume(returning: true)
    }
}
