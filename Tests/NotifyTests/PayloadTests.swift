import Foundation
import Notify
import OakumModel
import OakumTestKit
import Outbound
import Testing

/// What each channel puts on the wire, as its receiver reads it.
@Suite(.timeLimit(.minutes(5))) struct PayloadTests {
    private func request(
        _ kind: HTTPKind, _ page: Page = Samples.page(), settings: ((String) -> ChannelSettings.Kind)? = nil
    ) async throws -> HTTPReceiver.Request {
        let receiver = try HTTPReceiver { _ in kind.good }
        defer { receiver.stop() }
        let made = settings?(receiver.url) ?? kind.settings(receiver.url)
        let answer = await (try Samples.notifier(try Samples.channel(made))).send(page)
        guard case .delivered = answer else { throw TestKitError("\(answer)") }
        let request = try #require(receiver.requests.messages.first)
        #expect(request.method == "POST")
        #expect(request.header("Content-Type") == "application/json")
        return request
    }

    // MARK: - Webhook

    @Test func `a webhook is what Standard Webhooks say`() async throws {
        let request = try await request(.webhook)
        #expect(request.target == "/hook/T0PSECRETPATH?key=T0PSECRETKEY")
        #expect(request.header("webhook-id") == "pg_0001")
        #expect(request.header("webhook-timestamp") == "1795255200")
        #expect(request.header("authorization") == "Bearer T0PSECRETTOKEN")
        let body = try object(request.body)
        #expect(body["type"] as? String == "incident.opened")
        #expect(body["timestamp"] as? String == "2026-11-21T10:00:00Z")
        let data = try #require(body["data"] as? [String: Any])
        #expect(data["id"] as? String == "pg_0001")
        #expect(data["incident"] as? Int == 12)
        #expect(data["severity"] as? String == "critical")
        #expect(data["thread"] as? String == "incident-12")
        #expect((data["lines"] as? [String])?.count == 2)
        for content in Samples.contents { #expect(request.text.contains(content), "\(content)") }
    }

    @Test func `without a secret there is no signature, with two there are two`() async throws {
        let none = try await request(.webhook) { .webhook(WebhookSettings(url: Secret($0))) }
        #expect(none.header("webhook-signature") == nil)
        let other = Secret("whsec_\(Data(repeating: 7, count: 32).base64EncodedString())")
        let two = try await request(.webhook) {
            .webhook(WebhookSettings(url: Secret($0), secrets: [other, Samples.signingSecret]))
        }
        let one = try await request(.webhook) {
            .webhook(WebhookSettings(url: Secret($0), secrets: [Samples.signingSecret]))
        }
        let signatures = try #require(two.header("webhook-signature")).split(separator: " ")
        #expect(signatures.count == 2)
        #expect(signatures[1] == one.header("webhook-signature").map { Substring($0) })
        #expect(signatures[0] != signatures[1])
        #expect(signatures.allSatisfy { $0.hasPrefix("v1,") })
    }

    @Test func `a webhook stays below 20 kB whatever is in the page, and keeps its links`() async throws {
        var page = Samples.page()
        page.lines = (0..<500).map { "line \($0): " + String(repeating: "é\"", count: 1500) }
        page.facts = (0..<500).map { PageFact("fact \($0)", String(repeating: "\\", count: 5000)) }
        let request = try await request(.webhook, page)
        #expect(request.body.count <= 20_000)
        let data = try #require(try object(request.body)["data"] as? [String: Any])
        #expect(data["truncated"] as? Bool == true)
        #expect((data["links"] as? [Any])?.count == 4)
        #expect((data["lines"] as? [String])?.first?.hasPrefix("line 0: ") == true)
    }

    // MARK: - Slack

    @Test func `Slack gets everything, escaped, and fetches no link`() async throws {
        var page = Samples.page()
        page.lines.append("<!channel> <https://evil.example|click> &amp;")
        let request = try await request(.slack, page)
        let body = try object(request.body)
        #expect(body["unfurl_links"] as? Bool == false)
        let text = try #require(body["text"] as? String)
        #expect(text == "CRITICAL opened: registrar: memory leak in VerificationContext.init")
        for content in Samples.contents {
            #expect(request.text.contains(content.replacing("&", with: "&amp;")), "\(content)")
        }
        #expect(!request.text.contains("<!channel>"))
        #expect(request.text.contains("&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp;amp;"))
        #expect(request.text.contains("<https://oakum.example.org/incidents/12|Show>"))
        #expect(request.text.contains("&lt;255 MiB&gt;"))
    }

    @Test func `Slack's limits hold`() async throws {
        var page = Samples.page(title: String(repeating: "&", count: 5000))
        page.lines = (0..<300).map { _ in String(repeating: "<", count: 5000) }
        page.facts = (0..<300).map { PageFact("f\($0)", String(repeating: "&", count: 5000)) }
        page.links = (0..<30).map {
            PageLink(
                action: .show, title: "a|b>c", url: "https://e.example/\($0)?" + String(repeating: "&", count: 1500))
        }
        let body = try object(try await request(.slack, page).body)
        let blocks = try #require(body["blocks"] as? [[String: Any]])
        #expect(blocks.count <= 50)
        for block in blocks {
            if let text = block["text"] as? [String: Any] {
                #expect((text["text"] as? String ?? "").count <= 3000)
                #expect(!(text["text"] as? String ?? "").isEmpty)
            }
            let fields = block["fields"] as? [[String: Any]] ?? []
            #expect(fields.count <= 10)
            for field in fields { #expect((field["text"] as? String ?? "").count <= 2000) }
        }
    }

    @Test func `only Slack's own ok is believed`() async throws {
        for text in ["no_service", "", "<html>sign in to this network</html>", "OK"] {
            let receiver = try HTTPReceiver { _ in .status(200, body: text) }
            defer { receiver.stop() }
            let notifier = try Samples.notifier(try Samples.channel(HTTPKind.slack.settings(receiver.url)))
            guard case .again = await notifier.send(Samples.page()) else {
                Issue.record("\(text) was believed")
                continue
            }
        }
    }

    // MARK: - PagerDuty

    @Test func `PagerDuty gets a trigger with everything`() async throws {
        let request = try await request(.pagerDuty)
        #expect(request.target == "/v2/enqueue")
        let body = try object(request.body)
        #expect(body["routing_key"] as? String == Samples.routingKey)
        #expect(body["event_action"] as? String == "trigger")
        #expect(body["dedup_key"] as? String == "incident-12")
        #expect(body["client_url"] as? String == "https://oakum.example.org/incidents/12")
        let payload = try #require(body["payload"] as? [String: Any])
        #expect(payload["severity"] as? String == "critical")
        #expect(payload["timestamp"] as? String == "2026-11-21T10:00:00Z")
        #expect((payload["summary"] as? String)?.contains("VerificationContext") == true)
        for content in Samples.contents { #expect(request.text.contains(content), "\(content)") }
    }

    @Test(arguments: [
        (PageKind.opened, "trigger"), (.escalated, "trigger"), (.updated, "trigger"), (.acknowledged, "acknowledge"),
        (.mitigated, "trigger"), (.resolved, "resolve"), (.reopened, "trigger"), (.stakeholders, "trigger"),
    ]) func `PagerDuty's actions follow the kind of page`(kind: PageKind, action: String) async throws {
        // The id stands in the details, which only a trigger has.
        let body = try object(try await request(.pagerDuty, Samples.page(kind: kind)).body)
        #expect(body["event_action"] as? String == action)
        #expect((body["payload"] == nil) == (action != "trigger"))
    }

    @Test func `a test page opens nothing at PagerDuty`() async throws {
        let page = Samples.page(kind: .test, severity: .info, title: "Oakum test page: nothing is wrong")
        let request = try await request(.pagerDuty, page)
        #expect(request.target == "/v2/change/enqueue")
        let body = try object(request.body)
        #expect(Set(body.keys) == ["routing_key", "payload", "links"])
        #expect(body["routing_key"] as? String == Samples.routingKey)
        let payload = try #require(body["payload"] as? [String: Any])
        #expect(Set(payload.keys) == ["summary", "source", "timestamp", "custom_details"])
        #expect(payload["summary"] as? String == "Oakum test page: nothing is wrong")
        #expect((payload["custom_details"] as? [String: Any])?["page"] as? String == "pg_0001")
    }

    @Test(arguments: Severity.allCases) func `PagerDuty knows each severity`(severity: Severity) async throws {
        let body = try object(try await request(.pagerDuty, Samples.page(severity: severity)).body)
        let payload = try #require(body["payload"] as? [String: Any])
        #expect(["critical", "error", "warning", "info"].contains(payload["severity"] as? String ?? ""))
        #expect(payload["severity"] as? String == severity.rawValue)
    }

    @Test func `PagerDuty's limits hold, and long threads stay apart`() async throws {
        func body(_ thread: String) async throws -> [String: Any] {
            var page = Samples.page(title: String(repeating: "x", count: 5000))
            page.thread = thread
            page.lines = (0..<500).map { _ in String(repeating: "é", count: 5000) }
            page.facts = (0..<500).map { PageFact("f\($0)", String(repeating: "é", count: 5000)) }
            let request = try await request(.pagerDuty, page)
            #expect(request.body.count <= 512_000)
            return try object(request.body)
        }
        let long = String(repeating: "t", count: 300)
        let first = try await body(long + "1")
        let second = try await body(long + "2")
        let keys = [first, second].compactMap { $0["dedup_key"] as? String }
        #expect(Set(keys).count == 2)
        #expect(keys.allSatisfy { $0.count <= 255 })
        let summary = (first["payload"] as? [String: Any])?["summary"] as? String
        #expect((summary ?? "").count <= 1024)
    }

    @Test func `a page may be addressed to another PagerDuty service`() async throws {
        let other = String(Samples.routingKey.reversed())
        let body = try object(try await request(.pagerDuty, Samples.page(address: other)).body)
        #expect(body["routing_key"] as? String == other)
    }

    // MARK: - ntfy

    @Test func `ntfy gets everything`() async throws {
        let request = try await request(.ntfy)
        #expect(request.target == "/")
        #expect(request.header("Authorization") == "Bearer tk_T0PSECRETTOKEN")
        let body = try object(request.body)
        #expect(body["topic"] as? String == "T0PSECRETTOPIC")
        #expect(body["priority"] as? Int == 5)
        #expect(body["click"] as? String == "https://oakum.example.org/incidents/12")
        let actions = try #require(body["actions"] as? [[String: Any]])
        #expect(actions.map { $0["label"] as? String } == ["Acknowledge", "Resolve", "Runbook"])
        #expect(actions.allSatisfy { $0["action"] as? String == "view" })
        for content in Samples.contents { #expect(request.text.contains(content), "\(content)") }
    }

    @Test func `ntfy's message stays below its limit, and its id at the end`() async throws {
        var page = Samples.page(title: String(repeating: "é", count: 5000))
        page.lines = (0..<100).map { _ in String(repeating: "漢", count: 1000) }
        let body = try object(try await request(.ntfy, page).body)
        let message = try #require(body["message"] as? String)
        #expect(message.utf8.count <= 4000)
        #expect(message.hasSuffix("page pg_0001, 2026-11-21T10:00:00Z"))
        #expect((body["title"] as? String ?? "").utf8.count <= 250)
    }

    @Test func `good news do not wake anybody`() async throws {
        let body = try object(try await request(.ntfy, Samples.page(kind: .resolved)).body)
        #expect(body["priority"] as? Int == 3)
        #expect((body["tags"] as? [String])?.first == "white_check_mark")
        let topic = try object(try await request(.ntfy, Samples.page(address: "ann_7")).body)
        #expect(topic["topic"] as? String == "ann_7")
    }

    // MARK: - Any

    @Test func `odd text does no harm anywhere`() async throws {
        try await forAll(seeds: 40) { generator in
            let pieces = [
                "\u{0}", "\n", "\r\n", "\u{1B}[31m", "\u{202E}", "\u{2028}", "<b>", "&", "\"", "\\", "é", "👩‍👩‍👧",
                "=?utf-8?B?AA?=",
                ".", "\r\n.\r\n", "|", "\t", "a", String(repeating: "x", count: 200),
            ]
            func odd() -> String {
                (0..<generator.int(0...12)).compactMap { _ in generator.pick(pieces) }.joined()
            }
            var page = Samples.page(title: odd())
            page.lines = (0..<generator.int(0...6)).map { _ in odd() }
            page.facts = (0..<generator.int(0...6)).map { _ in PageFact(odd(), odd()) }
            page.links.append(PageLink(action: .show, title: odd(), url: "javascript:\(odd())"))
            page.links.append(PageLink(action: .show, title: odd(), url: "https://\(odd())"))
            page.person = odd()
            page.thread = odd()
            for kind in HTTPKind.allCases {
                let body = try await request(kind, page).body
                _ = try object(body)
                let text = String(decoding: body, as: UTF8.self)
                for bad in ["\u{1B}", "\u{202E}", "\u{2028}", "\\u0000", "\\u001b", "javascript:"] {
                    #expect(!text.contains(bad), "\(kind)")
                }
            }
        }
    }
}
