import OakumHTTP
import OakumTestKit
import Outbound
import ServiceLifecycle
import Testing

extension RunningServers {
    /// Where the console may listen, and what it says when it cannot; and that bad clients harm nobody.
    @Suite(.timeLimit(.minutes(10)))
    struct ConsoleListenTests {
        private func refusal(_ listen: String, behindProxy: Bool = false) async -> ListenError? {
            let configuration = ConsoleConfiguration(
                listen: listen, behindProxy: behindProxy, assetsFolder: assetsFolder)
            let server = ConsoleServer(configuration: configuration, controlPlane: FakeControlPlane(), logger: quiet)
            do {
                try await server.run()
                return nil
            } catch {
                return error as? ListenError
            }
        }

        @Test(arguments: ["0.0.0.0:0", "[::]:0", "192.168.1.5:9100", "example.org:80", "128.0.0.1:80"])
        func `an address others can reach is refused`(_ listen: String) async throws {
            let error = await refusal(listen)
            guard case .notLoopback(let text) = error else {
                Issue.record("\(listen): \(String(describing: error))")
                return
            }
            #expect(text.contains("behind_proxy: true"))
        }

        @Test func `behind a proxy any address is taken, and any name`() async throws {
            let configuration = ConsoleConfiguration(listen: "0.0.0.0:0", behindProxy: true, assetsFolder: assetsFolder)
            try await withRunning { (bound: @escaping @Sendable (Int) -> Void) in
                ConsoleServer(configuration: configuration, controlPlane: FakeControlPlane(), logger: quiet) {
                    _, port in
                    bound(port)
                }
            } _: { port, _ in
                let response = try await OutboundClient().send(
                    .init(target: .url("http://127.0.0.1:\(port)/healthz"), headers: [("Host", "oakum.example.org")]))
                #expect(response.status == 200)
            }
        }

        @Test(arguments: [
            "", "9100", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:9100", ":9100", "[::1]",
        ])
        func `a malformed address is explained`(_ listen: String) async throws {
            let error = await refusal(listen)
            guard case .invalidAddress(let text) = error else {
                Issue.record("\(listen): \(String(describing: error))")
                return
            }
            #expect(text.contains("HOST:PORT"))
        }

        @Test func `a taken port is explained`() async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                let error = await refusal("127.0.0.1:\(console.port)")
                guard case .addressInUse(let text) = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(text.contains("127.0.0.1:\(console.port)"))
                #expect(text.contains("--console"))
            }
        }

        @Test func `garbage of every kind leaves the console answering`() async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                var generator = SeededGenerator(seed: 20_231_110)
                for _ in 0..<60 {
                    let connection = try RawConnection(port: console.port)
                    let length = Int.random(in: 1...4000, using: &generator)
                    var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
                    if Bool.random(using: &generator) { bytes = Array("GET / HTTP/1.1\r\n".utf8) + bytes }
                    connection.send(bytes)
                }
                let big = try RawConnection(port: console.port)
                big.send("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10485760\r\n\r\n")
                let refused = try await big.readToEnd()
                #expect(refused.hasPrefix("HTTP/1.1 413 "))
                let silent = try RawConnection(port: console.port)
                let response = try await OutboundClient().send(.init(target: .url(console.url)))
                #expect(response.status == 200)
                silent.send("x")
            }
        }

        @Test(arguments: 0..<20)
        func `connections that arrive while the server ends stop nothing`(_ round: Int) async throws {
            var late: [RawConnection] = []
            try await withConsole(FakeControlPlane()) { console, group in
                for number in 0..<60 {
                    if number == 30 + round { await group.triggerGracefulShutdown() }
                    // Refused once the socket is closed: that is the point.
                    guard let connection = try? RawConnection(port: console.port) else { continue }
                    connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    late.append(connection)
                }
            }
            #expect(late.count >= 30)
            for connection in late { _ = try await connection.readToEnd() }
        }

        @Test func `more connections than are served do not lock anybody out for good`() async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                var crowd = try (0..<300).map { _ in try RawConnection(port: console.port) }
                let over = try #require(crowd.last)
                #expect(try await over.readToEnd() == "")
                crowd.removeAll()
                try await eventually("the console answers again") {
                    // Refused while the crowd is still being seen off.
                    (try? await OutboundClient().send(.init(target: .url(console.url))))?.status == 200
                }
            }
        }
    }
}
