internal import Synchronization

/// What someone who waited for another's load is told.
enum FlightOutcome<Value: Sendable>: Sendable {
    /// The load's answer; nil: there is no such value.
    case loaded(Value?)
    case failed(any Error)
    /// Who was loading was cancelled: the one that is told this loads now.
    case takeOver
    /// The load was over before the wait began: look again.
    case tooLate
    case cancelled
}

/// Loads that are under way: one per key, however many ask.
///
/// The first who asks loads, in its own task; the others wait. When the loader is cancelled, the first of the waiting
/// takes over and loads itself. So every load runs inside the task of someone who wants its result: it ends when nobody
/// wants it any more, carries that task's priority and tracing, and no task without an owner is needed. The price: work
/// done by a loader that was cancelled in the middle is done again.
///
/// What waits here is bounded by the tasks that call: each waits for one key at a time.
final class FlightTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Waiter {
        var id: UInt64
        var continuation: CheckedContinuation<FlightOutcome<Value>, Never>
    }

    private struct Flight {
        /// The key was invalidated since the load began: its result is answered, but not kept.
        var isDisowned = false
        var waiters: [Waiter] = []
    }

    private struct State {
        var flights: [Key: Flight] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    /// How many keys are being loaded.
    var count: Int { state.withLock { $0.flights.count } }

    /// Whether the caller is to load the key; else someone does already.
    func begin(_ key: Key) -> Bool {
        state.withLock { state in
            guard state.flights[key] == nil else { return false }
            state.flights[key] = Flight()
            return true
        }
    }

    /// Waits for the load of another.
    func wait(for key: Key) async -> FlightOutcome<Value> {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let refused: FlightOutcome<Value>? = state.withLock { state in
                    guard state.flights[key] != nil else { return .tooLate }
                    // The handler below may have run already, and found nobody to wake.
                    if Task.isCancelled { return .cancelled }
                    state.flights[key]?.waiters.append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let refused { continuation.resume(returning: refused) }
            }
        } onCancel: {
            let waiter: Waiter? = state.withLock { state in
                guard let position = state.flights[key]?.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.flights[key]?.waiters.remove(at: position)
            }
            waiter?.continuation.resume(returning: .cancelled)
        }
    }

    /// Does something while nobody can disown the load, unless somebody has; must not call code of the cache's user.
    func whileOwned<Result: Sendable>(_ key: Key, _ body: () -> Result) -> Result? {
        state.withLock { state in
            guard let flight = state.flights[key], !flight.isDisowned else { return nil }
            return body()
        }
    }

    /// The load is over: tells everyone who waits.
    func finish(_ key: Key, _ outcome: FlightOutcome<Value>) {
        let flight = state.withLock { $0.flights.removeValue(forKey: key) }
        for waiter in flight?.waiters ?? [] { waiter.continuation.resume(returning: outcome) }
    }

    /// The loader was cancelled: the first of the waiting loads now, or nobody when nobody waits.
    ///
    /// - Returns: whether somebody took over.
    @discardableResult
    func handOver(_ key: Key) -> Bool {
        let next: Waiter? = state.withLock { state in
            guard var flight = state.flights[key], !flight.waiters.isEmpty else {
                state.flights[key] = nil
                return nil
            }
            let next = flight.waiters.removeFirst()
            // The next load begins now, after whatever was invalidated before.
            flight.isDisowned = false
            state.flights[key] = flight
            return next
        }
        next?.continuation.resume(returning: .takeOver)
        return next != nil
    }

    func disown(_ key: Key) {
        state.withLock { $0.flights[key]?.isDisowned = true }
    }

    func disownAll() {
        state.withLock { state in
            for key in state.flights.keys { state.flights[key]?.isDisowned = true }
        }
    }
}
