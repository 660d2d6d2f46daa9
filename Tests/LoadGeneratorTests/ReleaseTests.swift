import OakumTestKit
import Testing

@testable import LoadGenerator

/// A run is gone when it is over: drills and stress tests make many in one process.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ReleaseTests {
    private func plan(_ port: Int, seconds: Double) -> LoadPlan {
        LoadPlan(
            seed: 3, targets: [LoadTarget(port: port)],
            connections: ConnectionPolicy(limit: 8, thinkSeconds: 0.01...0.05),
            streams: [LoadStream(request: RequestTemplate(name: "ping", path: TextTemplate(literal: "/")))],
            steps: [LoadStep(seconds: seconds, perSecond: [200])])
    }

    @Test func `nothing of a finished run stays`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        weak var progress: LoadProgress?
        do {
            let run = LoadRun(plan(server.port, seconds: 0.3))
            progress = run.progress
            #expect(try await run.run().requests > 20)
        }
        try await eventually("the run is released") { progress == nil }
        try await server.stop()
    }

    @Test func `nothing of a cancelled run stays`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        weak var progress: LoadProgress?
        try await withThrowingTaskGroup(of: Void.self) { group in
            let run = LoadRun(plan(server.port, seconds: 60))
            progress = run.progress
            group.addTask { _ = try await run.run() }
            try await eventually("requests are answered") { run.snapshot.requests > 20 }
            group.cancelAll()
            await #expect(throws: LoadError.cancelled) { try await group.waitForAll() }
        }
        try await eventually("the run is released") { progress == nil }
        try await server.stop()
    }
}
