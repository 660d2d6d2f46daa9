import Synchronization

/// Wakes a dispatcher. Ringing it often is like ringing it once; a ring that nobody waits for is kept for the next wait.
package final class OutboxBell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func ring() {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.isRung = true
                return nil as CheckedContinuation<Void, Never>?
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns at the next ring, at once after one that nobody heard, or when the task is cancelled. One waiter at a time.
    func heard() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isRung || Task.isCancelled {
                        state.isRung = state.isRung && Task.isCancelled
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }

    /// Returns at the next ring, when that much time has passed on the clock, or when the task is cancelled.
    func heard<C: Clock>(within limit: Duration, on clock: C) async where C.Duration == Duration {
        let deadline = clock.now.advanced(by: limit)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.heard() }
            group.addTask {
                // Nothing but cancellation ends it early, and then the bell was first.
                try? await clock.sleep(until: deadline, tolerance: nil)
            }
            await group.next()
            group.cancelAll()
        }
    }
}
