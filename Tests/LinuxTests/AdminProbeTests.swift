import LinuxHost
import OakumTestKit
import Outbound
import Testing

@Suite(.timeLimit(.minutes(1)))
struct AdminProbeTests {
    @Test(arguments: [
        ("200 OK", true), ("204 No Content", true), ("503 Service Unavailable", false), ("302 Found", false),
    ])
    func `a worker is healthy when it answers its check with success`(status: String, healthy: Bool) async throws {
        try await withProbe({ _ in OutboundServer.answer("", status: status) }) { probe, socket, server in
            #expect(await probe.isHealthy(adminSocket: socket, path: "/readyz", timeout: 10) == healthy)
            #expect(server.requests.first?.hasPrefix("GET /readyz HTTP/1.1") == true)
        }
    }

    @Test func `silence, garbage and nobody are not health`() async throws {
        try await withProbe({ _ in .silence }) { probe, socket, _ in
            #expect(await !probe.isHealthy(adminSocket: socket, path: "/readyz", timeout: 0.1))
            #expect(await !probe.isHealthy(adminSocket: socket + ".not", path: "/readyz", timeout: 10))
            #expect(await probe.requestsServed(adminSocket: socket + ".not", timeout: 10) == nil)
        }
        try await withProbe({ _ in .bytes("hello\n") }) { probe, socket, _ in
            #expect(await !probe.isHealthy(adminSocket: socket, path: "/readyz", timeout: 0.2))
        }
        try await withProbe({ _ in .flood("HTTP/1.1 200 OK\r\n\r\n", then: "xxxx") }) { probe, socket, _ in
            #expect(await !probe.isHealthy(adminSocket: socket, path: "/readyz", timeout: 20))
        }
    }

    @Test func `served requests are the counter's sum over its labels`() async throws {
        let text = """
            # TYPE http_requests_total counter
            http_requests_total{code="200"} 40
            http_requests_total{code="503"} 2
            other_total 7

            """
        try await withProbe({ _ in OutboundServer.answer(text) }) { probe, socket, server in
            #expect(await probe.requestsServed(adminSocket: socket, timeout: 10) == 42)
            #expect(server.requests.first?.hasPrefix("GET /metrics HTTP/1.1") == true)
        }
    }

    @Test(arguments: [
        "", "other_total 7\n", "http_requests_total NaN\n", "http_requests_total -1\n", "\u{1}\u{2}{{{\n",
    ])
    func `a counter that is not there is unknown, not zero`(text: String) async throws {
        try await withProbe({ _ in OutboundServer.answer(text) }) { probe, socket, _ in
            #expect(await probe.requestsServed(adminSocket: socket, timeout: 10) == nil)
        }
    }

    @Test func `metrics behind an error are unknown`() async throws {
        let reply = OutboundServer.answer("http_requests_total 5\n", status: "500 Internal Server Error")
        try await withProbe({ _ in reply }) { probe, socket, _ in
            #expect(await probe.requestsServed(adminSocket: socket, timeout: 10) == nil)
        }
    }

    private func withProbe(
        _ script: @escaping @Sendable (String) -> OutboundServer.Reply,
        _ body: (AdminProbe, String, OutboundServer) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let socket = folder.file("admin.sock")
            let server = try OutboundServer(.unix(socket), script: script)
            let client = OutboundClient()
            defer {
                client.shutdown()
                server.stop()
            }
            try await body(AdminProbe(client: client), socket, server)
        }
    }
}
