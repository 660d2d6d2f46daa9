import Hummingbird
import OakumTestKit
import ServiceHandover
import Testing

@Suite(.serialized, .timeLimit(.minutes(10))) struct ServingTests {
    @Test func `a service on its own sockets answers and advertises its idle window`() async throws {
        try await withService { service in
            let answers = try await blocking { [http = service.http] in
                let client = try PlainClient(http)
                return [
                    try client.get("/hello"), try client.get("/stream"), try client.get("/fail"), try client.get("/no"),
                ]
            }
            #expect(answers.map(\.status) == [200, 200, 500, 404])
            #expect(answers.map(\.text).prefix(2) == ["hello", "part;part;part;"])
            #expect(answers.allSatisfy { $0.headers["keep-alive"] == "timeout=1" })
            #expect(answers.allSatisfy { $0.headers["date"]?.hasSuffix(" GMT") == true })
            #expect(try await service.metric("http_requests_total") == 4)
            #expect(try await service.metric("http_requests_total", where: ["code": "2xx"]) == 2)
            #expect(try await service.metric("http_requests_in_flight") == 0)
            #expect(try await service.metric("own_metric") == 42)
        }
    }

    @Test func `the admin socket tells health, readiness and the start of the process`() async throws {
        let ready = Switch(true)
        try await withService(readiness: { ready.isOn }) { service in
            let admin = service.admin
            func status(_ path: String) async throws -> Int {
                try await blocking { try PlainClient(admin).get(path).status }
            }
            #expect(try await status("/healthz") == 200)
            #expect(try await status("/readyz") == 200)
            ready.turn(false)
            #expect(try await status("/readyz") == 503)
            #expect(try await status("/healthz") == 200)
            #expect(try await status("/other") == 404)
            let post = try await blocking {
                let client = try PlainClient(admin)
                try client.send("POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                return try client.answer()
            }
            #expect(post.status == 405)
            let start = try await service.metric("process_start_time_seconds")
            let now = Double(ContinuousWallClock.secondsSince1970())
            #expect(start > now - 86_400 && start <= now + 1)
        }
    }

    @Test func `connections wait in the queue until the service is ready`() async throws {
        let shared = try SharedSocket()
        let ready = Switch(false)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await blocking {
                    let client = try PlainClient(.hostname("127.0.0.1", port: Int(shared.port)))
                    #expect(try client.get("/hello").status == 200)
                    let wasReady = ready.isOn
                    #expect(wasReady)
                }
            }
            try await eventually("the connection to be queued") { try shared.queued() == 1 }
            tasks.addTask {
                try await withService(
                    sockets: .descriptors(http: [shared.duplicate()], admin: nil),
                    readiness: { ready.isOn }
                ) { _ in }
            }
            #expect(try shared.queued() == 1)
            ready.turn(true)
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    @Test func `unix sockets serve, the admin one is private, and both files go at the end`() async throws {
        try await withTemporaryFolder { folder in
            let http = folder.file("http"), admin = folder.file("admin")
            for _ in 0..<2 {
                try await withService(configure: {
                    $0.http = .unixDomainSocket(path: http)
                    $0.admin = .unixDomainSocket(path: admin)
                }) { service in
                    #expect(service.http == .unixDomainSocket(path: http))
                    let answer = try await blocking { try PlainClient(service.http).get("/hello") }
                    let answered = try await service.metric("http_requests_total")
                    #expect(answer.text == "hello")
                    #expect(answered == 1)
                    #expect(permissions(of: admin) == 0o600)
                }
                #expect(permissions(of: http) == nil)
                #expect(permissions(of: admin) == nil)
            }
        }
    }

    @Test func `a taken address, a busy socket file and a foreign file are told apart`() async throws {
        try await withTemporaryFolder { folder in
            try await withService(configure: { $0.admin = .unixDomainSocket(path: folder.file("admin")) }) { service in
                await #expect(throws: HandoverError.self) {
                    try await withService(configure: { $0.http = service.http }) { _ in }
                }
                await #expect(throws: HandoverError.self) {
                    try await withService(configure: { $0.http = service.admin }) { _ in }
                }
                let health = try await blocking { try PlainClient(service.admin).get("/healthz") }
                #expect(health.status == 200)
            }
            await #expect(throws: HandoverError.self) {
                try await withService(configure: { $0.http = .unixDomainSocket(path: folder.path) }) { _ in }
            }
        }
    }

    @Test(arguments: [4096, 64] as [CInt])
    func `whatever backlog a socket comes with, it is served with the full one`(backlog: CInt) async throws {
        let full = try SharedSocket(backlog: 4096).backlog()
        try #require(full > 128, "net.core.somaxconn is too small here to see a difference")
        let shared = try SharedSocket(backlog: backlog)
        try await withService(
            sockets: .descriptors(http: [shared.duplicate()], admin: try SharedSocket().duplicate())
        ) { service in
            let answer = try await blocking { try PlainClient(service.http).get("/hello") }
            let during = try shared.backlog()
            #expect(answer.status == 200)
            #expect(during == full)
        }
        #expect(try shared.backlog() == full)
    }

    @Test func `clients of HTTP 1.0 get an end, or keep the connection if they ask`() async throws {
        try await withService { service in
            let http = service.http
            let (plain, kept, stream) = try await blocking {
                let first = try PlainClient(http)
                try first.send("GET /hello HTTP/1.0\r\n\r\n")
                let plain = try first.answer()
                #expect(try first.toTheEnd().isEmpty)
                let second = try PlainClient(http)
                try second.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                let kept = try second.answer()
                try second.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                return (plain, kept, try second.answer())
            }
            #expect(plain.closes && plain.text == "hello")
            #expect(!kept.closes && kept.headers["keep-alive"] == "timeout=1")
            #expect(stream.closes && stream.text == "part;part;part;" && stream.headers["transfer-encoding"] == nil)
        }
    }

    @Test func `a client that half-closes after its request is answered`() async throws {
        try await withService { service in
            let answer = try await blocking {
                let client = try PlainClient(service.http)
                try client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                client.finishSending()
                let answer = try client.answer()
                #expect(try client.toTheEnd().isEmpty)
                return answer
            }
            #expect(answer.text == "hello")
            try await eventually("the connection to go") { try await service.metric("http_connections") == 0 }
        }
    }
}
