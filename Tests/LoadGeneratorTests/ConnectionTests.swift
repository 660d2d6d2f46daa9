import LoadGenerator
import Testing

/// How connections are kept, rested, given up and counted.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ConnectionTests {
    private func plan(_ port: Int, seconds: Double, perSecond: Double, _ policy: ConnectionPolicy) -> LoadPlan {
        LoadPlan(
            seed: 3, targets: [LoadTarget(port: port)], connections: policy,
            streams: [
                LoadStream(request: RequestTemplate(name: "ping", path: TextTemplate(literal: "/")), arrivals: .uniform)
            ],
            steps: [LoadStep(seconds: seconds, perSecond: [perSecond])])
    }

    @Test func `a connection is kept and used again`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        var plan = plan(server.port, seconds: 0.1, perSecond: 10, ConnectionPolicy())
        // A preparation of one at a time is a closed loop: how quick the machine is does not matter.
        plan.preparation = [PreparationStep(request: plan.streams[0].request, count: 50, concurrency: 1)]
        let report = try await LoadRun(plan).run()
        #expect(report.requests == 1)
        #expect(server.requests == 51)
        #expect(server.connections == 1)
        try await server.stop()
    }

    @Test func `thinking users need more connections`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        let policy = ConnectionPolicy(limit: 50, thinkSeconds: 0.2...0.2)
        let report = try await LoadRun(plan(server.port, seconds: 1, perSecond: 100, policy)).run()
        #expect(report.failed == 0)
        #expect((20...50).contains(server.connections), "\(server.connections) connections")
        try await server.stop()
    }

    @Test func `a connection of its own for each request when asked`() async throws {
        let server = try await ScriptedServer { request in
            request.text.contains("connection: close\r\n")
                ? .answerAndClose(ScriptedServer.ok) : .answer(ScriptedServer.answer(400))
        }
        var plan = plan(server.port, seconds: 0.2, perSecond: 100, ConnectionPolicy())
        plan.streams[0].newConnectionEach = true
        let report = try await LoadRun(plan).run()
        #expect(report.failed == 0, "\(report.notes)")
        #expect(report.connectionsOpened == 20)
        #expect(server.connections == 20)
        try await server.stop()
    }

    @Test func `a connection of its own is to be had when all are kept by others`() async throws {
        let server = try await ScriptedServer { request in
            request.text.contains("connection: close\r\n")
                ? .answerAndClose(ScriptedServer.ok) : .answer(ScriptedServer.ok)
        }
        var plan = plan(server.port, seconds: 0.2, perSecond: 20, ConnectionPolicy(limit: 1))
        // Keeps the only connection there may be.
        plan.preparation = [PreparationStep(request: plan.streams[0].request, count: 1)]
        plan.streams[0].newConnectionEach = true
        let report = try await LoadRun(plan).run()
        #expect(report.requests == 4)
        #expect(report.failed == 0, "\(report.notes)")
        #expect(server.connections == 5)
        try await server.stop()
    }

    @Test func `a connection said to close is not used again`() async throws {
        let server = try await ScriptedServer { request in
            request.onConnection > 0
                ? .reset : .answerAndClose(ScriptedServer.answer(200, headers: "Connection: close\r\n"))
        }
        let report = try await LoadRun(plan(server.port, seconds: 0.2, perSecond: 100, ConnectionPolicy())).run()
        #expect(report.failed == 0, "\(report.notes)")
        #expect(server.connections == 20)
        try await server.stop()
    }

    @Test(arguments: [true, false])
    func `the advertised idle window is honoured when asked`(honours: Bool) async throws {
        let server = try await ScriptedServer { _ in
            .answer(ScriptedServer.answer(200, headers: "Keep-Alive: timeout=1\r\n"))
        }
        // A request a second: each finds the connection of the one before idle for more than four fifths of the window.
        let policy = ConnectionPolicy(limit: 200, honoursKeepAlive: honours)
        let report = try await LoadRun(plan(server.port, seconds: 5, perSecond: 1, policy)).run()
        #expect(report.requests == 5)
        #expect(report.failed == 0)
        #expect(honours ? server.connections >= 3 : server.connections <= 2, "\(server.connections)")
        try await server.stop()
    }

    @Test func `a preparation captures what later requests need`() async throws {
        let server = try await ScriptedServer { request in
            if request.text.hasPrefix("POST /login") {
                guard let user = request.text.split(separator: "\"").dropFirst(3).first else { return .reset }
                return .answer(ScriptedServer.answer(200, "{\"id\":[1,{}],\"session\":{\"token\":\"t-\(user)\"}}"))
            }
            let good = ["authorization: Bearer t-user-0\r\n", "authorization: Bearer t-user-1\r\n"]
            return .answer(ScriptedServer.answer(good.contains { request.text.contains($0) } ? 200 : 401))
        }
        var plan = plan(server.port, seconds: 0.2, perSecond: 100, ConnectionPolicy())
        plan.preparation = [
            PreparationStep(
                request: RequestTemplate(
                    name: "login", method: "POST", path: TextTemplate(literal: "/login"),
                    body: .text(try TextTemplate(parsing: #"{"email":"user-{{index}}"}"#)),
                    capture: Capture(name: "token", jsonPath: "session.token")), count: 2)
        ]
        plan.streams[0].request.headers = [("authorization", try TextTemplate(parsing: "Bearer {{token}}"))]
        let report = try await LoadRun(plan).run()
        #expect(report.requests == 20)
        #expect(report.failed == 0, "\(report.notes)")
        try await server.stop()
    }

    @Test func `a failing preparation ends the run with a reason`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.answer(500)) }
        var plan = plan(server.port, seconds: 10, perSecond: 1, ConnectionPolicy())
        plan.preparation = [PreparationStep(request: plan.streams[0].request, count: 3)]
        await #expect(
            throws: LoadError.preparationFailed("ping number 0 failed: http_5xx, status 500: the service failed")
        ) {
            try await LoadRun(plan).run()
        }
        try await server.stop()
    }

    @Test func `cancelling ends a long run at once`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        let run = LoadRun(plan(server.port, seconds: 3_600, perSecond: 20, ConnectionPolicy()))
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    _ = try await run.run()
                    return false
                } catch {
                    return error as? LoadError == .cancelled
                }
            }
            while server.requests < 3 { await Task.yield() }
            group.cancelAll()
            #expect(await group.next() == true)
        }
        #expect(run.snapshot.phase == .sending)
        try await server.stop()
    }
}
