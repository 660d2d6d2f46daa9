import Notify
import OakumModel
import OakumTestKit
import Outbound
import Testing

@Suite(.timeLimit(.minutes(5))) struct MailChannelTests {
    private func notifier(_ catcher: MailCatcher, seconds: Double = 10, login: Bool = false) throws -> Notifier {
        try Samples.notifier(
            try Samples.channel(
                .mail(
                    MailSettings(
                        host: "127.0.0.1", port: catcher.port, security: .none, user: login ? "oakum" : nil,
                        password: login ? Secret("T0PSECRETPASSWORD") : nil, sender: "oakum@example.org",
                        recipients: ["team@example.org", "boss@example.org"])), seconds: seconds))
    }

    @Test func `a page is mailed to its address, or to the channel's recipients`() async throws {
        let catcher = try MailCatcher()
        defer { catcher.stop() }
        let notifier = try notifier(catcher)
        let answer = await notifier.send(Samples.page(address: "ann@example.org"))
        #expect(answer == .delivered(receipt: "250 queued as 4711"))
        _ = await notifier.send(Samples.page(id: "pg_0002"))
        try catcher.accepted.check(["pg_0001", "pg_0002"])
        #expect(
            catcher.accepted.messages.map(\.recipients) == [
                ["ann@example.org"], ["team@example.org", "boss@example.org"],
            ])
        #expect(catcher.accepted.messages[0].header("Message-ID") == "<pg_0001@example.org>")
        #expect(catcher.accepted.messages[0].sender == "oakum@example.org")
    }

    @Test func `a repetition is the same mail`() async throws {
        let catcher = try MailCatcher()
        defer { catcher.stop() }
        let notifier = try notifier(catcher)
        for _ in 0..<2 { _ = await notifier.send(Samples.page()) }
        try catcher.accepted.check(["pg_0001"], times: 2...2)
        #expect(catcher.accepted.messages[0].text == catcher.accepted.messages[1].text)
    }

    static let stages: [MailCatcher.Stage] = [
        .greeting, .sender, .recipient("ann@example.org"), .data, .message,
    ]

    @Test(arguments: stages) func `4xx is tried again, 5xx is not`(stage: MailCatcher.Stage) async throws {
        for (words, isForEver) in [("451 later", false), ("554 never", true)] {
            let catcher = try MailCatcher { $0 == stage ? .say(words) : nil }
            defer { catcher.stop() }
            let answer = await (try notifier(catcher)).send(Samples.page(address: "ann@example.org"))
            let said = "the mail server answered \(words)"
            #expect(answer == (isForEver ? .refused(words: said) : .again(after: nil, words: said)))
            #expect(catcher.accepted.messages.isEmpty)
        }
    }

    @Test(arguments: stages) func `silence and a broken line are tried again`(stage: MailCatcher.Stage) async throws {
        for reply in [MailCatcher.Reply.hang, .drop] {
            let catcher = try MailCatcher { $0 == stage ? reply : nil }
            defer { catcher.stop() }
            let answer = await (try notifier(catcher, seconds: 1)).send(Samples.page(address: "ann@example.org"))
            guard case .again(nil, _) = answer else {
                Issue.record("\(answer)")
                continue
            }
            #expect(catcher.accepted.messages.isEmpty)
        }
    }

    @Test func `a mail that broke off after its text carries the same id when it comes again`() async throws {
        let tries = Recorder<Int>()
        let catcher = try MailCatcher { stage in
            guard stage == .message else { return nil }
            tries.record(1)
            return tries.values.count == 1 ? .drop : nil
        }
        defer { catcher.stop() }
        let notifier = try notifier(catcher)
        let page = Samples.page(address: "ann@example.org")
        guard case .again = await notifier.send(page) else {
            Issue.record("believed")
            return
        }
        guard case .delivered = await notifier.send(page) else {
            Issue.record("not delivered")
            return
        }
        try catcher.received.check(["pg_0001"], times: 2...2)
        #expect(Set(catcher.received.messages.map { $0.header("Message-ID") }) == ["<pg_0001@example.org>"])
    }

    @Test func `a refused recipient is told, the others have their page`() async throws {
        let catcher = try MailCatcher { $0 == .recipient("boss@example.org") ? .say("550 who?") : nil }
        defer { catcher.stop() }
        let answer = await (try notifier(catcher)).send(Samples.page())
        #expect(
            answer
                == .delivered(
                    receipt: "250 queued as 4711, but 1 of 2 recipients were refused: boss@example.org"))
    }

    @Test func `a refused login is for ever, and its password stays ours`() async throws {
        let catcher = try MailCatcher { $0 == .login ? .say("535 T0PSECRETPASSWORD is wrong") : nil }
        defer { catcher.stop() }
        let answer = await (try notifier(catcher, login: true)).send(Samples.page())
        #expect(answer == .refused(words: "the mail server answered 535 (secret) is wrong"))
    }

    @Test func `a page to no mailbox is refused without a connection`() async throws {
        let catcher = try MailCatcher()
        defer { catcher.stop() }
        let notifier = try notifier(catcher)
        for address in ["ann", "ann@example.org\r\nBcc: eve@example.org", "a@b, c@d", ""] {
            guard case .refused = await notifier.send(Samples.page(address: address)) else {
                Issue.record("\(address)")
                continue
            }
        }
        #expect(catcher.connections == 0)
    }
}
