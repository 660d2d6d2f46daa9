import Foundation
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Outbound
import PrometheusText
import Testing

extension RunningServers {
    @Suite(.timeLimit(.minutes(10)))
    struct ConsoleServerTests {
        private let client = OutboundClient()

        private func get(
            _ console: Console, _ path: String, method: String = "GET", headers: [(String, String)] = []
        ) async throws -> OutboundResponse {
            try await client.send(
                .init(
                    method: method, target: .url("http://127.0.0.1:\(console.port)\(path)"), headers: headers,
                    timeoutSeconds: 40))
        }

        private func text(_ response: OutboundResponse) -> String { String(decoding: response.body, as: UTF8.self) }

        private func problem(_ response: OutboundResponse) throws -> Problem {
            #expect(response.header("Content-Type") == Problem.contentType)
            return try JSONDecoder().decode(Problem.self, from: Data(response.body))
        }

        @Test func `the page says everything without a script`() async throws {
            let fake = FakeControlPlane()
            fake.change { state in
                state.overview.oakum.problems = ["journal: the disk is full"]
                state.overview.oakum.observeOnly = true
            }
            try await withConsole(fake) { console, _ in
                let response = try await get(console, "/")
                let page = text(response)
                #expect(response.status == 200)
                #expect(response.header("Content-Type") == "text/html; charset=utf-8")
                for expected in [
                    "All 2 workers serve. One worker leaks; observe-only, so nothing is recycled.", "181.4 MiB", "71 %",
                    "0.78\u{A0}MiB/s, budget reached in 95\u{A0}s", "the floor of memory rose by", "pid 901", "Serving",
                    "Steady",
                    "256 MiB", "127.0.0.1:8080", "journal: the disk is full", "watching 1 service", "10\u{202F}421",
                    "datetime=\"2025-11-13T02:13:20Z\"",
                ] {
                    #expect(page.contains(expected), "\(expected)")
                }
                #expect(page.contains("id=\"paused\" data-tone=\"warn\" hidden"))
                #expect(!page.contains("id=\"observe-only\" data-tone=\"info\" hidden"))
            }
        }

        @Test func `names from outside cannot become markup`() async throws {
            let evil = "\"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;\u{0}"
            let fake = FakeControlPlane()
            fake.change { state in
                var worker = Samples.worker(1, pid: 5, mebibytes: 10, summary: evil)
                worker.verdict.evidence = [evil]
                var service = Samples.service(evil, workers: [worker])
                service.address = "\" onmouseover=\"alert(1)"
                state.overview.services = [service]
                state.overview.oakum.problems = [evil]
                state.overview.oakum.version = evil
                state.events = [Samples.event(1, .problem, 1, evil)]
            }
            try await withConsole(fake) { console, _ in
                let page = text(try await get(console, "/"))
                #expect(!page.contains("<script>"))
                #expect(!page.contains("<img"))
                #expect(!page.contains("\" onmouseover"))
                #expect(!page.contains("\u{0}"))
                let escaped = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"
                #expect(page.components(separatedBy: escaped).count > 7)
                fake.change { $0.failure = .failed(evil) }
                let trouble = try await get(console, "/")
                #expect(trouble.status == 500)
                #expect(!text(trouble).contains("<script>"))
            }
        }

        @Test func `every answer carries the policy, pages and failures alike`() async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                for path in ["/", "/nowhere", "/api/v1/overview", "/assets/console.css", "/metrics"] {
                    let response = try await get(console, path)
                    let policy = response.header("Content-Security-Policy") ?? ""
                    #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self';"), "\(path)")
                    #expect(!policy.contains("unsafe"))
                    #expect(response.header("X-Content-Type-Options") == "nosniff")
                    #expect(response.header("Cross-Origin-Resource-Policy") == "same-origin")
                    #expect(response.header("Access-Control-Allow-Origin") == nil)
                    #expect(response.header("Date")?.hasSuffix(" GMT") == true)
                }
                let page = text(try await get(console, "/"))
                #expect(!page.contains(" style="))
                #expect(!page.contains(" onclick"))
            }
        }

        @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
        func `no worker can be touched through the console`(_ method: String) async throws {
            let fake = FakeControlPlane()
            try await withConsole(fake) { console, _ in
                let command = try await get(console, "/api/v1/commands", method: method)
                #expect(command.status == 403)
                #expect(try problem(command).code == "forbidden")
                let page = try await get(console, "/", method: method)
                #expect(page.status == 405)
                #expect(page.header("Allow") == "GET, HEAD")
                #expect(try await get(console, "/api/v1/commands").status == 404)
            }
            #expect(fake.commands.isEmpty)
        }

        @Test(arguments: [
            "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "128.0.0.1", "1270.0.1", "",
        ])
        func `a page of another name is not answered`(_ host: String) async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                let response = try await get(console, "/api/v1/overview", headers: [("Host", host)])
                #expect(response.status == 421 || host.isEmpty && response.status == 400)
                #expect(!text(response).contains("registrar"))
            }
        }

        @Test(arguments: ["localhost", "LOCALHOST:9100", "127.0.0.1:1", "127.8.9.10", "[::1]:9100"])
        func `loopback names are answered`(_ host: String) async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                let response = try await get(console, "/api/v1/overview", headers: [("Host", host)])
                #expect(response.status == 200)
            }
        }

        @Test func `HEAD answers as GET without a body`() async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                for path in ["/", "/api/v1/overview", "/api/v1/stream", "/assets/console.js"] {
                    let response = try await get(console, path, method: "HEAD")
                    #expect(response.status == 200, "\(path)")
                    #expect(response.body.isEmpty)
                }
            }
        }

        @Test func `assets come with their types, and are not sent twice`() async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                let types = [
                    "/assets/console.css": "text/css; charset=utf-8",
                    "/assets/console.js": "text/javascript; charset=utf-8",
                    "/assets/chart.js": "text/javascript; charset=utf-8",
                ]
                for (path, type) in types {
                    let response = try await get(console, path)
                    #expect(response.status == 200)
                    #expect(response.header("Content-Type") == type)
                    let tag = try #require(response.header("ETag"))
                    let again = try await get(console, path, headers: [("If-None-Match", tag)])
                    #expect(again.status == 304)
                    #expect(again.body.isEmpty)
                }
            }
        }

        @Test(arguments: [
            "/assets/../../../../etc/passwd", "/assets/..%2f..%2fREADME.md", "/assets/%2e%2e/console.css",
            "/assets/.hidden.js", "/assets/missing.js", "/assets/console.css%00.js", "/assets//etc/passwd", "/assets/",
            "/assets/dygraphs/../console.css", "/assets/dygraphs/dygraph.js", "/assets/a/b.js", "/etc/passwd",
        ])
        func `nothing beside the assets is served`(_ path: String) async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                let connection = try RawConnection(port: console.port)
                connection.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                #expect(try await connection.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 404 "))
            }
        }

        @Test func `without dygraphs the page says what to install`() async throws {
            try await withConsole(FakeControlPlane(), dygraphs: "/nonexistent") { console, _ in
                let page = text(try await get(console, "/"))
                #expect(page.contains("apt install libjs-dygraphs"))
                #expect(!page.contains("dygraph.min.js"))
                let missing = try await get(console, "/assets/dygraphs/dygraph.min.js")
                #expect(try problem(missing).detail.contains("apt install libjs-dygraphs"))
            }
        }

        @Test(arguments: [
            "/api/v1/history", "/api/v1/history?service=registrar&points=x",
            "/api/v1/history?service=registrar&seconds=-1",
            "/api/v1/history?service=registrar&points=99999999", "/api/v1/events?limit=0",
            "/api/v1/events?limit=1000000",
            "/api/v1/events?after=-1", "/api/v1/events?after=1e3", "/api/v1/stream?after=x",
        ])
        func `malformed queries are explained`(_ path: String) async throws {
            try await withConsole(FakeControlPlane()) { console, _ in
                let response = try await get(console, path)
                #expect(response.status == 400)
                #expect(try problem(response).code == "invalid")
            }
        }

        @Test func `failures of the control plane keep their code and status`() async throws {
            let fake = FakeControlPlane()
            try await withConsole(fake) { console, _ in
                let unknown = try await get(console, "/api/v1/history?service=nope")
                #expect(unknown.status == 404)
                #expect(try problem(unknown).code == "not_found")
                #expect(try await get(console, "/healthz").status == 200)
                fake.change { $0.failure = .failed("journal broken") }
                let health = try await get(console, "/healthz")
                #expect(health.status == 500)
                #expect(try problem(health).detail == "journal broken")
            }
        }

        @Test func `metrics can be read back`() async throws {
            let fake = FakeControlPlane()
            fake.change { $0.overview.services[0].workers[1].latest = nil }
            try await withConsole(fake) { console, _ in
                let response = try await get(console, "/metrics")
                #expect(response.header("Content-Type") == PrometheusText.contentType)
                let samples = PrometheusText.parse(text(response))
                let worker = ["service": "registrar", "worker": "7"]
                #expect(samples.value("oakum_worker_resident_bytes", where: worker) == 190_211_686)
                #expect(samples.value("oakum_worker_resident_bytes", where: ["worker": "8"]) == nil)
                #expect(samples.value("oakum_worker_budget_bytes") == 268_435_456)
                #expect(samples.value("oakum_worker_verdict", where: ["worker": "7", "verdict": "leak"]) == 1)
                #expect(samples.value("oakum_service_recycles_total") == 3)
                #expect(samples.value("oakum_worker_seconds_to_budget", where: ["worker": "7", "bound": "low"]) == 95)
                #expect(samples.value("process_resident_memory_bytes") == 32_505_856)
                #expect(samples.value("oakum_live_streams") == 0)
            }
        }
    }
}
