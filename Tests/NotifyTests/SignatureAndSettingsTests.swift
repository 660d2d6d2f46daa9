import Notify
import OakumModel
import OakumTestKit
import Outbound
import Testing

@testable import Notify

@Suite struct SignatureTests {
    @Test func `the published vector of Standard Webhooks holds`() throws {
        let signature = try #require(WebhookSignature([Samples.signingSecret]))
        let value = signature.value(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `id, time and body are all signed`() throws {
        let signature = try #require(WebhookSignature([Samples.signingSecret]))
        let values = [
            signature.value(id: "a", seconds: 1, body: [1]), signature.value(id: "b", seconds: 1, body: [1]),
            signature.value(id: "a", seconds: 2, body: [1]), signature.value(id: "a", seconds: 1, body: [2]),
        ]
        #expect(Set(values).count == 4)
    }

    @Test(arguments: [
        "", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!", "whsec_MfKQ9r8GKYqrTwjU",
    ])
    func `bad secrets are refused without being told`(text: String) throws {
        let settings = ChannelSettings(
            name: "hook", kind: .webhook(WebhookSettings(url: Secret("https://e.example/"), secrets: [Secret(text)])))
        let error = #expect(throws: ChannelError.self) { try Samples.notifier(settings) }
        #expect(error?.description.contains("whsec_ and 24 to 64 bytes") == true)
        if text.count > 6 { #expect(error?.description.contains(text) == false) }
    }
}

@Suite struct SettingsTests {
    private func problem(_ kind: ChannelSettings.Kind, name: String = "main") -> String? {
        do throws(ChannelError) {
            _ = try Notifier(
                channels: [ChannelSettings(name: name, kind: kind)], client: OutboundClient(), now: { Samples.now },
                console: { _ in })
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `good settings are taken`() {
        #expect(problem(.console) == nil)
        #expect(problem(.file(FileSettings(path: "/tmp/pages"))) == nil)
        #expect(problem(.mail(MailSettings(host: "mail.example.org", sender: "oakum@example.org"))) == nil)
        #expect(problem(.slack(SlackSettings(url: Secret("https://hooks.slack.com/services/T/B/X")))) == nil)
        #expect(problem(.ntfy(NtfySettings())) == nil)
        #expect(problem(.pagerDuty(PagerDutySettings(routingKey: Secret(Samples.routingKey)))) == nil)
        #expect(problem(.webhook(WebhookSettings(url: Secret("https://e.example/")))) == nil)
    }

    @Test func `bad settings say what to do, and no secret`() {
        let url = "ftp://u:T0PSECRET@e.example/T0PSECRET"
        let texts = [
            problem(.console, name: "a b"), problem(.console, name: ""), problem(.file(FileSettings(path: "pages"))),
            problem(.mail(MailSettings(host: "mail example", sender: "oakum@example.org"))),
            problem(.mail(MailSettings(host: "127.1", sender: "oakum@example.org"))),
            problem(.mail(MailSettings(host: "mail.example.org", sender: "oakum"))),
            problem(.mail(MailSettings(host: "mail.example.org", port: 0, sender: "oakum@example.org"))),
            problem(.mail(MailSettings(host: "mail.example.org", user: "oakum", sender: "oakum@example.org"))),
            problem(.mail(MailSettings(host: "m.example", sender: "o@e.org", recipients: ["a@b\r\nBcc: c@d.org"]))),
            problem(.slack(SlackSettings(url: Secret(url)))), problem(.webhook(WebhookSettings(url: Secret(url)))),
            problem(.webhook(WebhookSettings(url: Secret("https://e.example/"), headers: ["Webhook-Id": Secret("x")]))),
            problem(.webhook(WebhookSettings(url: Secret("https://e.example/"), headers: ["a b": Secret("x")]))),
            problem(
                .webhook(WebhookSettings(url: Secret("https://e.example/"), headers: ["a": Secret("T0PSECRET\r\n")]))),
            problem(.ntfy(NtfySettings(server: "ntfy.sh"))), problem(.ntfy(NtfySettings(topic: Secret("T0PSECRET/x")))),
            problem(.pagerDuty(PagerDutySettings(routingKey: Secret("T0PSECRET")))),
        ]
        for (index, text) in texts.enumerated() {
            // libcurl takes a host without a scheme for one with.
            if index == 14 { continue }
            #expect(text != nil, "number \(index)")
            #expect(text?.contains("T0PSECRET") != true, "\(text ?? "")")
        }
    }

    @Test func `two channels cannot share a name`() {
        let channel = ChannelSettings(name: "main", kind: .console)
        #expect(throws: ChannelError(channel: "main", problem: "there are two channels of this name")) {
            try Samples.notifier(channel, channel)
        }
    }

    @Test func `a secret never prints, wherever it is`() throws {
        let secret = Secret("T0PSECRET")
        let settings = ChannelSettings(
            name: "hook",
            kind: .webhook(WebhookSettings(url: secret, secrets: [secret], headers: ["Authorization": secret])),
            proxy: secret)
        var dumped = ""
        dump(settings, to: &dumped)
        dump(secret, to: &dumped)
        let printed = "\(settings) \(secret) \(String(reflecting: settings)) \(String(reflecting: secret)) \(dumped)"
        #expect(!printed.contains("T0PSECRET"))
        #expect(printed.contains("(secret)"))
        #expect(secret.reveal() == "T0PSECRET")
    }

    @Test func `each channel says whether its receiver knows a page again`() throws {
        let notifier = try Samples.notifier(
            ChannelSettings(name: "hook", kind: .webhook(WebhookSettings(url: Secret("https://e.example/")))),
            ChannelSettings(name: "duty", kind: .pagerDuty(PagerDutySettings(routingKey: Secret(Samples.routingKey)))),
            ChannelSettings(name: "chat", kind: .slack(SlackSettings(url: Secret("https://e.example/")))),
            ChannelSettings(name: "post", kind: .mail(MailSettings(host: "m.example", sender: "o@e.org"))),
            ChannelSettings(name: "push", kind: .ntfy(NtfySettings())), ChannelSettings(name: "log", kind: .console))
        #expect(notifier.channels == ["chat", "duty", "hook", "log", "post", "push"])
        #expect(notifier.channels.map { notifier.isKeyed($0) } == [false, true, true, false, false, false])
        #expect(notifier.isKeyed("other") == nil)
    }

    @Test func `a page to nowhere, or without a proper id, is refused`() async throws {
        let notifier = try Samples.notifier(ChannelSettings(name: "log", kind: .console))
        #expect(
            await notifier.send(Samples.page("other"))
                == .refused(words: #"no channel is called "other"; there are log"#))
        for id in ["", "a b", "a\r\nX: y", String(repeating: "a", count: 65), "é"] {
            guard case .refused = await notifier.send(Samples.page("log", id: id)) else {
                Issue.record("\(id) was taken")
                continue
            }
        }
    }

    @Test func `words lose every part of a secret address`() {
        let redaction = Redaction(["https://user:hunter2@e.example/services/T0AAAA/B0BBBB?key=C0CCCC&x=1", "tk_token"])
        let text = "no /services/T0AAAA/B0BBBB?key=C0CCCC&x=1 for hunter2 (T0AAAA, B0BBBB, C0CCCC) tk_token, user"
        let result = redaction.applied(to: text)
        for secret in ["hunter2", "T0AAAA", "B0BBBB", "C0CCCC", "tk_token"] { #expect(!result.contains(secret)) }
    }
}

@Suite struct UTCTextTests {
    @Test func `times are written as the formats want them`() {
        #expect(UTCText.rfc3339(Samples.now) == "2026-11-21T10:00:00Z")
        #expect(UTCText.rfc5322(Samples.now) == "Sat, 21 Nov 2026 10:00:00 +0000")
        #expect(UTCText.rfc3339(WallTime(milliseconds: -1)) == "1969-12-31T23:59:59Z")
        for extreme in [Int64.min, .max] { #expect(UTCText.rfc3339(WallTime(milliseconds: extreme)).count == 20) }
    }

    @Test func `dates of HTTP are read, others are not`() async throws {
        #expect(UTCText.httpDate("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(UTCText.httpDate("Sat, 21 Nov 2026 10:00:00 GMT") == Samples.now.milliseconds / 1000)
        for text in [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Non 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
        ] { #expect(UTCText.httpDate(text) == nil, "\(text)") }
        let good = Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8)
        let judgement = AnswerJudgement(receiver: "x", now: Samples.now, secrets: Redaction([]))
        try await forAll(seeds: 500) { generator in
            let text = String(
                decoding: generator.damaged(generator.chance(0.5) ? good : Array("120".utf8)), as: UTF8.self)
            if let seconds = judgement.retryAfter(text) { #expect((0...86_400).contains(seconds)) }
        }
    }
}
