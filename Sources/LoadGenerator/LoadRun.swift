import Glibc
import NIOCore
import NIOPosix
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

/// One run of a plan: an open loop over an HTTP/1.1 client of its own, on one event loop thread.
///
/// Requests are sent when the schedule says, whatever became of the earlier ones; latency counts from the scheduled
/// time (Tene, "How NOT to measure latency"). Nothing is ever retried. Memory does not depend on the length of the run.
package final class LoadRun: Sendable {
    private let plan: LoadPlan
    let progress = LoadProgress()

    package init(_ plan: LoadPlan) {
        self.plan = plan
    }

    /// Where the run stands.
    package var snapshot: LoadSnapshot { progress.snapshot }

    /// Prepares, sends, waits for the last answers. Call once. Cancelling the task closes all connections and ends it.
    package func run() async throws(LoadError) -> LoadReport {
        if let problem = plan.problem { throw .invalidPlan(problem) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let result = await result(on: group.next())
        do {
            try await group.shutdownGracefully()
        } catch {
            throw .failed("the event loop did not end: \(error)")
        }
        return try result.get()
    }

    private func result(on loop: any EventLoop) async -> Result<LoadReport, LoadError> {
        let plan = plan
        let progress = progress
        let promise = loop.makePromise(of: LoadReport.self)
        loop.execute {
            do {
                let addresses = try plan.targets.map {
                    try SocketAddress.makeAddressResolvingHost($0.host, port: $0.port)
                }
                let core = LoadCore(plan: plan, addresses: addresses, loop: loop, progress: progress, promise: promise)
                core.begin()
            } catch {
                promise.fail(LoadError.failed("a target's address cannot be resolved: \(error)"))
            }
        }
        return await withTaskCancellationHandler {
            do {
                return .success(try await promise.futureResult.get())
            } catch let error as LoadError {
                return .failure(error)
            } catch {
                return .failure(.failed("\(error)"))
            }
        } onCancel: {
            progress.requestStop()
        }
    }
}

/// What the event loop and the outside tell each other.
final class LoadProgress: Sendable {
    private struct State {
        var snapshot = LoadSnapshot()
        var stopRequested = false
    }

    private let state = Mutex(State())

    var snapshot: LoadSnapshot { state.withLock { $0.snapshot } }
    var isStopRequested: Bool { state.withLock { $0.stopRequested } }

    func publish(_ snapshot: LoadSnapshot) {
        state.withLock { $0.snapshot = snapshot }
    }

    func requestStop() {
        state.withLock { $0.stopRequested = true }
    }
}

/// Seconds since boot, suspends included: the clock of `Uptime`.
func uptimeNow() -> Uptime {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Uptime(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
}
