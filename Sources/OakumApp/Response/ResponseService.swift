import DurableOutbox
import IncidentStoreSQLite
import OakumEngine
import OakumModel
import ServiceLifecycle

/// Desk, outbox and channels under the service group: pages go on until the last moment, and what is not sent then is sent
/// after the next start.
struct ResponseService: Service {
    let desk: IncidentDesk<ContinuousClock>
    let store: SQLiteIncidentStore
    let dispatcher: OutboxDispatcher<ContinuousClock>
    /// How long incidents are kept after their end, days.
    let keptDays: Int
    let now: @Sendable () -> WallTime
    let say: @Sendable (String) -> Void

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await desk.run() }
                group.addTask { await prune() }
                try await dispatcher.run()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            dispatcher.stop()
        }
    }

    /// Once an hour, and at the start.
    private func prune() async {
        while !Task.isCancelled {
            let before = WallTime(milliseconds: now().milliseconds - Int64(keptDays) * 86_400_000)
            do throws(StoreError) {
                try await store.prune(before: before)
            } catch {
                say("old incidents cannot be deleted: \(error)")
            }
            // Cancelled: the end.
            try? await Task.sleep(for: .seconds(3_600))
        }
    }
}
