import Synchronization

/// A clock that stands still until a test moves it. Who sleeps on it is resumed in the order of the deadlines.
///
/// The usual step of a test: `await clock.sleepers(1)` (the code under test has gone to sleep), then `clock.advance(by:)`.
package final class VirtualClock: Clock, Sendable {
    /// A point in time, counted from the clock's creation.
    package struct Instant: InstantProtocol {
        package var offset: Swift.Duration

        package init(offset: Swift.Duration) {
            self.offset = offset
        }

        package func advanced(by duration: Swift.Duration) -> Instant {
            Instant(offset: offset + duration)
        }

        package func duration(to other: Instant) -> Swift.Duration {
            other.offset - offset
        }

        package static func < (left: Instant, right: Instant) -> Bool {
            left.offset < right.offset
        }
    }

    private struct Sleeper {
        var id: UInt64
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        var count: Int
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var nextID: UInt64 = 0
        /// By deadline; equal deadlines in the order of arrival.
        var sleepers: [Sleeper] = []
        var watchers: [Watcher] = []
        /// Cancelled before they could fall asleep.
        var cancelled: Set<UInt64> = []
    }

    private let state = Mutex(State())

    package init() {}

    package var now: Instant { state.withLock { $0.now } }

    package var minimumResolution: Swift.Duration { .nanoseconds(1) }

    /// Until when the next sleeper sleeps; nil when nobody does.
    package var nextDeadline: Instant? { state.withLock { $0.sleepers.first?.deadline } }

    package func sleep(until deadline: Instant, tolerance: Swift.Duration? = nil) async throws {
        try Task.checkCancellation()
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                fallAsleep(Sleeper(id: id, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Moves time forward and wakes whom it is due for, step by step in the order of their deadlines.
    ///
    /// A sleeper that goes back to sleep runs on its own thread: wait for it with `sleepers(_:)` before the next step.
    package func advance(by duration: Swift.Duration) {
        advance(to: now.advanced(by: duration))
    }

    /// Moves time to `instant`, never back.
    package func advance(to instant: Instant) {
        while let sleeper = nextDue(at: instant) {
            sleeper.continuation.resume()
        }
        state.withLock { $0.now = max($0.now, instant) }
    }

    /// Returns when at least `count` tasks sleep on this clock. Without a deadline of its own: use a time limit trait.
    package func sleepers(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let enough = state.withLock { state in
                guard state.sleepers.count < count else { return true }
                state.watchers.append(Watcher(count: count, continuation: continuation))
                return false
            }
            if enough { continuation.resume() }
        }
    }

    private func fallAsleep(_ sleeper: Sleeper) {
        enum Outcome { case due, cancelled, asleep([Watcher]) }
        let outcome: Outcome = state.withLock { state in
            if state.cancelled.contains(sleeper.id) { return .cancelled }
            if sleeper.deadline <= state.now { return .due }
            let position = state.sleepers.firstIndex { $0.deadline > sleeper.deadline } ?? state.sleepers.endIndex
            state.sleepers.insert(sleeper, at: position)
            let asleep = state.sleepers.count
            let satisfied = state.watchers.filter { $0.count <= asleep }
            state.watchers.removeAll { $0.count <= asleep }
            return .asleep(satisfied)
        }
        switch outcome {
        case .due: sleeper.continuation.resume()
        case .cancelled: sleeper.continuation.resume(throwing: CancellationError())
        case .asleep(let satisfied): for watcher in satisfied { watcher.continuation.resume() }
        }
    }

    private func nextDue(at instant: Instant) -> Sleeper? {
        state.withLock { state in
            guard let first = state.sleepers.first, first.deadline <= instant else { return nil }
            state.now = max(state.now, first.deadline)
            return state.sleepers.removeFirst()
        }
    }

    private func cancel(_ id: UInt64) {
        let sleeper: Sleeper? = state.withLock { state in
            guard let position = state.sleepers.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.sleepers.remove(at: position)
        }
        sleeper?.continuation.resume(throwing: CancellationError())
    }
}
