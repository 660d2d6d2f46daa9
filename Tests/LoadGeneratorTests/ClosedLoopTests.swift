import LoadGenerator
import OakumTestKit
import Synchronization
import Testing

/// Users who ask again when they have their answer, and rows of requests.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ClosedLoopTests {
    private func plan(_ port: Int, users: Int, seconds: Double = 60, limit: UInt64? = nil) -> LoadPlan {
        LoadPlan(
            seed: 5, targets: [LoadTarget(port: port)], loop: .closed,
            streams: [LoadStream(request: RequestTemplate(name: "ping", path: TextTemplate(literal: "/")))],
            steps: [LoadStep(seconds: seconds, users: users)], limit: limit)
    }

    @Test func `so many requests over so many connections, and then it is over`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        let report = try await LoadRun(plan(server.port, users: 5, limit: 1_000)).run()
        #expect(report.requests == 1_000)
        #expect(report.failed == 0, "\(report.notes)")
        #expect(server.requests == 1_000)
        #expect(server.connections == 5)
        #expect(report.seconds < 60)
        #expect(report.latency != nil)
        #expect(report.distribution?.count == 1_000)
        try await server.stop()
    }

    @Test func `the schedule ends it, too`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        let report = try await LoadRun(plan(server.port, users: 2, seconds: 0.3)).run()
        #expect(report.requests > 2)
        #expect(report.seconds >= 0.3)
        #expect(report.requests == UInt64(server.requests))
        try await server.stop()
    }

    @Test func `it can be ended early, with a report`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        let run = LoadRun(plan(server.port, users: 2, seconds: 3_600))
        async let report = run.run()
        while server.requests < 10 { await Task.yield() }
        run.endEarly()
        let result = try await report
        #expect(result.requests >= 10)
        #expect(result.endedEarly == true)
        #expect(result.failed == 0)
        try await server.stop()
    }

    @Test func `nobody listening does not become a storm`() async throws {
        let server = try await ScriptedServer { _ in .silence }
        let port = server.port
        try await server.stop()
        let report = try await LoadRun(plan(port, users: 2, seconds: 0.5)).run()
        #expect(report.failures[.refused] == report.requests)
        // Each user waits 10 ms after a refusal.
        #expect((2...110).contains(report.requests), "\(report.requests)")
    }

    @Test func `streams are chosen by weight`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        var plan = plan(server.port, users: 1, limit: 2_000)
        plan.streams.append(
            LoadStream(request: RequestTemplate(name: "rare", path: TextTemplate(literal: "/r")), weight: 0.25))
        let report = try await LoadRun(plan).run()
        // 400 expected; six standard deviations are 107.
        #expect((290...510).contains(report.streams[1].requests), "\(report.streams[1].requests)")
        try await server.stop()
    }

    @Test func `a row of requests is sent by one user with the values it got`() async throws {
        let server = try await ScriptedServer { request in
            let path = String(request.text.split(separator: " ")[1])
            switch path.split(separator: "?").first {
            case "/login": return .answer(ScriptedServer.answer(200, "", headers: "X-Token: t-\(path.suffix(16))\r\n"))
            case "/list":
                let token = path.suffix(18)
                return .answer(ScriptedServer.answer(token.hasPrefix("t-") ? 200 : 401, "<a id=\"\(token)\">"))
            default:
                let parts = path.split(separator: "=")
                return .answer(ScriptedServer.answer(parts.count == 3 && parts[1].hasPrefix(parts[2]) ? 200 : 400))
            }
        }
        let login = RequestTemplate(
            name: "login", path: try TextTemplate(dollars: "/login?user=${fresh}"),
            extractions: [Extraction(name: "token", source: .header("x-token"))])
        let list = RequestTemplate(
            name: "list", path: try TextTemplate(dollars: "/list?t=${token}"),
            checks: [AnswerCheck(.header("Content-Length"), .exists), AnswerCheck(.between("<", " "), .equals("a"))],
            extractions: [Extraction(name: "id", source: .between("id=\"", "\""))])
        let show = RequestTemplate(name: "show", path: try TextTemplate(dollars: "/show?id=${id}&token=${token}"))
        var plan = plan(server.port, users: 3, limit: 50)
        plan.streams = [
            LoadStream(
                request: login,
                followUps: [FollowUp(request: list), FollowUp(request: show, pauseSeconds: 0.001...0.002)])
        ]
        #expect(plan.problem == nil)
        let report = try await LoadRun(plan).run()
        #expect(report.failed == 0, "\(report.notes)")
        #expect(report.streams.map(\.requests) == [50, 50, 50])
        #expect(report.streams.map(\.name) == ["login", "list", "show"])
        try await server.stop()
    }

    @Test func `a row ends where it fails`() async throws {
        let server = try await ScriptedServer { request in
            .answer(ScriptedServer.answer(request.text.hasPrefix("GET /a ") ? 500 : 200))
        }
        var plan = plan(server.port, users: 1, limit: 5)
        plan.streams = [
            LoadStream(
                request: RequestTemplate(name: "a", path: TextTemplate(literal: "/a")),
                followUps: [FollowUp(request: RequestTemplate(name: "b", path: TextTemplate(literal: "/b")))])
        ]
        let report = try await LoadRun(plan).run()
        #expect(report.streams.map(\.requests) == [5, 0])
        try await server.stop()
    }

    @Test func `rows run in an open loop and on a Unix socket, too`() async throws {
        try await withTemporaryFolder { folder in
            let server = try await ScriptedServer(socketPath: folder.file("s")) { _ in .answer(ScriptedServer.ok) }
            let request = RequestTemplate(name: "a", path: try TextTemplate(dollars: "/${colour}"))
            let plan = LoadPlan(
                seed: 1, targets: [LoadTarget(socketPath: folder.file("s"))],
                streams: [
                    LoadStream(
                        request: request, followUps: [FollowUp(request: request)], arrivals: .uniform,
                        variables: [FlowVariable(name: "colour", values: [Array("red".utf8), Array("blue".utf8)])])
                ],
                steps: [LoadStep(seconds: 0.5, perSecond: [40])])
            let report = try await LoadRun(plan).run()
            #expect(report.failed == 0, "\(report.notes)")
            #expect(report.streams.map(\.requests)[0] == 20)
            // The last row may be cut at the end of the schedule.
            #expect((19...20).contains(report.streams[1].requests))
            try await server.stop()
        }
    }
}
