import OakumTestKit
import ServiceHandover
import Testing

@Suite(.serialized, .timeLimit(.minutes(10))) struct HostileClientTests {
    @Test func `bytes that are no HTTP are answered with 400 and an end`() async throws {
        try await withService { service in
            let answer = try await blocking {
                let client = try PlainClient(service.http)
                try client.send("\u{16}\u{3}\u{1} this is no HTTP\r\n\r\n")
                let answer = try client.answer()
                #expect(try client.toTheEnd().isEmpty)
                return answer
            }
            #expect(answer.status == 400 && answer.closes)
            #expect(try await service.metric("http_requests_total", where: ["code": "4xx"]) == 1)
            #expect(try await service.metric("http_requests_in_flight") == 0)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `random bytes and damaged requests never break the service or its counts`(seed: UInt64) async throws {
        try await withService { service in
            try await blocking {
                var random = SeededGenerator(seed: seed)
                let request = Array("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".utf8)
                for _ in 0..<60 {
                    let client = try PlainClient(service.http)
                    let bytes =
                        random.chance(0.3) ? random.bytes(random.int(1...400)) : random.damaged(request + request)
                    do {
                        try client.send(bytes)
                        client.finishSending()
                        _ = try client.toTheEnd()
                    } catch ClientFailure.reset {
                        // The service may have had enough before it read all.
                    }
                }
            }
            #expect(try await blocking { try PlainClient(service.http).get("/hello").status } == 200)
            try await eventually("the connections to go") { try await service.metric("http_connections") <= 1 }
            #expect(try await service.metric("http_requests_in_flight") == 0)
        }
    }

    @Test func `a head that comes byte by byte ends with 408 at the header timeout`() async throws {
        try await withService(configure: { $0.headerTimeout = .milliseconds(300) }) { service in
            let answer = try await blocking { () -> Answer in
                let client = try PlainClient(service.http)
                let trickle = try PlainClient(service.http, patience: 0.02)
                let start = ContinuousClock.now
                for byte in "GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".utf8
                {
                    do {
                        try trickle.send([byte])
                        // Waits 20 ms unless there is an answer.
                        let answer = try trickle.answer()
                        #expect(ContinuousClock.now - start >= .milliseconds(300))
                        return answer
                    } catch ClientFailure.timedOut {
                        // Not cut yet: one more byte.
                    }
                }
                return try client.answer()
            }
            #expect(answer.status == 408 && answer.closes)
            #expect(try await service.metric("http_timeouts_total", where: ["waiting_for": "header"]) == 1)
        }
    }

    @Test func `a body that stands still is cut at the body timeout`() async throws {
        try await withService(configure: { $0.bodyTimeout = .milliseconds(200) }) { service in
            let rest = try await blocking {
                let client = try PlainClient(service.http)
                try client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello")
                return try client.toTheEnd()
            }
            #expect(rest.isEmpty)
            #expect(try await service.metric("http_timeouts_total", where: ["waiting_for": "body"]) == 1)
            try await eventually("the request to be given up") {
                try await service.metric("http_requests_aborted_total") == 1
            }
        }
    }

    @Test func `a service that is slow itself does not blame the client`() async throws {
        let gate = TestGate()
        try await withService(
            router: testRouter(gate: gate),
            configure: {
                $0.bodyTimeout = .milliseconds(100)
                $0.headerTimeout = .milliseconds(100)
                $0.idleWindow = .seconds(1)
                $0.idleMargin = .milliseconds(1)
            }
        ) { service in
            async let answer = blocking { try PlainClient(service.http).get("/gate") }
            try await eventually("the request") { gate.arrived == 1 }
            // An idle connection opened after it ends first; the one being answered stays.
            #expect(try await blocking { try PlainClient(service.http).toTheEnd() }.isEmpty)
            gate.open()
            #expect(try await answer.text == "passed")
        }
    }

    @Test func `a head without end is refused with 431, also when it is one line`() async throws {
        try await withService(configure: { $0.maximumHeaderBytes = 8 << 10 }) { service in
            for head in ["GET /", "GET / HTTP/1.1\r\nHost: a\r\nX: "] {
                let status = try await blocking { () -> Int in
                    let client = try PlainClient(service.http)
                    try client.send(head)
                    do {
                        for _ in 0..<64 { try client.send([UInt8](repeating: 97, count: 1024)) }
                    } catch ClientFailure.reset {
                        // Refused while still sending.
                    }
                    return try client.answer().status
                }
                #expect(status == 431 || status == 400)
            }
            #expect(try await blocking { try PlainClient(service.http).get("/hello").status } == 200)
        }
    }

    @Test func `a body over the limit is refused, and a client that sends it all first still reads the refusal`()
        async throws
    {
        try await withService { service in
            let (answer, rest) = try await blocking {
                let client = try PlainClient(service.http)
                let body = [UInt8](repeating: 120, count: 10_000_000)
                try client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
                try client.send(body)
                return (try client.answer(), try client.toTheEnd())
            }
            #expect(answer.status == 413 && answer.closes && rest.isEmpty)
        }
    }

    @Test func `an answer that nobody reads is given up`() async throws {
        try await withService(configure: { $0.unreadAnswerTimeout = .milliseconds(500) }) { service in
            let client = try await blocking { () -> PlainClient in
                let client = try PlainClient(service.http)
                try client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
                return client
            }
            try await eventually("the request to be given up") {
                try await service.metric("http_requests_aborted_total") == 1
            }
            try await eventually("the connection to go") { try await service.metric("http_connections") == 0 }
            withExtendedLifetime(client) {}
        }
    }

    @Test func `connections beyond the maximum wait their turn in the queue`() async throws {
        let shared = try SharedSocket()
        try await withService(
            sockets: .descriptors(http: [shared.duplicate()], admin: try SharedSocket().duplicate()),
            configure: { $0.maximumConnections = 4 }
        ) { service in
            let first = try await blocking { try (0..<12).map { _ in try PlainClient(service.http) } }
            try await eventually("the queue to hold the rest") { try shared.queued() == 8 }
            #expect(try await service.metric("http_connections") == 4)
            let statuses = try await blocking {
                try first.map { try $0.get("/hello", headers: "Connection: close\r\n").status }
            }
            #expect(statuses == Array(repeating: 200, count: 12))
        }
    }
}
