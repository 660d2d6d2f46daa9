import LoadGenerator
import Testing

/// The loop is open: what the server does changes neither the schedule nor hides in the latencies.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct OpenLoopTests {
    private func plan(_ port: Int, seconds: Double, perSecond: Double) -> LoadPlan {
        LoadPlan(
            seed: 7, targets: [LoadTarget(port: port)],
            streams: [LoadStream(request: RequestTemplate(name: "ping", path: TextTemplate(literal: "/")))],
            steps: [LoadStep(seconds: seconds, perSecond: [perSecond])], timeoutSeconds: 60)
    }

    @Test func `a stall of one second shows in full`() async throws {
        let server = try await ScriptedServer { request in
            request.overall == 200
                ? .stallThenAnswer(milliseconds: 1000, ScriptedServer.ok) : .answer(ScriptedServer.ok)
        }
        let report = try await LoadRun(plan(server.port, seconds: 3, perSecond: 200)).run()
        let latency = try #require(report.latency)
        // A third of all requests fell due while the server was stuck: a closed loop would have seen one slow answer.
        #expect(latency.p99 > 900)
        #expect(latency.p90 > 500)
        #expect(try #require(report.worstP99Milliseconds) > 900)
        try await server.stop()
    }

    @Test func `the rate holds and the report adds up`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        let report = try await LoadRun(plan(server.port, seconds: 2, perSecond: 500)).run()
        // 1,000 expected; five standard deviations of a Poisson count are 158.
        #expect((840...1160).contains(report.requests))
        #expect(report.requests == UInt64(server.requests))
        #expect(report.streams.map(\.requests) == [report.requests])
        #expect(report.timeline.reduce(0) { $0 + $1.requests } == report.requests)
        #expect(report.seconds >= 2)
        try await server.stop()
    }

    @Test func `the snapshot follows the run`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.answer(500)) }
        let run = LoadRun(plan(server.port, seconds: 1, perSecond: 100))
        #expect(run.snapshot.phase == .waiting)
        let report = try await run.run()
        let last = run.snapshot
        #expect(last.phase == .finished)
        #expect(last.requests == report.requests)
        #expect(last.failed == report.failed)
        #expect(last.startedAt == report.startedAt)
        #expect(last.inFlight == 0)
        try await server.stop()
    }
}
