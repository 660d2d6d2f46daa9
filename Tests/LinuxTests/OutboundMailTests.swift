import OakumTestKit
import Outbound
import Testing

@Suite(.timeLimit(.minutes(5))) struct OutboundMailTests {
    static let text = "Subject: x\r\n\r\n.one dot\r\n..two dots\r\n.\r\nend\r\n"

    private static func mail(
        _ catcher: MailCatcher, recipients: [String] = ["ann@example.org"], text: String = text, seconds: Double = 10
    ) throws -> OutboundMail {
        OutboundMail(
            host: "127.0.0.1", port: catcher.port, security: .none, helloName: "oakum.example.org",
            sender: "oakum@example.org", recipients: recipients, message: Array(text.utf8), timeoutSeconds: seconds,
            network: NetworkPolicy(allow: [try #require(.init("127.0.0.1"))]))
    }

    private static func error(_ client: OutboundClient, _ mail: OutboundMail?) async -> OutboundError? {
        guard let mail else { return nil }
        do {
            _ = try await client.send(mail)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a mail arrives as it was, dots and all`() async throws {
        let catcher = try MailCatcher()
        let client = OutboundClient()
        let answer = try await client.send(try Self.mail(catcher))
        #expect(answer == MailAnswer(code: 250, text: "250 queued as 4711"))
        let got = try #require(catcher.accepted.messages.first)
        #expect(got.text == Self.text)
        #expect(got.sender == "oakum@example.org")
        #expect(got.recipients == ["ann@example.org"])
        #expect(got.login == nil)
        let first = try await client.send(try Self.mail(catcher, text: ".\r\n"))
        #expect(first.isAccepted)
        #expect(catcher.accepted.messages.last?.text == ".\r\n")
    }

    @Test(arguments: [
        (MailCatcher.Stage.greeting, "421 too busy", 421), (.greeting, "554 no", 554), (.sender, "451 later", 451),
        (.sender, "550 not you", 550), (.recipient("ann@example.org"), "450 greylisted", 450),
        (.recipient("ann@example.org"), "550 no such user", 550), (.data, "451 later", 451), (.data, "554 no", 554),
        (.message, "452 disk full", 452), (.message, "552 too long", 552),
    ])
    func `a refusal is told with its code, wherever it comes`(
        stage: MailCatcher.Stage, words: String, code: Int
    ) async throws {
        let catcher = try MailCatcher { $0 == stage ? .say(words) : nil }
        let answer = try await OutboundClient().send(try Self.mail(catcher))
        #expect(answer == MailAnswer(code: code, text: words))
        #expect(!answer.isAccepted)
        #expect(catcher.accepted.messages.isEmpty)
    }

    @Test(arguments: [
        MailCatcher.Stage.greeting, .hello, .sender, .recipient("ann@example.org"), .data, .message,
    ])
    func `silence ends at the timeout, a broken connection at once`(stage: MailCatcher.Stage) async throws {
        let hanging = try MailCatcher { $0 == stage ? .hang : nil }
        let late = await Self.error(OutboundClient(), try Self.mail(hanging, seconds: 0.5))
        #expect(late == .timedOut("no complete answer from 127.0.0.1:\(hanging.port) within 0.5 s"))
        let broken = try MailCatcher { $0 == stage ? .drop : nil }
        guard case .failed = await Self.error(OutboundClient(), try Self.mail(broken)) else {
            Issue.record("no failure")
            return
        }
        #expect(broken.accepted.messages.isEmpty)
    }

    @Test func `a refused recipient does not keep the others from their mail`() async throws {
        let catcher = try MailCatcher { $0 == .recipient("bob@example.org") ? .say("550 no such user") : nil }
        let all = ["ann@example.org", "bob@example.org", "cy@example.org"]
        let answer = try await OutboundClient().send(try Self.mail(catcher, recipients: all))
        #expect(answer.isAccepted)
        #expect(answer.refusedRecipients == ["bob@example.org": "550 no such user"])
        #expect(catcher.accepted.messages.first?.recipients == ["ann@example.org", "cy@example.org"])
    }

    @Test func `refused by all is for ever only when all say so`() async throws {
        let catcher = try MailCatcher { stage in
            switch stage {
            case .recipient("ann@example.org"): .say("450 greylisted")
            case .recipient: .say("550 no such user")
            default: nil
            }
        }
        let answer = try await OutboundClient().send(
            try Self.mail(catcher, recipients: ["ann@example.org", "bob@example.org"]))
        #expect(answer.code == 450)
    }

    @Test func `a break after one refused recipient of two says nothing about the other`() async throws {
        let catcher = try MailCatcher { stage in
            switch stage {
            case .recipient("bob@example.org"): .say("550 no such user")
            case .data: .drop
            default: nil
            }
        }
        let outcome = await Self.error(
            OutboundClient(), try Self.mail(catcher, recipients: ["ann@example.org", "bob@example.org"]))
        guard case .failed = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
    }

    @Test func `a server that will not say goodbye holds up nobody for long`() async throws {
        let rude = try MailCatcher { $0 == .quit ? .hang : nil }
        let client = OutboundClient()
        let (left, signal) = AsyncStream.makeStream(of: Void.self)
        let slow = try MailCatcher { stage in
            if stage == .message { signal.yield() }
            return stage == .message ? .hang : nil
        }
        let friendly = try MailCatcher()
        let patient = try Self.mail(slow, seconds: 300)
        try await withThrowingTaskGroup(of: OutboundError?.self) { group in
            group.addTask { await Self.error(client, patient) }
            for await _ in left { break }
            // While one waits for its answer, the others go their way.
            for catcher in [rude, friendly] {
                let answer = try await client.send(try Self.mail(catcher))
                #expect(answer.isAccepted)
            }
            group.cancelAll()
            #expect(try await group.next() == .cancelled)
        }
    }

    @Test func `progress is told: before MAIL, when the text is out, when it is answered`() async throws {
        let gate = Gate()
        let stages = Recorder<String>()
        let catcher = try MailCatcher { stage in
            stages.record("\(stage)")
            if stage == .message { gate.wait() }
            return nil
        }
        let points = Recorder<String>()
        var mail = try Self.mail(catcher)
        mail.progress = OutboundProgress(
            onConnected: { points.record(stages.values.contains("sender") ? "late" : "connected") },
            onSent: {
                points.record(catcher.accepted.messages.isEmpty ? "sent" : "late")
                gate.open()
            },
            onResponse: { points.record(catcher.received.messages.isEmpty ? "early" : "answered") })
        #expect(try await OutboundClient().send(mail).isAccepted)
        #expect(points.values == ["connected", "sent", "answered"])
    }

    @Test func `a password does not go over a line that anybody can read`() async throws {
        let catcher = try MailCatcher()
        let client = OutboundClient()
        var mail = try Self.mail(catcher)
        mail.user = "oakum"
        mail.password = "T0PSECRET"
        // To this machine itself it may.
        #expect(try await client.send(mail).isAccepted)
        #expect(catcher.accepted.messages.first?.login != nil)
        // STARTTLS that is not offered is not done without.
        mail.security = .startTLS
        let missing = await Self.error(client, mail)
        #expect(missing == .failed("127.0.0.1:\(catcher.port) does not offer STARTTLS, so nothing was sent"))
        // Elsewhere neither without TLS nor with TLS that can be stripped.
        let elsewhere = OutboundClient(
            resolver: HostResolver { _ throws(OutboundError) in [NetworkAddress("10.0.0.1")].compactMap { $0 } })
        for security in [MailSecurity.none, .opportunistic] {
            mail.security = security
            mail.host = "relay.example"
            mail.network = NetworkPolicy(allow: [.host("relay.example")])
            #expect(
                await Self.error(elsewhere, mail)
                    == .refused("relay.example is not on this machine, and mail is not sent over a network without TLS")
            )
        }
        #expect(catcher.accepted.messages.count == 1)
    }

    @Test func `a server that talks nonsense does no harm`() async throws {
        let client = OutboundClient()
        try await forAll(seeds: 40) { generator in
            let seed = generator.next()
            let calls = Recorder<UInt64>()
            let catcher = try MailCatcher { stage in
                var own = SeededGenerator(seed: seed &+ UInt64(calls.values.count))
                calls.record(0)
                guard own.chance(0.4) else { return nil }
                let friendly = stage == .data ? "354 go on" : "250-more\r\n250 ok"
                return .say(String(decoding: own.damaged(Array(friendly.utf8)), as: UTF8.self))
            }
            defer { catcher.stop() }
            // Either way it ends in time, and who is told "accepted" has a server that took the text.
            do {
                let answer = try await client.send(try Self.mail(catcher, seconds: 0.3))
                if answer.isAccepted { #expect(catcher.received.messages.count == 1) }
            } catch is OutboundError {
                // Silence and nonsense are no answers.
            }
        }
    }

    @Test func `mail is guarded too`() async throws {
        let catcher = try MailCatcher()
        var mail = try Self.mail(catcher)
        mail.network = .publicOnly
        guard case .refused = await Self.error(OutboundClient(), mail) else {
            Issue.record("not refused")
            return
        }
        #expect(catcher.connections == 0)
    }

    @Test func `nothing can be smuggled into the dialogue`() async throws {
        let catcher = try MailCatcher()
        let good = try Self.mail(catcher)
        let client = OutboundClient()
        let addresses = [
            "a@example.org>\r\nRCPT TO:<b@example.org", "a@example.org\nDATA", "a b@example.org", "<a@example.org>",
            "a@example.org SIZE=1", "a@@example.org", "@example.org", "a@", "a", "", "ä@example.org", "a@exämple.org",
            "a@exa mple.org", "a\u{0}@example.org", "a@[127.0.0.1]", "\"a\"@example.org", "a,b@example.org",
        ]
        for address in addresses {
            var mail = good
            mail.recipients = [address]
            #expect(await Self.error(client, mail) != nil, "\(address)")
            mail = good
            mail.sender = address
            #expect(await Self.error(client, mail) != nil, "\(address)")
        }
        for text in [
            "a\n.\nMAIL FROM:<x@example.org>\r\n", "a\r.\r\r\n", "a\r\n.\n\r\n", "no end", "nul\u{0}\r\n",
            String(repeating: "x", count: 999) + "\r\n", "a\r\r\n",
        ] {
            var mail = good
            mail.message = Array(text.utf8)
            #expect(await Self.error(client, mail) != nil, "\(text)")
        }
        for name in ["a\r\nb", "a b", "", "a/b", "127.1"] {
            var mail = good
            mail.helloName = name
            #expect(await Self.error(client, mail) != nil, "\(name)")
            mail = good
            mail.host = name
            #expect(await Self.error(client, mail) != nil, "\(name)")
        }
        #expect(catcher.connections == 0)
    }
}
