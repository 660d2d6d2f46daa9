import Notify
import OakumModel
import OakumTestKit
import Outbound
import Testing

/// A channel that speaks HTTP, over and over for the same matrix.
enum HTTPKind: String, CaseIterable, Sendable {
    case webhook, slack, pagerDuty, ntfy

    func settings(_ url: String) -> ChannelSettings.Kind {
        switch self {
        case .webhook:
            .webhook(
                WebhookSettings(
                    url: Secret("\(url)/hook/T0PSECRETPATH?key=T0PSECRETKEY"), secrets: [Samples.signingSecret],
                    headers: ["Authorization": Secret("Bearer T0PSECRETTOKEN")]))
        case .slack: .slack(SlackSettings(url: Secret("\(url)/services/T0PSECRETPATH/B00000000")))
        case .pagerDuty: .pagerDuty(PagerDutySettings(routingKey: Secret(Samples.routingKey), server: url))
        case .ntfy:
            .ntfy(NtfySettings(server: url, topic: Secret("T0PSECRETTOPIC"), token: Secret("tk_T0PSECRETTOKEN")))
        }
    }

    /// What makes it believe that all is well.
    var good: HTTPReceiver.Answer {
        switch self {
        case .webhook: .status(204)
        case .slack: .status(200, body: "ok")
        case .pagerDuty: .status(202, body: #"{"status":"success","message":"Event processed","dedup_key":"x"}"#)
        case .ntfy: .status(200, body: #"{"id":"sPs71M8A2T","event":"message"}"#)
        }
    }
}

@Suite(.serialized, .timeLimit(.minutes(10))) struct ReceiverMatrixTests {
    enum Outcome: Sendable, Equatable {
        case delivered, again(Double?), refused, disabled

        init(_ answer: SendAnswer) {
            switch answer {
            case .delivered: self = .delivered
            case .again(let after, _): self = .again(after)
            case .refused: self = .refused
            case .disabled: self = .disabled
            }
        }
    }

    static func words(_ answer: SendAnswer) -> String {
        switch answer {
        case .delivered(let words), .again(_, let words), .refused(let words), .disabled(let words): words
        }
    }

    /// Sends one page; the receiver must see exactly it, or nothing.
    private func send(
        _ kind: HTTPKind, seconds: Double = 15, _ answer: HTTPReceiver.Answer, seen: Int = 1
    ) async throws -> SendAnswer {
        let receiver = try HTTPReceiver { _ in answer }
        defer { receiver.stop() }
        let notifier = try Samples.notifier(try Samples.channel(kind.settings(receiver.url), seconds: seconds))
        let result = await notifier.send(Samples.page())
        try receiver.requests.check(["pg_0001"], times: seen...seen)
        #expect(!Self.words(result).contains("T0PSECRET"), "\(result)")
        #expect(!Self.words(result).contains(Samples.routingKey), "\(result)")
        return result
    }

    @Test(arguments: HTTPKind.allCases) func `what goes well is delivered`(kind: HTTPKind) async throws {
        #expect(Outcome(try await send(kind, kind.good)) == .delivered)
    }

    @Test(arguments: HTTPKind.allCases) func `slow answers are answers`(kind: HTTPKind) async throws {
        let body = kind == .slack ? "ok" : ""
        #expect(Outcome(try await send(kind, .dribble(200, body: body))) == .delivered)
    }

    static let statuses: [(Int, [String: String], Outcome)] = [
        (301, ["Location": "http://127.0.0.1:1/"], .refused), (302, ["Location": "/x"], .refused),
        (304, [:], .refused), (307, ["Location": "http://127.0.0.1:1/"], .refused), (308, [:], .refused),
        (400, [:], .refused), (401, [:], .refused), (403, [:], .refused), (404, [:], .refused), (405, [:], .refused),
        (408, [:], .again(nil)), (410, [:], .disabled), (413, [:], .refused), (422, [:], .refused),
        (425, [:], .again(nil)), (429, [:], .again(nil)), (429, ["Retry-After": "30"], .again(30)),
        (429, ["Retry-After": "Sat, 21 Nov 2026 10:01:00 GMT"], .again(60)),
        (429, ["Retry-After": "Sat, 21 Nov 2020 10:01:00 GMT"], .again(0)),
        (429, ["Retry-After": "99999999999999999999"], .again(86_400)), (429, ["Retry-After": "soon"], .again(nil)),
        (429, ["Retry-After": "-5"], .again(nil)), (500, [:], .again(nil)), (502, [:], .again(nil)),
        (503, [:], .again(nil)), (503, ["Retry-After": "7"], .again(7)), (504, [:], .again(nil)),
        (507, [:], .again(nil)),
    ]

    @Test(arguments: HTTPKind.allCases) func `each status means the same everywhere`(kind: HTTPKind) async throws {
        for (status, headers, expected) in Self.statuses {
            let answer = try await send(kind, .status(status, headers: headers, body: status == 304 ? "" : "sorry"))
            #expect(Outcome(answer) == expected, "\(status) \(headers): \(answer)")
            #expect(Self.words(answer).contains("\(status)"), "\(answer)")
        }
    }

    @Test(arguments: HTTPKind.allCases) func `silence and broken answers are worth another try`(kind: HTTPKind)
        async throws
    {
        // What curl tries again by itself after a connection that was never used would be seen twice: it must not be.
        for answer in [HTTPReceiver.Answer.silence, .hangAfterHead(200)] {
            let result = try await send(kind, seconds: 1, answer)
            #expect(Outcome(result) == .again(nil))
            #expect(Self.words(result).contains("within 1.0 s"), "\(result)")
        }
        for answer in [HTTPReceiver.Answer.reset(200), .cut(200), .bytes("what?\r\n\r\n")] {
            #expect(Outcome(try await send(kind, answer)) == .again(nil), "\(answer)")
        }
    }

    @Test(arguments: HTTPKind.allCases) func `a body of 100 MB is not read, its status counts`(kind: HTTPKind)
        async throws
    {
        let before = try residentBytes()
        #expect(Outcome(try await send(kind, .flood(500, bytes: 100 << 20))) == .again(nil))
        #expect(Outcome(try await send(kind, .flood(400, bytes: 100 << 20))) == .refused)
        // Slack's "ok" is not in it.
        #expect(
            Outcome(try await send(kind, .flood(200, bytes: 100 << 20))) == (kind == .slack ? .again(nil) : .delivered))
        #expect(try residentBytes() - before < 50 << 20)
    }

    @Test(arguments: HTTPKind.allCases) func `nobody there, and no TLS there, is worth another try`(kind: HTTPKind)
        async throws
    {
        // What a server says that expected plain text.
        let plain = try SocketServer { $0.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
        defer { plain.stop() }
        let expectant = try Samples.notifier(
            try Samples.channel(kind.settings("https://127.0.0.1:\(plain.port)")))
        let noTLS = await expectant.send(Samples.page())
        #expect(Outcome(noTLS) == .again(nil), "\(noTLS)")
        let receiver = try HTTPReceiver { _ in kind.good }
        let notifier = try Samples.notifier(try Samples.channel(kind.settings(receiver.url)))
        receiver.stop()
        let nobody = await notifier.send(Samples.page())
        #expect(Outcome(nobody) == .again(nil), "\(nobody)")
        for answer in [noTLS, nobody] { #expect(!Self.words(answer).contains("T0PSECRET"), "\(answer)") }
    }

    @Test(arguments: HTTPKind.allCases) func `private addresses are refused unless listed`(kind: HTTPKind) async throws
    {
        let receiver = try HTTPReceiver { _ in kind.good }
        defer { receiver.stop() }
        let settings = ChannelSettings(name: "main", kind: kind.settings(receiver.url))
        let answer = await (try Samples.notifier(settings)).send(Samples.page())
        #expect(Outcome(answer) == .refused)
        #expect(Self.words(answer).contains("loopback"), "\(answer)")
        #expect(receiver.connections == 0)
    }

    @Test(arguments: HTTPKind.allCases) func `a receiver that echoes gives no secret away`(kind: HTTPKind) async throws
    {
        let receiver = try HTTPReceiver { request in
            let headers = request.headers.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
            return .status(400, body: "bad: \(request.target) \(headers) \(request.text)".replacing("\n", with: " "))
        }
        defer { receiver.stop() }
        let notifier = try Samples.notifier(try Samples.channel(kind.settings(receiver.url)))
        let answer = await notifier.send(Samples.page())
        #expect(Outcome(answer) == .refused)
        #expect(!Self.words(answer).contains("T0PSECRET"), "\(answer)")
        #expect(!Self.words(answer).contains(Samples.routingKey), "\(answer)")
        #expect(Self.words(answer).contains("bad:"), "\(answer)")
    }

    @Test(arguments: HTTPKind.allCases) func `a repetition is the same body`(kind: HTTPKind) async throws {
        let receiver = try HTTPReceiver { _ in kind.good }
        defer { receiver.stop() }
        let notifier = try Samples.notifier(try Samples.channel(kind.settings(receiver.url)))
        for _ in 0..<2 { _ = await notifier.send(Samples.page()) }
        try receiver.requests.check(["pg_0001"], times: 2...2)
        #expect(receiver.requests.messages[0].body == receiver.requests.messages[1].body)
    }

    @Test(arguments: HTTPKind.allCases) func `one attempt is one request, whatever the receiver does`(kind: HTTPKind)
        async throws
    {
        let seen = Recorder<Int>()
        let receiver = try HTTPReceiver { _ in
            seen.record(1)
            // The first is answered, so that a connection could be kept; the next are read and hung up on.
            return seen.values.count == 1 ? kind.good : .bytes("")
        }
        defer { receiver.stop() }
        let notifier = try Samples.notifier(try Samples.channel(kind.settings(receiver.url)))
        guard case .delivered = await notifier.send(Samples.page()) else { throw TestKitError("not delivered") }
        #expect(Outcome(await notifier.send(Samples.page())) == .again(nil))
        try receiver.requests.check(["pg_0001"], times: 2...2)
        #expect(receiver.connections == 2)
    }

    @Test(arguments: HTTPKind.allCases) func `progress is told`(kind: HTTPKind) async throws {
        let receiver = try HTTPReceiver { _ in kind.good }
        defer { receiver.stop() }
        let points = Recorder<String>()
        let notifier = try Samples.notifier(try Samples.channel(kind.settings(receiver.url)))
        let progress = SendProgress(
            onConnected: { points.record("connected") }, onSent: { points.record("sent") },
            onResponse: { points.record("answered") })
        _ = await notifier.send(Samples.page(), progress: progress)
        #expect(points.values == ["connected", "sent", "answered"])
    }

    @Test func `a cancelled attempt is told as one to repeat`() async throws {
        let (arrived, signal) = AsyncStream.makeStream(of: Void.self)
        let receiver = try HTTPReceiver { _ in
            signal.yield()
            return .silence
        }
        defer { receiver.stop() }
        let notifier = try Samples.notifier(try Samples.channel(HTTPKind.webhook.settings(receiver.url)))
        let answer = await withTaskGroup(of: SendAnswer.self) { group in
            group.addTask { await notifier.send(Samples.page()) }
            for await _ in arrived { break }
            group.cancelAll()
            return await group.next()
        }
        #expect(answer == .again(after: nil, words: "the attempt was cut short"))
    }

    /// Of this process, from statm(5).
    private func residentBytes() throws -> Int {
        let text = try readText("/proc/self/statm")
        let pages = try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        return pages * 4096
    }
}
