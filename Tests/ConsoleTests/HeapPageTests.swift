import Foundation
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Outbound
import Testing

extension RunningServers {
    /// The heap of a worker, over HTTP and as a page.
    @Suite(.timeLimit(.minutes(10)))
    struct HeapPageTests {
        private static let parameters = HeapSamples.query.parameters
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

        @Test func `the JSON has the tree with its units`() async throws {
            try await withConsole(FakeControlPlane(HeapSamples.state())) { console, _ in
                let response = try await get(console, "/api/v1/heap?\(Self.parameters)")
                #expect(response.status == 200)
                #expect(response.header("Content-Type") == "application/json")
                let view = try JSONDecoder().decode(HeapView.self, from: Data(response.body))
                #expect(view == HeapSamples.view())
                for name in [
                    #""live_bytes":{"#, #""growth_bytes":"#, #""in_use_bytes":155713536"#, #""mean_bytes":524288"#,
                    #""nodes_left_out":12"#, #""parent":0"#, #""own_bytes":"#, #""never_freed":"#, #""took_s":1.43"#,
                ] {
                    #expect(text(response).contains(name), "\(name)")
                }
            }
        }

        @Test func `a cache that holds what was found is named`() async throws {
            let fake = FakeControlPlane(HeapSamples.state())
            let cache = HoldingCache(name: "profiles", heldBytes: 63 << 20, boundBytes: 100 << 20)
            fake.change { state in
                state.heaps[HeapSamples.query]?.sites[0].cache = cache
                state.overview.services[0].workers[0].leaks?[0].cache = cache
            }
            try await withConsole(fake) { console, _ in
                let page = text(try await get(console, "/heap?\(Self.parameters)"))
                #expect(page.contains("<p class=\"cache\">Held by cache `profiles`, 63 % of its 100.0 MiB</p>"))
                #expect(text(try await get(console, "/")).contains("held by cache `profiles`, 63 % of its 100.0 MiB"))
                let response = try await get(console, "/api/v1/heap?\(Self.parameters)")
                let view = try JSONDecoder().decode(HeapView.self, from: Data(response.body))
                #expect(view.sites.first?.cache == cache)
                for name in [#""bound_bytes":104857600"#, #""held_bytes":66060288"#, #""name":"profiles""#] {
                    #expect(text(response).contains(name), "\(name)")
                }
            }
        }

        @Test(arguments: [
            ("", 400, "invalid"), ("?service=registrar", 400, "invalid"),
            ("?service=registrar&worker=x", 400, "invalid"),
            ("?service=registrar&worker=99999999999", 400, "invalid"), ("?service=web&worker=7", 404, "not_found"),
            ("?service=registrar&worker=9", 404, "not_found"), ("?service=plain&worker=1", 409, "refused"),
        ])
        func `what cannot be looked at is a problem with its own status, as JSON and as a page`(
            _ query: String, _ status: Int, _ code: String
        ) async throws {
            let fake = FakeControlPlane(HeapSamples.state())
            fake.change { state in
                var plain = Samples.service("plain", workers: [Samples.worker(1, pid: 3, mebibytes: 10)])
                plain.samplesHeap = false
                state.overview.services.append(plain)
            }
            try await withConsole(fake) { console, _ in
                for path in ["/api/v1/heap", "/api/v1/heap.pprof", "/api/v1/heap.folded"] {
                    let response = try await get(console, path + query)
                    #expect(response.status == status)
                    #expect(try JSONDecoder().decode(Problem.self, from: Data(response.body)).code == code)
                }
                let page = try await get(console, "/heap" + query)
                #expect(page.status == status)
                #expect(text(page).contains("role=\"alert\"") && text(page).contains("Try again"))
            }
        }

        @Test func `files are downloads with a plain name, whatever the service is called`() async throws {
            let odd = HeapQuery(service: "a\"b\r\nX: y/ü", worker: 7)
            let fake = FakeControlPlane(HeapSamples.state())
            fake.change { state in
                state.overview.services[0].name = odd.service
                state.heaps[odd] = HeapSamples.view()
            }
            try await withConsole(fake) { console, _ in
                let pprof = try await get(console, "/api/v1/heap.pprof?\(odd.parameters)")
                #expect(pprof.status == 200)
                #expect(pprof.body == Array("pprof of registrar".utf8) + [0, 0xFF, 0x0A])
                #expect(
                    pprof.header("Content-Disposition") == "attachment; filename=\"a-b-X--y---7.heap.pb\"")
                let folded = try await get(console, "/api/v1/heap.folded?\(odd.parameters)")
                #expect(folded.header("Content-Type") == "text/plain; charset=utf-8")
                #expect(folded.header("Content-Disposition")?.hasSuffix("-7.folded.txt\"") == true)
            }
        }

        @Test func `the page says everything without a script`() async throws {
            try await withConsole(FakeControlPlane(HeapSamples.state())) { console, _ in
                let response = try await get(console, "/heap?\(Self.parameters)")
                let page = text(response)
                #expect(response.status == 200)
                #expect(response.header("Content-Type") == "text/html; charset=utf-8")
                #expect(response.header("Content-Security-Policy")?.contains("script-src 'self'") == true)
                for expected in [
                    "registrar/7", "pid 901", "148.4\u{A0}MiB", "+83.1\u{A0}MiB", "148.5 MiB", "estimates",
                    "in 512 KiB is sampled, and 211 samples are alive", "Growth since", "01:11:40 UTC",
                    "Registration.VerificationContext.init(account:) (Verification.swift:49)", "<b>98\u{A0}%</b>",
                    "<li>static VerificationStore.shared</li><li>VerificationStore.contexts</li>",
                    "<li>VerificationContext.renderedMail</li><li>[UInt8]</li></ol>", "8 of 8 blocks looked at",
                    "data-parent=\"5\" data-role=\"runtime\" data-bytes=\"98251571\"", "ended early", "heap.pprof?",
                    "31 lesser places are left out", "12 smaller calls are left out", "/assets/heap.js",
                ] {
                    #expect(page.contains(expected), "\(expected)")
                }
                #expect(!page.contains(" style=") && !page.contains(" onclick"))
                #expect(try await get(console, "/heap?\(Self.parameters)", method: "HEAD").body.isEmpty)
                for asset in ["heap.js", "flame.js", "flame-tree.js", "heap.css", "chain.js", "amounts.js", "clock.js"]
                {
                    #expect(try await get(console, "/assets/\(asset)").status == 200, "\(asset)")
                }
            }
        }

        @Test func `without an earlier moment the page shows what lives, and says why it knows no growth`() async throws
        {
            try await withConsole(FakeControlPlane(HeapSamples.state(base: false))) { console, _ in
                let page = text(try await get(console, "/heap?\(Self.parameters)"))
                #expect(page.contains("Growth cannot be told yet"))
                #expect(!page.contains("data-show=\"growth\"") && !page.contains("data-growth="))
                #expect(page.contains("data-show=\"live\" aria-pressed=\"true\""))
            }
        }

        @Test func `names out of a program cannot become markup`() async throws {
            let evil = "\"><script>alert('x')</script><img src=x onerror=alert(1)>\u{0}"
            let fake = FakeControlPlane(HeapSamples.state())
            fake.change { state in
                var view = HeapSamples.view()
                view.tree[1].function = evil
                view.tree[1].place = evil
                view.remarks = [evil]
                view.sites[0].site = evil
                view.sites[0].verdict = evil
                view.sites[0].reason = evil
                view.sites[0].types[0].type = evil
                view.sites[0].chains[0].path = [evil]
                state.heaps[HeapSamples.query] = view
                state.overview.services[0].workers[0].leaks?[0].chain = [evil]
                state.overview.services[0].workers[0].leaks?[0].site = evil
            }
            try await withConsole(fake) { console, _ in
                for path in ["/heap?\(Self.parameters)", "/"] {
                    let page = text(try await get(console, path))
                    #expect(page.contains("&lt;script&gt;alert(&#39;x&#39;)"))
                    #expect(!page.contains("<script>") && !page.contains("<img") && !page.contains("\u{0}"))
                }
            }
        }

        @Test func `the top of the page is there while the look goes on`() async throws {
            let fake = FakeControlPlane(HeapSamples.state())
            let (seen, finish) = AsyncStream.makeStream(of: Void.self)
            fake.change { $0.lookTakes = { for await _ in seen {} } }
            try await withConsole(fake) { console, _ in
                let connection = try RawConnection(port: console.port)
                connection.send("GET /heap?\(Self.parameters) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                let top = try await connection.read(through: "Looking into the heap of registrar/7")
                #expect(top.hasPrefix("HTTP/1.1 200 "))
                #expect(!top.contains("148.4"))
                finish.finish()
                #expect(try await connection.readToEnd().contains("148.4"))
            }
        }

        @Test func `pages of other sites cannot make oakum look, a link there can lead here`() async throws {
            let fake = FakeControlPlane(HeapSamples.state())
            let looks = Recorder<Bool>()
            fake.change { $0.lookTakes = { looks.record(true) } }
            try await withConsole(fake) { console, _ in
                let foreign = [("Sec-Fetch-Site", "cross-site")]
                for (path, dest) in [("/api/v1/heap", "image"), ("/heap", "iframe"), ("/api/v1/heap.pprof", "empty")] {
                    let headers = foreign + [("Sec-Fetch-Dest", dest)]
                    let refused = try await get(console, "\(path)?\(Self.parameters)", headers: headers)
                    #expect(refused.status == 403)
                }
                #expect(looks.values.isEmpty)
                let followed = foreign + [("Sec-Fetch-Dest", "document")]
                let page = try await get(console, "/heap?\(Self.parameters)", headers: followed)
                #expect(page.status == 200)
                let own = [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Dest", "empty")]
                let view = try await get(console, "/api/v1/heap?\(Self.parameters)", headers: own)
                #expect(view.status == 200)
            }
        }

        @Test func `the heap of a worker that is gone is looked at before anything is sent`() async throws {
            let fake = FakeControlPlane(HeapSamples.state())
            fake.change { state in
                state.overview.services[0].workers.removeFirst()
                state.heaps[HeapSamples.query]?.isAlive = false
            }
            try await withConsole(fake) { console, _ in
                let page = try await get(console, "/heap?\(Self.parameters)")
                #expect(page.status == 200)
                #expect(text(page).contains("gone: this is what it left"))
            }
        }

        @Test func `workers with the sampler link to their heaps, and a chain is shown step by step`() async throws {
            let fake = FakeControlPlane(HeapSamples.state())
            fake.change { state in
                var event = Samples.event(3, .leakNamed, 45, "registrar/7: 94 MiB from …")
                event.event.heap = [HeapSamples.finding]
                state.events.append(event)
            }
            try await withConsole(fake) { console, _ in
                let page = text(try await get(console, "/"))
                #expect(page.contains("href=\"/heap?service=registrar&amp;worker=7\""))
                let chain = "<li>static VerificationStore.shared</li><li>VerificationStore.contexts</li>"
                // With the worker and with the event.
                #expect(page.components(separatedBy: chain).count == 3)
                #expect(page.contains("<a href=\"/heap?service=registrar&amp;worker=7\">Look into its heap</a>"))
                fake.change { state in
                    state.overview.services[0].samplesHeap = nil
                    state.events = []
                }
                let without = text(try await get(console, "/"))
                #expect(!without.contains("worker=7\""))
            }
        }
    }
}
