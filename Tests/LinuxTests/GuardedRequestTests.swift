import OakumTestKit
import Outbound
import Testing

@Suite(.timeLimit(.minutes(5))) struct GuardedRequestTests {
    /// Answers from a list, one after another; the last one for ever.
    private static func resolver(_ answers: [[String]], asked: Recorder<String>) -> HostResolver {
        HostResolver { host throws(OutboundError) in
            asked.record(host)
            let index = min(asked.values.count, answers.count) - 1
            return answers[index].compactMap { NetworkAddress($0) }
        }
    }

    private static func policy(_ permits: String...) throws -> NetworkPolicy {
        NetworkPolicy(allow: try permits.map { try #require(NetworkPolicy.Permit($0)) })
    }

    private static func request(_ url: String, _ policy: NetworkPolicy, seconds: Double = 10) -> OutboundRequest {
        var request = OutboundRequest(target: .url(url), timeoutSeconds: seconds)
        request.network = policy
        return request
    }

    private static func error(_ client: OutboundClient, _ request: OutboundRequest) async -> OutboundError? {
        do {
            _ = try await client.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "http://127.0.0.1:PORT/", "http://127.1:PORT/", "http://2130706433:PORT/", "http://0x7f000001:PORT/",
        "http://0177.0.0.1:PORT/", "http://127.0.0.1.:PORT/", "http://0:PORT/", "http://0.0.0.0:PORT/",
        "http://[::1]:PORT/", "http://[::]:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://[::ffff:7f00:1]:PORT/",
        "http://[::127.0.0.1]:PORT/", "http://[64:ff9b::7f00:1]:PORT/", "http://[fe80::1%25lo]:PORT/",
        "http://localhost:PORT/", "http://LOCALHOST:PORT/", "http://localhost.:PORT/", "http://%6cocalhost:PORT/",
        "http://127.0.0.1%2e:PORT/", "http://①②⑦.⓪.⓪.①:PORT/", "http://user@127.0.0.1:PORT/",
        "http://example.org@127.0.0.1:PORT/", "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://198.18.0.1/",
        "http://192.0.2.1/", "http://224.0.0.1/", "http://255.255.255.255/", "http://[fd00::1]/", "http://[ff02::1]/",
        "http://[2001:db8::1]/", "http://[2002:7f00:1::]/",
    ])
    func `nobody reaches this machine or its neighbours by any spelling`(template: String) async throws {
        let receiver = try HTTPReceiver { _ in .status(200) }
        defer { receiver.stop() }
        let client = OutboundClient()
        let url = template.replacing("PORT", with: "\(receiver.port)")
        let outcome = await Self.error(client, Self.request(url, .publicOnly))
        switch outcome {
        // A malformed URL, or a name that is none, may be refused as such.
        case .refused, .failed: break
        case .cannotConnect(let text): #expect(text.contains("look up"), "\(text)")
        default: Issue.record("\(url): \(String(describing: outcome))")
        }
        #expect(receiver.connections == 0)
    }

    @Test(arguments: [
        "ftp://127.0.0.1/", "file://localhost/etc/passwd", "gopher://127.0.0.1:25/x", "dict://127.0.0.1/",
        "smtp://127.0.0.1/",
    ])
    func `other protocols are not spoken`(url: String) async throws {
        let outcome = await Self.error(OutboundClient(), Self.request(url, try Self.policy("127.0.0.0/8")))
        guard case .failed(let text) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        // A file has no host.
        #expect(text.contains("only http and https") || url.hasPrefix("file:"), "\(text)")
    }

    @Test func `the error says what was refused and what to do`() async throws {
        let asked = Recorder<String>()
        let client = OutboundClient(resolver: Self.resolver([["10.1.2.3"]], asked: asked))
        let outcome = await Self.error(client, Self.request("https://hooks.example.org/T0PSECRET", .publicOnly))
        #expect(
            outcome
                == .refused(
                    "hooks.example.org has the address 10.1.2.3, which is private, so nothing was sent there; if that is "
                        + "meant, it must be listed as allowed"))
    }

    @Test func `what is listed is reached, under its own name`() async throws {
        let receiver = try HTTPReceiver { _ in .status(200, body: "ok") }
        defer { receiver.stop() }
        let asked = Recorder<String>()
        let client = OutboundClient(resolver: Self.resolver([["127.0.0.1"]], asked: asked))
        for permit in ["127.0.0.0/8", "127.0.0.1", "hooks.example.org"] {
            let request = Self.request("http://Hooks.Example.org:\(receiver.port)/x", try Self.policy(permit))
            #expect(try await client.send(request).status == 200)
        }
        let host = try #require(receiver.requests.messages.first?.header("Host"))
        #expect(host.lowercased() == "hooks.example.org:\(receiver.port)")
        #expect(asked.values == ["hooks.example.org", "hooks.example.org", "hooks.example.org"])
    }

    @Test func `localhost is looked up by the system`() async throws {
        let receiver = try HTTPReceiver { _ in .status(200) }
        defer { receiver.stop() }
        let policy = try Self.policy("127.0.0.0/8", "::1")
        let response = try await OutboundClient().send(Self.request("http://localhost:\(receiver.port)/", policy))
        #expect(response.status == 200)
        #expect(receiver.requests.messages.count == 1)
    }

    @Test func `a name that means something else a moment later does not matter: it is looked up once`() async throws {
        let checked = try HTTPReceiver(address: "127.0.0.2") { _ in .status(200, body: "checked") }
        defer { checked.stop() }
        let asked = Recorder<String>()
        // Only the first answer is allowed; the system knows no such name at all.
        let client = OutboundClient(resolver: Self.resolver([["127.0.0.2"], ["127.0.0.1"]], asked: asked))
        let request = Self.request("http://rebind.invalid:\(checked.port)/", try Self.policy("127.0.0.2"))
        let response = try await client.send(request)
        #expect(String(decoding: response.body, as: UTF8.self) == "checked")
        #expect(asked.values.count == 1)
        // The next request looks it up again, sees the new address, and stops.
        guard case .refused(let text) = await Self.error(client, request) else {
            Issue.record("the second answer was not refused")
            return
        }
        #expect(text.contains("127.0.0.1"))
        #expect(checked.connections == 1)
    }

    @Test func `one bad address among good ones condemns the host`() async throws {
        let receiver = try HTTPReceiver { _ in .status(200) }
        defer { receiver.stop() }
        let asked = Recorder<String>()
        let client = OutboundClient(resolver: Self.resolver([["127.0.0.1", "10.0.0.1"]], asked: asked))
        let url = "http://mixed.example:\(receiver.port)/"
        guard case .refused = await Self.error(client, Self.request(url, try Self.policy("127.0.0.0/8"))) else {
            Issue.record("not refused")
            return
        }
        #expect(receiver.connections == 0)
    }

    @Test func `a redirect to a private address is an answer, not a way`() async throws {
        let inner = try HTTPReceiver { _ in .status(200) }
        defer { inner.stop() }
        let outer = try HTTPReceiver { _ in .status(307, headers: ["Location": inner.url]) }
        defer { outer.stop() }
        let response = try await OutboundClient().send(Self.request(outer.url, try Self.policy("127.0.0.1")))
        #expect(response.status == 307)
        #expect(inner.connections == 0)
    }

    @Test func `the next address is tried when nobody listens at the first`() async throws {
        let receiver = try HTTPReceiver(address: "127.0.0.3") { _ in .status(200) }
        defer { receiver.stop() }
        let asked = Recorder<String>()
        let client = OutboundClient(resolver: Self.resolver([["127.0.0.4", "127.0.0.3"]], asked: asked))
        let request = Self.request("http://two.example:\(receiver.port)/", try Self.policy("127.0.0.0/8"))
        #expect(try await client.send(request).status == 200)
        #expect(asked.values.count == 1)
    }

    @Test func `a lookup that never ends is cut at the timeout, and at a cancellation`() async throws {
        let started = AsyncStream.makeStream(of: Void.self)
        let client = OutboundClient(
            resolver: HostResolver { _ throws(OutboundError) in
                started.continuation.yield()
                // Ends when it is cancelled, as the system's does.
                for await _ in AsyncStream<Void>.makeStream().stream {}
                throw .cancelled
            })
        let late = await Self.error(client, Self.request("http://slow.example/", .publicOnly, seconds: 0.2))
        #expect(late == .timedOut("slow.example could not be looked up within 0.2 s"))
        let outcome = await withTaskGroup(of: OutboundError?.self) { group in
            group.addTask { await Self.error(client, Self.request("http://slow.example/", .publicOnly, seconds: 50)) }
            var starts = 0
            for await _ in started.stream {
                starts += 1
                if starts == 2 { break }
            }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(outcome == .cancelled)
    }

    @Test func `a long body is cut where that is wanted, and its status counts`() async throws {
        let receiver = try HTTPReceiver { _ in .flood(503, bytes: 100 << 20) }
        defer { receiver.stop() }
        var request = Self.request(receiver.url, try Self.policy("127.0.0.1"))
        request.maxResponseBytes = 65_536
        request.oversize = .isCut
        let response = try await OutboundClient().send(request)
        #expect(response.status == 503)
        #expect(response.isCut)
        #expect(response.body.count == 65_536)
    }

    @Test func `a proxy that is named is used, and addresses in the URL are still judged`() async throws {
        let proxy = try HTTPReceiver { request in .status(200, body: request.target) }
        defer { proxy.stop() }
        var request = Self.request("http://far.example/x", .publicOnly)
        request.proxy = .url(proxy.url)
        let client = OutboundClient()
        let response = try await client.send(request)
        #expect(String(decoding: response.body, as: UTF8.self) == "http://far.example/x")
        request.target = .url("http://169.254.169.254/latest")
        guard case .refused = await Self.error(client, request) else {
            Issue.record("not refused")
            return
        }
        #expect(proxy.requests.messages.count == 1)
    }

    @Test func `progress is told in order, and bytes are sent before the answer is there`() async throws {
        let gate = Gate()
        let receiver = try HTTPReceiver { _ in .held(gate, .status(200)) }
        defer { receiver.stop() }
        let points = Recorder<String>()
        var request = Self.request(receiver.url, try Self.policy("127.0.0.1"))
        request.method = "POST"
        request.body = Array(repeating: UInt8(ascii: "x"), count: 5000)
        request.progress = OutboundProgress(
            onConnected: { points.record("connected \(receiver.requests.messages.count)") },
            // The receiver answers only after this: so it cannot be the answer that brought it about.
            onSent: {
                points.record("sent")
                gate.open()
            },
            onResponse: { points.record("answered") })
        let client = OutboundClient()
        _ = try await client.send(request)
        #expect(points.values == ["connected 0", "sent", "answered"])
        // On the same connection again.
        request.progress.onConnected = { points.record("connected") }
        _ = try await client.send(request)
        #expect(points.values.suffix(3) == ["connected", "sent", "answered"])
        #expect(receiver.connections == 1)
    }

    @Test func `without an answer nothing says there was one`() async throws {
        let receiver = try HTTPReceiver { _ in .silence }
        defer { receiver.stop() }
        let points = Recorder<String>()
        var request = Self.request(receiver.url, try Self.policy("127.0.0.1"), seconds: 0.5)
        request.progress = OutboundProgress(
            onConnected: { points.record("connected") }, onSent: { points.record("sent") },
            onResponse: { points.record("answered") })
        _ = await Self.error(OutboundClient(), request)
        #expect(points.values == ["connected", "sent"])
        receiver.stop()
        _ = await Self.error(OutboundClient(), request)
        #expect(points.values == ["connected", "sent"])
    }

    @Test func `a body that is not taken is not called sent`() async throws {
        let gate = Gate()
        let stuck = try SocketServer { connection in
            _ = connection
            gate.wait()
        }
        defer {
            gate.open()
            stuck.stop()
        }
        let points = Recorder<String>()
        var request = Self.request("http://127.0.0.1:\(stuck.port)/", try Self.policy("127.0.0.1"), seconds: 1)
        request.method = "POST"
        request.body = Array(repeating: UInt8(ascii: "x"), count: 64 << 20)
        request.progress.onSent = { points.record("sent") }
        guard case .timedOut = await Self.error(OutboundClient(), request) else {
            Issue.record("no timeout")
            return
        }
        #expect(points.values.isEmpty)
    }
}
