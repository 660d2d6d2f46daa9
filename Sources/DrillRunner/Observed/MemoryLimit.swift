import Glibc
import LoadGenerator
import OakumAPI
import OakumModel
import ProcessReadings
import Synchronization

/// The kernel of the observed arm: what holds more than its budget is killed, as the control arm does it. The keeper starts it
/// again, later each time.
final class MemoryLimit: Sendable {
    private struct State {
        var workers: [(number: UInt32, process: ProcessIdentity)] = []
        var lastAsked: Uptime?
        var kills = 0
    }

    private let service: DrillService
    private let launcher: Launcher
    private let untilSeconds: Double
    private let plane: any ControlPlane
    private let tell: @Sendable (DrillNews) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - launcher: starts workers; slowly, once the first was killed.
    ///   - untilSeconds: when the repaired build takes over: nothing is killed from then on.
    init(
        service: DrillService, launcher: Launcher, untilSeconds: Double, plane: any ControlPlane,
        tell: @escaping @Sendable (DrillNews) -> Void
    ) {
        self.untilSeconds = untilSeconds
        self.service = service
        self.launcher = launcher
        self.plane = plane
        self.tell = tell
    }

    /// How many were killed.
    var kills: Int { state.withLock { $0.kills } }

    func look(_ load: LoadSnapshot) async throws(DrillError) {
        let seconds = load.startedAt.map { uptimeNow() - $0 }
        guard seconds ?? 0 < untilSeconds else { return }
        await findWorkers()
        var buffer = [UInt8](repeating: 0, count: 4_096)
        for (number, process) in state.withLock({ $0.workers }) {
            guard let reader = ProcessReader(pid: process.pid, startTicks: process.startTicks, buffer: &buffer),
                let reading = reader.read(&buffer)
            else { continue }
            let resident = Int64(reading.memory.residentPages * Machine.pageBytes)
            guard resident > service.budgetBytes else { continue }
            if kills == 0 { try launcher.hinder() }
            guard kill(process.pid, SIGKILL) == 0 else { continue }
            state.withLock { state in
                state.kills += 1
                state.workers.removeAll { $0.process == process }
            }
            let size = ByteCount(resident)
            tell(.note(.observed, seconds: seconds, text: "worker \(number) is killed: \(size), over its budget"))
        }
    }

    /// Who there is, twice a second.
    private func findWorkers() async {
        let now = uptimeNow()
        let isDue = state.withLock { state in
            if let last = state.lastAsked, now - last < 0.5 { return false }
            state.lastAsked = now
            return true
        }
        guard isDue else { return }
        do throws(ControlError) {
            let workers = try await plane.overview().services.first { $0.name == service.name }?.workers ?? []
            let living = workers.compactMap { worker in worker.process.map { (worker.number, $0) } }
            state.withLock { $0.workers = living }
        } catch {
            // Whoever watches the arm ends it when this goes on; until then the workers known are those looked at.
        }
    }
}
