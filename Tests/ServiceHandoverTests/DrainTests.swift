import Hummingbird
import OakumTestKit
import ServiceHandover
import Testing

@Suite(.serialized, .timeLimit(.minutes(10))) struct DrainTests {
    @Test func `a drain answers what is under way, then closes politely`() async throws {
        let gate = TestGate()
        let shared = try SharedSocket()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let service = try await RunningService.start(
                in: &tasks, sockets: .descriptors(http: [shared.duplicate()], admin: try SharedSocket().duplicate()),
                router: testRouter(gate: gate))
            async let slow = blocking {
                let client = try PlainClient(service.http)
                let answer = try client.get("/gate")
                #expect(try client.toTheEnd().isEmpty)
                return answer
            }
            try await eventually("the request to arrive") { gate.arrived == 1 }
            await service.drain()
            let admin = service.admin
            try await eventually("readyz to say no") {
                try await blocking { try PlainClient(admin).get("/readyz").status } == 503
            }
            #expect(try await service.metric("http_draining") == 1)
            gate.open()
            let answer = try await slow
            #expect(answer.text == "passed")
            #expect(answer.closes)
            try await tasks.waitForAll()
        }
        // Ours alone was closed: the socket itself still takes connections.
        let waiting = try await blocking { try PlainClient(.hostname("127.0.0.1", port: Int(shared.port))) }
        let queued = try withExtendedLifetime(waiting) { try shared.queued() }
        #expect(queued == 1)
    }

    @Test func `an idle connection gets one more request during a drain, and so does one that never spoke`()
        async throws
    {
        let shared = try SharedSocket()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let service = try await RunningService.start(
                in: &tasks, sockets: .descriptors(http: [shared.duplicate()], admin: try SharedSocket().duplicate()))
            let (idle, silent, first) = try await blocking {
                let idle = try PlainClient(service.http)
                let first = try idle.get("/hello")
                let silent = try PlainClient(service.http)
                // The silent one was accepted when a later connection has been answered.
                _ = try PlainClient(service.http).get("/hello")
                return (idle, silent, first)
            }
            await service.drain()
            try await eventually("the drain") { try await service.metric("http_draining") == 1 }
            let answers = try await blocking {
                let second = try idle.get("/hello")
                let third = try silent.get("/hello")
                #expect(try idle.toTheEnd().isEmpty)
                #expect(try silent.toTheEnd().isEmpty)
                return [first, second, third]
            }
            #expect(answers.map(\.status) == [200, 200, 200])
            #expect(answers.map(\.closes) == [false, true, true])
            try await tasks.waitForAll()
        }
    }

    @Test func `the deadline cuts what is left, and every cut is counted`() async throws {
        let gate = TestGate()
        let shared = try SharedSocket()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let service = try await RunningService.start(
                in: &tasks, sockets: .descriptors(http: [shared.duplicate()], admin: try SharedSocket().duplicate()),
                router: testRouter(gate: gate),
                configure: {
                    $0.drainDeadline = .milliseconds(300)
                    $0.idleWindow = .seconds(5)
                })
            async let cut = Self.failure { _ = try PlainClient(service.http).get("/gate") }
            async let idle = blocking {
                let client = try PlainClient(service.http)
                _ = try client.get("/hello")
                return try client.toTheEnd()
            }
            try await eventually("both") {
                let answered = try await service.metric("http_requests_total")
                return gate.arrived == 1 && answered == 1
            }
            // A supervisor that keeps its admin connection open reads the last counts before the worker goes.
            let admin = service.admin
            async let last = blocking {
                let client = try PlainClient(admin)
                var text = ""
                do {
                    while true {
                        text = try client.get("/metrics").text
                        // Connections are cut one after the other, so one may be counted before the other.
                        let counted = ["request", "idle"].allSatisfy {
                            text.contains("http_drain_cuts_total{what=\"\($0)\"} 1")
                        }
                        if counted { return text }
                    }
                } catch is ClientFailure {
                    return text
                }
            }
            await service.drain()
            #expect(try await cut != nil)
            #expect(try await idle.isEmpty)
            let text = try await last
            #expect(text.contains("http_drain_cuts_total{what=\"request\"} 1"))
            #expect(text.contains("http_drain_cuts_total{what=\"idle\"} 1"))
            try await tasks.waitForAll()
        }
    }

    @Test func `requests pipelined before the drain are all answered, only the last answer closes`() async throws {
        let gate = TestGate()
        let shared = try SharedSocket()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let service = try await RunningService.start(
                in: &tasks, sockets: .descriptors(http: [shared.duplicate()], admin: try SharedSocket().duplicate()),
                router: testRouter(gate: gate))
            async let answers = blocking {
                let client = try PlainClient(service.http)
                let tail = String(repeating: "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", count: 20)
                try client.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n" + tail)
                let answers = try (0..<21).map { _ in try client.answer() }
                #expect(try client.toTheEnd().isEmpty)
                return answers
            }
            try await eventually("the first request") { gate.arrived == 1 }
            await service.drain()
            try await eventually("the drain") { try await service.metric("http_draining") == 1 }
            gate.open()
            #expect(try await answers.map(\.status) == Array(repeating: 200, count: 21))
            #expect(try await answers.map(\.closes) == Array(repeating: false, count: 20) + [true])
            try await tasks.waitForAll()
        }
    }

    @Test func `cancelling the service ends it at once`() async throws {
        let gate = TestGate()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let service = try await RunningService.start(in: &tasks, router: testRouter(gate: gate))
            async let failure = Self.failure { _ = try PlainClient(service.http).get("/gate") }
            try await eventually("the request") { gate.arrived == 1 }
            tasks.cancelAll()
            #expect(try await failure != nil)
        }
    }

    private static func failure(_ body: @escaping @Sendable () throws -> Void) async throws -> ClientFailure? {
        try await blocking {
            do {
                try body()
                return nil
            } catch let failure as ClientFailure {
                return failure
            }
        }
    }
}
