import LinuxHost
import OakumEngine
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
            #expect(await probe.measures(adminSocket: socket + ".not", timeout: 10) == nil)
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
            let measures = try #require(await probe.measures(adminSocket: socket, timeout: 10))
            #expect(measures.requests == 42)
            #expect(measures.failures == 2)
            #expect(measures.work == ["other_total": 7])
            #expect(server.requests.first?.hasPrefix("GET /metrics HTTP/1.1") == true)
        }
    }

    @Test func `times, caches and counters of its own are told by name`() async throws {
        let text = """
            http_request_duration_seconds_bucket{le="+Inf"} 10
            http_request_duration_seconds_sum 2.5
            http_request_duration_seconds_count 10
            http_requests_in_flight 3
            cache_bytes{cache="profiles"} 4096
            cache_bound_bytes{cache="profiles"} 8192
            cache_evictions_total{cache="profiles",cause="size"} 5
            cache_evictions_total{cache="profiles",cause="expired"} 2
            cache_bytes{cache="names"} 10
            scanned_total{table="a"} 100
            scanned_total{table="b"} 11
            broken_total NaN

            """
        try await withProbe({ _ in OutboundServer.answer(text) }) { probe, socket, _ in
            let measures = try #require(await probe.measures(adminSocket: socket, timeout: 10))
            #expect(measures.durationSum == 2.5 && measures.durationCount == 10 && measures.inFlight == 3)
            #expect(measures.requests == nil && measures.failures == nil)
            #expect(measures.work == ["scanned_total": 111])
            #expect(
                measures.caches == [
                    "profiles": CacheMeasures(bytes: 4_096, bound: 8_192, evictions: 7),
                    "names": CacheMeasures(bytes: 10),
                ])
        }
    }

    @Test(arguments: [
        "", "other_total 7\n", "http_requests_total NaN\n", "http_requests_total -1\n", "\u{1}\u{2}{{{\n",
    ])
    func `a counter that is not there is unknown, not zero`(text: String) async throws {
        try await withProbe({ _ in OutboundServer.answer(text) }) { probe, socket, _ in
            #expect(await probe.measures(adminSocket: socket, timeout: 10)?.requests == nil)
        }
    }

    @Test func `metrics behind an error are unknown`() async throws {
        let reply = OutboundServer.answer("http_requests_total 5\n", status: "500 Internal Server Error")
        try await withProbe({ _ in reply }) { probe, socket, _ in
            #expect(await probe.measures(adminSocket: socket, timeout: 10)?.requests == nil)
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
