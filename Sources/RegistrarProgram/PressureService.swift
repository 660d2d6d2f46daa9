internal import CachePressure
internal import Logging
internal import ServiceLifecycle

/// Shrinks the process's caches when memory gets scarce, for as long as the service runs.
struct PressureService: Service {
    let logger: Logger

    func run() async throws {
        let pressure = CachePressure { [logger] step in
            logger.notice("caches follow the pressure on memory", metadata: ["step": "\(step)"])
        }
        await cancelWhenGracefulShutdown { await pressure.run() }
    }
}
