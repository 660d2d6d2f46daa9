import OakumEngine
import ServiceLifecycle
import UnixSignals

/// The engine under the service group: SIGTERM ends `oakum` alone.
struct EngineService: Service {
    let engine: Engine<ContinuousClock>
    let whenUp: @Sendable () -> Void

    func run() async throws {
        try await withGracefulShutdownHandler {
            _ = try await engine.run(whenUp: whenUp)
        } onGracefulShutdown: {
            engine.end(.detached)
        }
    }
}

/// Ctrl-C on a terminal stops everything.
struct InterruptService: Service {
    let engine: Engine<ContinuousClock>
    let say: @Sendable (String) -> Void

    func run() async throws {
        let interrupts = await UnixSignalsSequence(trapping: .sigint)
        for await _ in interrupts.cancelOnGracefulShutdown() {
            say("stopping workers, keeper and oakum; requests under way are finished first")
            engine.end(.down)
        }
    }
}
