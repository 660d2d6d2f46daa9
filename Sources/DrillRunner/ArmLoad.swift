import LoadGenerator
import OakumModel

/// Runs the load of one arm beside a watcher, and ends both together.
enum ArmLoad {
    /// - Parameters:
    ///   - interval: how often the watcher looks.
    ///   - watch: called at every look with where the load stands. What it throws ends the arm.
    static func run(
        _ plan: LoadPlan, every interval: Duration,
        watch: @Sendable @escaping (LoadSnapshot) async throws(DrillError) -> Void
    ) async throws(DrillError) -> LoadReport {
        let run = LoadRun(plan)
        do {
            return try await withThrowingTaskGroup(of: LoadReport?.self) { group in
                group.addTask { try await run.run() }
                group.addTask {
                    while !Task.isCancelled {
                        try await watch(run.snapshot)
                        // Cancelled: the load is over, and so is the watch.
                        try? await Task.sleep(for: interval)
                    }
                    return nil
                }
                var report: LoadReport?
                while report == nil, let next = try await group.next() { report = next }
                group.cancelAll()
                guard let report else { throw CancellationError() }
                return report
            }
        } catch let error as DrillError {
            throw error
        } catch LoadError.preparationFailed(let text) {
            throw .couldNotRun("the load could not be prepared: \(text)")
        } catch LoadError.cancelled {
            throw .interrupted(signal: 0)
        } catch let error as LoadError {
            throw .couldNotRun(error.message)
        } catch {
            throw .interrupted(signal: 0)
        }
    }
}
