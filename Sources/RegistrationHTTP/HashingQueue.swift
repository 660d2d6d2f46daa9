internal import RegistrationCore
internal import Synchronization

/// The shell around `AdmissionQueue`: holds the lock, reads the clock, wakes threads and waiting tasks. Bounded by the
/// queue's own bounds.
final class HashingQueue: Sendable {
    private typealias Ticket = AdmissionQueue.Ticket

    private enum Outcome: Sendable {
        case ran
        case refused(AdmissionQueue.Refusal, retryAfter: Duration)
        case cancelled
    }

    private struct Job {
        var arrived: Duration
        var work: @Sendable () -> Void
        var continuation: CheckedContinuation<Outcome, Never>
    }

    private struct State {
        var queue: AdmissionQueue
        /// By ticket, waiting or running.
        var jobs: [Ticket: Job] = [:]
        var statistics: HashingStatistics
    }

    /// Which ticket a task holds, and whether it has been cancelled. Touched under the state's lock only.
    private final class Claim: Sendable {
        let state = Mutex<(ticket: Ticket?, isCancelled: Bool)>((nil, false))
    }

    private let state: Mutex<State>
    private let threads: HashingThreads
    private let origin = ContinuousClock.now

    init(settings: AdmissionQueue.Settings) throws(HashingSetUpError) {
        threads = try HashingThreads(count: settings.slots)
        state = Mutex(State(queue: AdmissionQueue(settings), statistics: HashingStatistics(slots: settings.slots)))
    }

    var statistics: HashingStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.queue.waiting
            statistics.running = state.queue.running
            statistics.room = state.queue.room
            return statistics
        }
    }

    func countUnverifiable() {
        state.withLock { $0.statistics.unverifiable += 1 }
    }

    func close() {
        handle { state in state.queue.close() }
    }

    /// Runs `work` on a thread of its own when the queue lets it, and gives its result.
    func run<Value: Sendable>(
        _ lane: AdmissionQueue.Lane, _ work: @escaping @Sendable () -> Value
    ) async throws(HashingError) -> Value {
        let claim = Claim()
        let result = Handback<Value>()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enqueue(lane, claim, continuation) { result.set(work()) }
            }
        } onCancel: {
            cancel(claim)
        }
        switch outcome {
        case .ran:
            guard let value = result.take() else { throw .failed }
            return value
        case .refused(_, let retryAfter): throw .busy(retryAfter: retryAfter)
        case .cancelled: throw .cancelled
        }
    }

    /// One value from a thread to a task.
    private final class Handback<Value: Sendable>: Sendable {
        private let value = Mutex<Value?>(nil)

        func set(_ newValue: Value) { value.withLock { $0 = newValue } }
        func take() -> Value? { value.withLock { $0.take() } }
    }

    private var now: Duration { origin.duration(to: .now) }

    private func enqueue(
        _ lane: AdmissionQueue.Lane, _ claim: Claim, _ continuation: CheckedContinuation<Outcome, Never>,
        _ work: @escaping @Sendable () -> Void
    ) {
        let now = now
        var gone = false
        handle { state in
            let isCancelled = claim.state.withLock { $0.isCancelled }
            guard !isCancelled else {
                gone = true
                return []
            }
            let (ticket, actions) = state.queue.arrive(lane, at: now)
            claim.state.withLock { $0.ticket = ticket }
            state.jobs[ticket] = Job(arrived: now, work: work, continuation: continuation)
            return actions
        }
        if gone { continuation.resume(returning: .cancelled) }
    }

    private func cancel(_ claim: Claim) {
        let job = state.withLock { state -> Job? in
            let ticket = claim.state.withLock { claim in
                claim.isCancelled = true
                return claim.ticket
            }
            guard let ticket, state.queue.leave(ticket) else { return nil }
            state.statistics.cancelled += 1
            return state.jobs.removeValue(forKey: ticket)
        }
        job?.continuation.resume(returning: .cancelled)
    }

    private func finish(_ ticket: Ticket, began: Duration) {
        let now = now
        var finished: Job?
        handle { state in
            finished = state.jobs.removeValue(forKey: ticket)
            state.statistics.work.record(now - began)
            return state.queue.finish(ticket, at: now)
        }
        finished?.continuation.resume(returning: .ran)
    }

    /// Lets the queue decide under the lock and acts on what it says after it.
    private func handle(_ decide: (inout State) -> [AdmissionQueue.Action]) {
        let now = now
        var starts: [(Ticket, Job)] = []
        var refusals: [(Job, Outcome)] = []
        state.withLock { state in
            for action in decide(&state) {
                switch action {
                case .start(let ticket):
                    guard let job = state.jobs[ticket] else { continue }
                    state.statistics.wait.record(now - job.arrived)
                    starts.append((ticket, job))
                case .refuse(let ticket, let reason):
                    guard let job = state.jobs.removeValue(forKey: ticket) else { continue }
                    state.statistics.countRefused(ticket.lane, reason)
                    refusals.append((job, .refused(reason, retryAfter: state.queue.backlog)))
                }
            }
        }
        for (job, outcome) in refusals { job.continuation.resume(returning: outcome) }
        for (ticket, job) in starts {
            // Weak: the threads hold their work, and the queue holds the threads.
            threads.add { [weak self] in
                let began = self?.now ?? .zero
                job.work()
                self?.finish(ticket, began: began)
            }
        }
    }
}
