import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Testing

/// What other systems send, byte for byte as their documentation has it, and what is made of it.
@Suite struct IntakeDecoderTests {
    private let context = IntakeContext(at: Samples.moment(60))

    static let webhook = """
        {"version":"4","groupKey":"{}:{alertname=\\"HighLatency\\"}","truncatedAlerts":0,"status":"firing",
        "receiver":"oakum","notification_reason":"first","groupLabels":{"alertname":"HighLatency"},
        "commonLabels":{"alertname":"HighLatency"},"commonAnnotations":{},"routeLabels":{},
        "externalURL":"http://am.example.org:9093","alerts":[
        {"status":"firing","labels":{"alertname":"HighLatency","service":"web","severity":"page","instance":"10.0.0.7:8080"},
        "annotations":{"summary":"p99 is 4 s","description":"since the deploy\\nsee the dashboard","runbook_url":"https://r.example.org/x","team":"core"},
        "startsAt":"2025-11-13T02:13:30.5Z","endsAt":"0001-01-01T00:00:00Z",
        "generatorURL":"http://p.example.org/graph?g0.expr=x","fingerprint":"c1f0e2d3b4a59687"},
        {"status":"resolved","labels":{"alertname":"Down"},"annotations":{},"startsAt":"2025-11-13T02:00:00Z",
        "endsAt":"2025-11-13T02:13:00+00:00","generatorURL":"","fingerprint":"0000000000000001","unknown":[1,{"a":null}]}]}
        """

    private func alerts(_ items: [IntakeItem]) -> [Alert] {
        items.compactMap { if case .alert(let alert) = $0 { alert } else { nil } }
    }

    @Test func `Alertmanager's webhook becomes one alert each, by its own fingerprint`() throws {
        let alerts = alerts(try AlertmanagerMessage.webhook(Array(Self.webhook.utf8), context))
        #expect(alerts.map(\.fingerprint) == ["alertmanager:c1f0e2d3b4a59687", "alertmanager:0000000000000001"])
        #expect(alerts.map(\.status) == [.firing, .resolved])
        let first = try #require(alerts.first)
        #expect(first.source == .intake && first.kind == .outside && first.service == "web")
        #expect(first.severity == .critical && first.summary == "p99 is 4 s")
        #expect(first.since.wall == WallTime(milliseconds: 1_763_000_010_500))
        #expect(first.since.uptime.seconds == 5_010.5 && first.at == context.at)
        #expect(first.details == ["since the deploy", "see the dashboard", "team: core", "alert HighLatency"])
        #expect(first.runbook == "https://r.example.org/x")
        #expect(first.link == "http://p.example.org/graph?g0.expr=x")
        #expect(first.labels["instance"] == "10.0.0.7:8080")
        #expect(alerts[1].summary == "Down" && alerts[1].service == nil && alerts[1].severity == .error)
    }

    @Test func `API v2 tells the end by its time, and makes the fingerprint Prometheus makes`() throws {
        let text = """
            [{"labels":{"alertname":"A","b":"c"},"annotations":{},"startsAt":"2025-11-13T02:13:20Z",
            "endsAt":"2025-11-13T02:20:00Z","generatorURL":""},
            {"labels":{"alertname":"A","b":"d"},"startsAt":"","endsAt":"2025-11-13T02:14:19Z"},
            {"labels":{"alertname":"A","b":"e"},"endsAt":"0001-01-01T00:00:00Z"}, {"labels":{"alertname":"A"}}]
            """
        let alerts = alerts(
            try AlertmanagerMessage.list(Array(text.utf8), IntakeContext(at: context.at, service: "web")))
        #expect(alerts.map(\.status) == [.firing, .resolved, .firing, .firing])
        #expect(alerts.allSatisfy { $0.service == "web" })
        #expect(Set(alerts.map(\.fingerprint)).count == 4)
        // FNV-1a over "a", 255, "b", 255 by hand; and its basis for no labels (prometheus/common, model/signature.go).
        #expect(AlertmanagerMessage.fingerprint(of: [:]) == "cbf29ce484222325")
        #expect(
            AlertmanagerMessage.fingerprint(of: ["name": "garland, briggs", "fear": "love is not enough"])
                == "5799056148416392346".hexOfDecimal)
    }

    @Test(arguments: [
        "", "[]", "null", "{}", #"{"alerts":{}}"#, #"{"version":"3","alerts":[]}"#, #"{"alerts":[{}]}"#,
        #"{"alerts":[{"labels":{}}]}"#, #"{"alerts":[{"labels":{"a":1}}]}"#, #"{"alerts":[1]}"#,
        #"{"alerts":[{"labels":{"a":"b"},"status":"odd"}]}"#,
        #"{"alerts":[{"labels":{"a":"b"},"startsAt":"yesterday"}]}"#,
        #"{"alerts":[{"labels":{"a":"b"},"endsAt":12}]}"#,
    ])
    func `a malformed webhook is refused as a whole`(_ text: String) {
        #expect(throws: IntakeProblem.self) { try AlertmanagerMessage.webhook(Array(text.utf8), context) }
    }

    static let event = """
        {"routing_key":"oakinabcdefghijklmnopqrstuvwxyz2","event_action":"trigger","dedup_key":"srv01/HTTP","payload":{
        "summary":"HTTP is down on srv01","source":"srv01.example.org","severity":"error",
        "timestamp":"2025-11-13T02:13:20.000+0000","component":"nginx","group":"prod","class":"http",
        "custom_details":{"load":0.7,"service":"web","deep":{"x":1}}},"images":[{"src":"https://x","href":"","alt":""}],
        "links":[{"href":"javascript:1","text":""},{"href":"https://example.org/d","text":"d"}],"client":"m","client_url":"https://m"}
        """

    @Test func `PagerDuty's events fire, end and are taken on by their dedup key`() throws {
        let (key, root) = try PagerDutyMessage.routingKey(Array(Self.event.utf8))
        #expect(key == "oakinabcdefghijklmnopqrstuvwxyz2")
        let message = try PagerDutyMessage.event(root, context) { "made-up" }
        #expect(message.dedupKey == "srv01/HTTP")
        guard case .take(.alert(let alert)) = message.act else {
            Issue.record("\(message.act)")
            return
        }
        #expect(alert.fingerprint == "pagerduty:srv01/HTTP" && alert.severity == .error && alert.service == "web")
        #expect(alert.summary == "HTTP is down on srv01" && alert.link == "https://example.org/d")
        #expect(
            alert.labels == [
                "load": "0.7", "service": "web", "source": "srv01.example.org", "component": "nginx", "group": "prod",
                "class": "http",
            ])
        for (action, expected) in [("resolve", Alert.Status.resolved), ("acknowledge", nil)] {
            let root = try JSONNode(
                parsing: Array(#"{"routing_key":"k","event_action":"\#(action)","dedup_key":"srv01/HTTP"}"#.utf8))
            let message = try PagerDutyMessage.event(root, context) { "made-up" }
            if let expected, case .take(.alert(let ended)) = message.act {
                #expect(ended.status == expected && ended.fingerprint == alert.fingerprint)
            } else {
                #expect(message.act == .acknowledge(fingerprint: alert.fingerprint))
            }
        }
    }

    @Test func `an event without a key gets one, and two keys too long to store stay two`() throws {
        let nameless = Self.event.replacing(#""dedup_key":"srv01/HTTP","#, with: "")
        let root = try PagerDutyMessage.routingKey(Array(nameless.utf8)).1
        #expect(try PagerDutyMessage.event(root, context) { "made-up" }.dedupKey == "made-up")
        let long = String(repeating: "é", count: 254)
        let prints = try ["a", "b"].map { last in
            let text = Self.event.replacing("srv01/HTTP", with: long + last)
            return try PagerDutyMessage.event(try PagerDutyMessage.routingKey(Array(text.utf8)).1, context) { "" }
        }
        #expect(Set(prints.map { "\($0.act)" }).count == 2)
        #expect(throws: IntakeProblem.self) {
            let text = Self.event.replacing("srv01/HTTP", with: long + "ab")
            return try PagerDutyMessage.event(try PagerDutyMessage.routingKey(Array(text.utf8)).1, context) { "" }
        }
    }

    @Test func `a change event is a deploy`() throws {
        let text = """
            {"routing_key":"k","payload":{"summary":"Build 73 deployed","timestamp":"2025-11-13T02:13:20Z","source":"ci",
            "custom_details":{"service":"web"}},"links":[{"href":"https://ci.example.org/73","text":"build"}]}
            """
        let item = try PagerDutyMessage.change(try JSONNode(parsing: Array(text.utf8)), context)
        #expect(
            item == .deploy(service: "web", text: "Build 73 deployed (ci) https://ci.example.org/73", at: Samples.start)
        )
    }

    @Test func `a generic alert is deduplicated by its words or its key, and closed by it`() throws {
        func alert(_ text: String) throws -> Alert {
            guard case .alert(let alert) = try GenericMessage(json: Array(text.utf8), context).item else {
                throw TestKitError("no alert")
            }
            return alert
        }
        let first = try alert(
            #"{"summary":"disk\nfull","details":"/var\n\n/tmp","meta":{"host":"a","n":3},"other":[1]}"#)
        #expect(
            first.summary == "disk full" && first.details == ["/var", "/tmp"]
                && first.labels == ["host": "a", "n": "3"])
        #expect(first.severity == .critical && first.status == .firing)
        #expect(try alert(#"{"summary":"disk\nfull","details":"/var\n\n/tmp"}"#).fingerprint == first.fingerprint)
        #expect(try alert(#"{"summary":"disk\nfull","details":"/var"}"#).fingerprint != first.fingerprint)
        let closed = try alert(#"{"action":"close","dedup":"d1"}"#)
        #expect(closed.status == .resolved)
        #expect(try alert(#"{"summary":"x","dedup":"d1","severity":"warning"}"#).fingerprint == closed.fingerprint)
        for text in [
            "{}", #"{"summary":"  \n"}"#, #"{"summary":"x","action":"open"}"#, #"{"summary":"x","severity":"loud"}"#,
            "[1]", #"{"action":"close"}"#,
        ] {
            #expect(throws: IntakeProblem.self, "\(text)") { try GenericMessage(json: Array(text.utf8), context) }
        }
    }

    // MARK: - Bytes

    @Test func `damaged messages are taken or refused, within the limits, never fatal`() async throws {
        let seeds = [Self.webhook, Self.event, #"{"summary":"disk \ud83e\udd80 full","meta":{"a":"b"}}"#].map {
            Array($0.utf8)
        }
        let context = context
        try await forAll(seeds: 400) { generator in
            let bytes =
                generator.chance(0.9)
                ? generator.damaged(generator.pick(seeds) ?? []) : generator.bytes(generator.int(0...600))
            var items: [IntakeItem] = []
            // Refusals are fine; what is taken must keep the limits.
            items += (try? AlertmanagerMessage.webhook(bytes, context)) ?? []
            items += (try? AlertmanagerMessage.list(bytes, context)) ?? []
            if let root = try? PagerDutyMessage.routingKey(bytes).1 {  // As above.
                if let message = try? PagerDutyMessage.event(root, context, random: { "r" }),
                    case .take(let item) = message.act
                {  // As above.
                    items.append(item)
                }
                if let item = try? PagerDutyMessage.change(root, context) { items.append(item) }  // As above.
            }
            if let message = try? GenericMessage(json: bytes, context) { items.append(message.item) }  // As above.
            for case .alert(let alert) in items { Self.expectWithinLimits(alert) }
        }
    }

    private static func expectWithinLimits(_ alert: Alert) {
        #expect(alert.fingerprint.utf8.count <= 512 && alert.summary.utf8.count <= 1_024)
        #expect(alert.details.count <= 20 && alert.labels.count <= 64)
        let texts =
            [alert.summary, alert.fingerprint, alert.service ?? ""] + alert.details + Array(alert.labels.values)
        #expect(texts.allSatisfy { text in text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } })
        #expect(alert.since.wall <= alert.at.wall)
    }

    @Test func `a message as large as there may be stays within the limits of an alert`() throws {
        let long = String(repeating: "x\u{202E}\\u0000é", count: 3_000)
        let labels = (0..<300).map { "\"l\($0)\":\"\(long)\"" }.joined(separator: ",")
        let text = """
            {"alerts":[{"labels":{\(labels)},"annotations":{"summary":"\(long)","description":"\(String(repeating: "line\\n", count: 500))"}}]}
            """
        let alerts = alerts(try AlertmanagerMessage.webhook(Array(text.utf8), context))
        #expect(alerts.count == 1)
        alerts.forEach(Self.expectWithinLimits)
    }

    @Test(arguments: [
        ("2025-11-13T02:13:20Z", 1_763_000_000_000), ("2025-11-13t02:13:20.123456789z", 1_763_000_000_123),
        ("2025-11-13T03:13:20+01:00", 1_763_000_000_000), ("1970-01-01T00:00:00.1Z", 100),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("2016-12-31T23:59:60Z", 1_483_228_799_000),
    ])
    func `times are read as RFC 3339 has them`(_ text: String, _ milliseconds: Int64) throws {
        let message = #"{"alerts":[{"labels":{"a":"b"},"startsAt":"\#(text)"}]}"#
        let late = IntakeContext(
            at: Moment(uptime: Uptime(seconds: 1e9), wall: WallTime(milliseconds: 4_000_000_000_000)))
        let alerts = alerts(try AlertmanagerMessage.webhook(Array(message.utf8), late))
        #expect(alerts.first?.since.wall.milliseconds == milliseconds)
    }
}

extension String {
    fileprivate var hexOfDecimal: String {
        let digits = String(UInt64(self) ?? 0, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
