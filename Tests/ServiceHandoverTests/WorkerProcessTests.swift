import Glibc
import OakumTestKit
import ServiceHandover
import Spawning
import Testing

@Suite(.serialized, .timeLimit(.minutes(10))) struct WorkerProcessTests {
    private func example() throws -> String { try builtExecutable("example-handover") }

    @Test func `a service runs under plain systemd socket activation`() async throws {
        // The port is free again when the program asks for it; another program could take it in between.
        let port = try SharedSocket().port
        try await withProcess("/usr/bin/systemd-socket-activate", ["-l", "127.0.0.1:\(port)", try example()]) {
            process in
            _ = try await process.line(containing: "Listening on")
            let answers = try await blocking {
                let client = try PlainClient(.hostname("127.0.0.1", port: Int(port)))
                return [try client.get("/hello"), try client.get("/hello")]
            }
            #expect(answers.map(\.text) == ["hello\n", "hello\n"])
            process.send(SIGTERM)
            #expect(try await process.waitForExit() == .code(0))
            #expect(process.output().contains("requests_answered=2"))
        }
    }

    @Test func `systemd's names for sockets are understood`() async throws {
        try await withTemporaryFolder { folder in
            let http = folder.file("http.sock"), admin = folder.file("admin.sock")
            try await withProcess(
                "/usr/bin/systemd-socket-activate",
                ["-l", admin, "-l", http, "--fdname=admin:http", try example()]
            ) { process in
                try await eventually("the sockets") { access(http, F_OK) == 0 && access(admin, F_OK) == 0 }
                let answers = try await blocking {
                    [
                        try PlainClient(.unixDomainSocket(path: http)).get("/hello").text,
                        try PlainClient(.unixDomainSocket(path: admin)).get("/readyz").text,
                    ]
                }
                #expect(answers == ["hello\n", "ready\n"])
                #expect(permissions(of: http) != nil)
            }
        }
    }

    @Test(arguments: ["path", "abstract"])
    func `a supervisor hears READY and STOPPING`(kind: String) async throws {
        try await withTemporaryFolder { folder in
            let address = kind == "path" ? folder.file("notify") : "@\(folder.file("notify"))"
            let listener = try NotifyListener(address)
            let shared = try SharedSocket()
            let worker = try Worker(try example(), http: shared.descriptor, folder: folder, number: 1, notify: address)
            defer { worker.kill() }
            #expect(try await listener.next() == "READY=1")
            #expect(try await worker.metric("http_requests_total") == 0)
            worker.drain()
            #expect(try await listener.next() == "STOPPING=1")
            #expect(try await worker.ended())
        }
    }

    @Test func `20 hand-overs between processes under load lose nothing`() async throws {
        try await withTemporaryFolder { folder in
            let shared = try SharedSocket()
            let load = LoadClients(.hostname("127.0.0.1", port: Int(shared.port)))
            var workers = [try Worker(try example(), http: shared.descriptor, folder: folder, number: 0)]
            defer { for worker in workers { worker.kill() } }
            try await workers[0].serves()
            // The example advertises five seconds: everybody thinks shorter than that.
            try await load.run(ZeroLossTests.clients) {
                for number in 1...20 {
                    let next = try Worker(try example(), http: shared.descriptor, folder: folder, number: number)
                    workers.append(next)
                    try await next.serves()
                    workers[number - 1].drain()
                    let before = load.now.answered
                    try await eventually("more answers") { load.now.answered >= before + 150 }
                }
            }
            workers[20].drain()
            for worker in workers { #expect(try await worker.ended(), "\(worker.output)") }
            #expect(load.now.failures == [:])
            let answered = workers.compactMap { Self.number("requests_answered", in: $0.output) }
            #expect(answered.reduce(0, +) == load.now.answered)
        }
    }

    @Test(.disabled(if: Sanitizer.isOn, "an instrumented process holds memory of its own"))
    func `large bodies that are refused leave no memory behind`() async throws {
        try await withTemporaryFolder { folder in
            let shared = try SharedSocket()
            let worker = try Worker(try example(), http: shared.descriptor, folder: folder, number: 1)
            defer { worker.kill() }
            try await worker.serves()
            func upload(_ times: Int) async throws {
                let statuses = try await blocking {
                    let body = [UInt8](repeating: 120, count: 10_000_000)
                    return try (0..<times).map { _ in
                        let client = try PlainClient(.hostname("127.0.0.1", port: Int(shared.port)))
                        try client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
                        try client.send(body)
                        return try client.answer().status
                    }
                }
                #expect(statuses == Array(repeating: 413, count: times))
            }
            try await upload(5)
            let before = try worker.residentBytes()
            try await upload(30)
            // 300 MB went by; a single body kept would be seen.
            #expect(try worker.residentBytes() - before < 8 << 20)
        }
    }

    @Test func `running out of descriptors delays connections, it does not end the service`() async throws {
        try await withTemporaryFolder { folder in
            let shared = try SharedSocket()
            let worker = try Worker(
                try example(), http: shared.descriptor, folder: folder, number: 1, descriptorLimit: 48)
            defer { worker.kill() }
            try await worker.serves()
            var clients = try await blocking {
                try (0..<64).map { _ in try PlainClient(.hostname("127.0.0.1", port: Int(shared.port))) }
            }
            try await eventually("the service to run out") { worker.output.contains("could not accept") }
            #expect(try shared.queued() > 0)
            let last = clients.removeLast()
            clients = []
            let status = try await blocking { try last.get("/hello").status }
            #expect(status == 200)
            // Paused between attempts: a service that spins would have written thousands of lines by now.
            #expect(worker.output.split(separator: "\n").count < 20)
            worker.drain()
            #expect(try await worker.ended())
        }
    }

    private static func number(_ key: String, in output: String) -> Int? {
        guard let start = output.firstRange(of: "\(key)=") else { return nil }
        return Int(output[start.upperBound...].prefix { $0.isNumber })
    }
}
