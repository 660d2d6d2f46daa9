import CLinux
import Glibc
import OakumModel
import Synchronization

/// Why a run gave no report.
package enum LoadError: Error, Hashable, Sendable {
    /// The plan is impossible; the message says what to change.
    case invalidPlan(String)
    /// A request that prepares the run (an account, a login) failed; nothing was measured.
    case preparationFailed(String)
    /// A target's name could not be resolved, or the event loop broke.
    case failed(String)
    case cancelled

    package var message: String {
        switch self {
        case .invalidPlan(let text), .preparationFailed(let text), .failed(let text): text
        case .cancelled: "cancelled"
        }
    }
}

/// One run of a plan, over an HTTP/1.1 client of its own on one thread.
///
/// In an open loop requests are sent when the schedule says, whatever became of the earlier ones, and latency counts
/// from the scheduled time (Tene, "How NOT to measure latency"). Nothing is ever retried. Memory does not depend on the
/// length of the run.
package final class LoadRun: Sendable {
    private let plan: LoadPlan
    let progress = LoadProgress()

    package init(_ plan: LoadPlan) {
        self.plan = plan
    }

    /// Where the run stands.
    package var snapshot: LoadSnapshot { progress.snapshot }

    /// Ends the schedule now, as if it said no more: requests under way get their answers, and there is a report.
    package func endEarly() {
        progress.requestEnd()
    }

    /// Prepares, sends, waits for the last answers. Call once. Cancelling the task closes all connections and ends it.
    package func run() async throws(LoadError) -> LoadReport {
        if let problem = plan.problem { throw .invalidPlan(problem) }
        let (plan, progress) = (plan, progress)
        let result = await withTaskCancellationHandler {
            await onThreadOfItsOwn { () -> Result<LoadReport, LoadError> in
                do throws(LoadError) {
                    return try LoadCore(plan: plan, progress: progress).run()
                } catch {
                    return .failure(error)
                }
            }
        } onCancel: {
            progress.requestStop()
        }
        return try result.get()
    }
}

/// What the run's thread and the outside tell each other.
final class LoadProgress: Sendable {
    private struct State {
        var snapshot = LoadSnapshot()
        var stopRequested = false
        var endRequested = false
    }

    private let state = Mutex(State())

    var snapshot: LoadSnapshot { state.withLock { $0.snapshot } }
    var isStopRequested: Bool { state.withLock { $0.stopRequested } }
    var isEndRequested: Bool { state.withLock { $0.endRequested } }

    func publish(_ snapshot: LoadSnapshot) {
        state.withLock { $0.snapshot = snapshot }
    }

    func requestStop() {
        state.withLock { $0.stopRequested = true }
    }

    func requestEnd() {
        state.withLock { $0.endRequested = true }
    }
}

/// Seconds since boot, suspends included: the clock of `Uptime`.
func uptimeNow() -> Uptime {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Uptime(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
}
