import LoadGenerator
import Testing

/// Every way in which a request can fail is told from the others. Against real sockets on the loopback interface.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct FailureKindTests {
    private func plan(
        _ ports: [Int], seconds: Double = 0.2, perSecond: Double = 50, timeout: Double = 5,
        request: RequestTemplate = RequestTemplate(name: "ping", path: TextTemplate(literal: "/")), alone: Bool = false
    ) -> LoadPlan {
        LoadPlan(
            seed: 1, targets: ports.map { LoadTarget(port: $0) },
            streams: [LoadStream(request: request, arrivals: .uniform, newConnectionEach: alone)],
            steps: [LoadStep(seconds: seconds, perSecond: [perSecond])], timeoutSeconds: timeout)
    }

    private func report(
        _ script: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Act,
        _ change: (inout LoadPlan) -> Void = { _ in }
    ) async throws -> LoadReport {
        let server = try await ScriptedServer(script)
        var plan = plan([server.port])
        change(&plan)
        let report = try await LoadRun(plan).run()
        try await server.stop()
        return report
    }

    private func expect(
        _ report: LoadReport, only kind: FailureKind, _ count: UInt64 = 10,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(report.requests == 10, sourceLocation: sourceLocation)
        #expect(report.failed == count, "\(report.failures)", sourceLocation: sourceLocation)
        #expect(report.failures[kind] == count, "\(report.failures)", sourceLocation: sourceLocation)
    }

    @Test func `a healthy server fails nothing`() async throws {
        let report = try await report { _ in .answer(ScriptedServer.ok) }
        #expect(report.requests == 10)
        #expect(report.failed == 0)
        #expect(report.firstFailureSeconds == nil)
        #expect(report.statuses == [200: 10])
    }

    @Test func `nobody listening is refused`() async throws {
        let server = try await ScriptedServer { _ in .silence }
        let port = server.port
        try await server.stop()
        let report = try await LoadRun(plan([port])).run()
        expect(report, only: .refused)
        #expect(report.latency == nil)
        #expect(try #require(report.firstFailureSeconds) < 60)
    }

    @Test func `a reset is told from an early end`() async throws {
        expect(try await report { _ in .reset }, only: .reset)
        expect(try await report { _ in .answerAndClose("") }, only: .closedEarly)
        expect(
            try await report { _ in .answerAndClose("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf") },
            only: .closedEarly)
        expect(
            try await report { _ in .answerAndClose("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe") },
            only: .closedEarly)
    }

    @Test func `a server that never answers is timed out`() async throws {
        let report = try await report({ _ in .silence }) { $0.timeoutSeconds = 0.3 }
        expect(report, only: .timedOut)
        #expect(try #require(report.latency).p50 >= 300)
        #expect(try #require(report.firstFailureSeconds) >= 0.3)
    }

    @Test func `503 is told from other server failures`() async throws {
        expect(try await report { _ in .answer(ScriptedServer.answer(503)) }, only: .http503)
        expect(try await report { _ in .answer(ScriptedServer.answer(500)) }, only: .http5xx)
    }

    @Test func `an unexpected status and a wrong body are wrong answers`() async throws {
        expect(try await report { _ in .answer(ScriptedServer.answer(404)) }, only: .wrongAnswer)
        let report = try await report({ _ in .answer(ScriptedServer.answer(200, "no")) }) {
            $0.streams[0].request.expectedText = "yes"
        }
        expect(report, only: .wrongAnswer)
    }

    @Test func `what is not HTTP is a protocol error`() async throws {
        expect(try await report { _ in .answer("SSH-2.0-OpenSSH_9.2\r\n") }, only: .protocolError)
        expect(try await report { _ in .answer(ScriptedServer.ok + "more") }, only: .protocolError)
    }

    @Test func `an expected 503 is no failure`() async throws {
        let report = try await report({ _ in .answer(ScriptedServer.answer(503)) }) {
            $0.streams[0].request.expectedStatuses = [503]
        }
        #expect(report.failed == 0)
    }

    @Test func `nothing is ever sent twice`() async throws {
        let server = try await ScriptedServer { request in
            request.onConnection == 1 ? .answerAndClose("") : .answer(ScriptedServer.ok)
        }
        let report = try await LoadRun(plan([server.port])).run()
        #expect(server.requests == 10)
        #expect(report.requests == 10)
        // Every second request of a connection is cut.
        #expect(report.failures[.closedEarly] == UInt64(10 - server.connections))
        #expect(report.failed == report.failures[.closedEarly])
        try await server.stop()
    }

    @Test func `each request keeps to its target`() async throws {
        let good = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        let bad = try await ScriptedServer { _ in .answer(ScriptedServer.answer(500)) }
        let report = try await LoadRun(plan([good.port, bad.port])).run()
        #expect(good.requests == 5)
        #expect(bad.requests == 5)
        #expect(report.failures[.http5xx] == 5)
        try await good.stop()
        try await bad.stop()
    }

    @Test func `a queue that outlives the timeout blames the busy service`() async throws {
        let report = try await report({ _ in .silence }) {
            $0.timeoutSeconds = 0.3
            $0.connections.limit = 2
        }
        expect(report, only: .timedOut)
        #expect(report.connectionsOpened <= 10)
    }
}
