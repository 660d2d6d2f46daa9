import Synchronization

/// Runs tasks on the thread that calls `drain()`, in the order they became ready, until none can go on.
///
/// With a `VirtualClock` a whole concurrent program becomes one deterministic sequence: add its tasks with
/// `executorPreference:`, drain, advance the clock, drain. After `drain()` nothing of it can run: every task waits for
/// the clock or for somebody outside.
package final class SteppedExecutor: TaskExecutor, Sendable {
    private let ready = Mutex<[UnownedJob]>([])

    package init() {}

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        ready.withLock { $0.append(job) }
    }

    /// Runs what is ready and what becomes ready by it. Returns the number of steps.
    ///
    /// - Parameter limit: more steps than this are taken for a program that spins; the rest is left for the next call.
    @discardableResult
    package func drain(limit: Int = 1_000_000) -> Int {
        var steps = 0
        while steps < limit {
            let batch = ready.withLock { ready in
                defer { ready.removeAll(keepingCapacity: true) }
                return ready
            }
            guard !batch.isEmpty else { break }
            for job in batch { job.runSynchronously(on: asUnownedTaskExecutor()) }
            steps += batch.count
        }
        return steps
    }
}
