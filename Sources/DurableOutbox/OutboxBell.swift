import GRDB
import Synchronization

/// Wakes a dispatcher. Ringing it often is like ringing it once; a ring that nobody waits for is kept for the next
/// wait.
package final class OutboxBell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
        /// Connections whose transaction will ring at its end.
        var armed: Set<ObjectIdentifier> = []
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

    /// Rings when the transaction that is open there has been committed. Once, however often it is asked for: each
    /// request of its own would make every statement of a large transaction slower.
    func ring(afterTransactionOf db: Database) {
        let connection = ObjectIdentifier(db)
        guard state.withLock({ $0.armed.insert(connection).inserted }) else { return }
        db.afterNextTransaction { [self] _ in
            state.withLock { _ = $0.armed.remove(connection) }
            ring()
        } onRollback: { [self] _ in
            state.withLock { _ = $0.armed.remove(connection) }
        }
    }

    /// Returns at the next ring, at once after one that nobody heard, or when the task is cancelled. One waiter at a
    /// time.
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
