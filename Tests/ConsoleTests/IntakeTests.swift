import Foundation
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Outbound
import Synchronization
import Testing

extension RunningServers {
    /// Alerts of other systems over HTTP.
    @Suite(.timeLimit(.minutes(10)))
    struct IntakeTests {
        private let client = OutboundClient(maxConcurrent: 16)

        private func post(
            _ console: Console, _ path: String, _ body: String, _ headers: [(String, String)] = []
        ) async throws -> OutboundResponse {
            try await client.send(
                .init(
                    method: "POST", target: .url("http://127.0.0.1:\(console.port)\(path)"),
                    headers: headers + [("Content-Type", "application/json")], body: Array(body.utf8),
                    timeoutSeconds: 60))
        }

        private func json(_ response: OutboundResponse) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
        }

        private static let alert =
            #"{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"A"},"fingerprint":"f1"}]}"#

        @Test func `Alertmanager and Prometheus are answered when everything is stored, however they carry the token`()
            async throws
        {
            let guarded = try await GuardedParts(FakeIncidentPlane.State())
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let token = try guarded.token(.intake)
                let first = try await post(console, "/intake/alertmanager", Self.alert, [try guarded.bearer(.intake)])
                #expect(first.status == 200)
                let answer = try json(first)
                #expect(answer["received"] as? Int == 1 && answer["new"] as? Int == 1)
                let again = try await post(console, "/intake/alertmanager?token=\(token)", Self.alert)
                #expect(try json(again)["new"] as? Int == 0)
                let basic = Data("alertmanager:\(token)".utf8).base64EncodedString()
                let third = try await post(
                    console, "/api/v2/alerts", #"[{"labels":{"alertname":"B"}}]"#, [("Authorization", "Basic \(basic)")]
                )
                #expect(third.status == 200)
                #expect(try await post(console, "/api/v2/alerts", "[]", [try guarded.bearer(.intake)]).status == 200)
                #expect(try await post(console, "/intake/alertmanager", Self.alert).status == 401)
            }
            #expect(guarded.plane.taken.count == 3)
            #expect(guarded.audit.entries.isEmpty)
        }

        @Test func `PagerDuty's senders get PagerDuty's answers`() async throws {
            let guarded = try await GuardedParts(FakeIncidentPlane.State())
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let event = IntakeDecoderTests.event.replacingOccurrences(
                    of: "oakinabcdefghijklmnopqrstuvwxyz2", with: try guarded.token(.intake))
                let path = "/intake/pagerduty/v2/enqueue"
                let trigger = try await post(console, path, event)
                #expect(trigger.status == 202)
                #expect(
                    String(decoding: trigger.body, as: UTF8.self).contains("\"message\":\"Event processed\""))
                #expect(try json(trigger)["dedup_key"] as? String == "srv01/HTTP")
                for action in ["acknowledge", "resolve", "acknowledge"] {
                    let body = event.replacingOccurrences(of: "\"trigger\"", with: "\"\(action)\"")
                    #expect(try await post(console, path, body).status == 202)
                }
                let wrong = try await post(console, path, IntakeDecoderTests.event)
                #expect(wrong.status == 401)
                #expect(try json(wrong)["status"] as? String == "invalid event")
                let odd = try await post(console, path, event.replacingOccurrences(of: "\"error\"", with: "\"loud\""))
                #expect(odd.status == 400)
                #expect((try json(odd)["errors"] as? [String])?.first?.contains("severity") == true)
                let change = event.replacingOccurrences(of: "\"event_action\":\"trigger\",", with: "")
                #expect(try await post(console, "/intake/pagerduty/v2/change/enqueue", change).status == 202)
            }
            #expect(guarded.plane.acts.map(\.act) == [.acknowledge(1)])
            #expect(guarded.plane.acts.map(\.by) == ["pagerduty"])
            guard case .deploy(let service, _, _)? = guarded.plane.taken.last else {
                Issue.record("no deploy")
                return
            }
            #expect(service == "web")
        }

        @Test func `a script is answered as GoAlert answers`() async throws {
            let guarded = try await GuardedParts(FakeIncidentPlane.State())
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let token = try guarded.token(.intake)
                let path = "/intake/generic?token=\(token)"
                let plain = try await post(console, path, #"{"summary":"disk full","service":"web"}"#)
                #expect(plain.status == 204 && plain.body.isEmpty)
                let again = try await post(
                    console, path, #"{"summary":"disk full","service":"web"}"#, [("Accept", "application/json")])
                let answer = try json(again)
                #expect(answer["AlertID"] as? Int == 1 && answer["ServiceID"] as? String == "web")
                #expect(answer["IsNew"] as? Bool == false)
                let query = try await client.send(
                    .init(
                        method: "POST",
                        target: .url("http://127.0.0.1:\(console.port)\(path)&summary=from%20cron&severity=warning"),
                        timeoutSeconds: 40))
                #expect(query.status == 204)
                let form = try await client.send(
                    .init(
                        method: "POST", target: .url("http://127.0.0.1:\(console.port)\(path)"),
                        headers: [("Content-Type", "application/x-www-form-urlencoded")],
                        body: Array("summary=a+b%21&action=close&dedup=x".utf8), timeoutSeconds: 40))
                #expect(form.status == 204)
            }
            #expect(guarded.plane.taken.count == 4)
        }

        @Test func `what cannot be stored is sent again: 503 with a time, and nothing is taken`() async throws {
            let guarded = try await GuardedParts(FakeIncidentPlane.State())
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                for failure in [ControlError.failed("the disk is full"), .notRunning("it ends"), .refused("later")] {
                    guarded.plane.change { $0.failure = failure }
                    for (path, body) in [
                        ("/intake/alertmanager", Self.alert), ("/api/v2/alerts", #"[{"labels":{"a":"b"}}]"#),
                        ("/intake/generic", #"{"summary":"x"}"#),
                    ] {
                        let answer = try await post(console, path, body, [try guarded.bearer(.intake)])
                        #expect(answer.status == 503, "\(path)")
                        #expect(Int(answer.header("Retry-After") ?? "") ?? 0 > 0)
                    }
                }
            }
            #expect(guarded.plane.taken.isEmpty)
        }

        @Test func `malformed and oversized messages are refused, large ones taken`() async throws {
            let guarded = try await GuardedParts(FakeIncidentPlane.State())
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let bearer = [try guarded.bearer(.intake)]
                for body in ["", "{", "[]", #"{"alerts":[{}]}"#, "\u{FFFD}{}"] {
                    #expect(try await post(console, "/intake/alertmanager", body, bearer).status == 400, "\(body)")
                }
                let filler = String(repeating: "x", count: 1_900_000)
                let large = #"{"version":"4","filler":"\#(filler)","alerts":[{"labels":{"a":"b"}}]}"#
                #expect(try await post(console, "/intake/alertmanager", large, bearer).status == 200)
                #expect(try await post(console, "/intake/alertmanager", large + large, bearer).status == 413)
                #expect(try await post(console, "/intake/generic", large, bearer).status == 413)
                #expect(try await post(console, "/api/v1/incidents", large, bearer).status == 413)
            }
            #expect(guarded.plane.taken.count == 1)
        }

        @Test func `nothing is acknowledged before it is stored, and a crowd is turned away instead of kept`()
            async throws
        {
            let (entered, tell) = AsyncStream.makeStream(of: Void.self)
            let (opened, open) = AsyncStream.makeStream(of: Void.self)
            let isOpen = Mutex(false)
            let plane = FakeIncidentPlane(FakeIncidentPlane.State()) {
                tell.yield()
                guard !isOpen.withLock({ $0 }) else { return }
                var iterator = opened.makeAsyncIterator()
                _ = await iterator.next()
            }
            let access = try AccessDesk(store: MemoryAccessStore())
            let token = try await access.createToken(TokenRequest(name: "am", role: .intake), by: "test").token
            let parts = ResponseParts(incidents: plane, access: access)
            try await withConsole(FakeControlPlane(), parts: parts) { console, _ in
                let request =
                    "POST /intake/alertmanager?token=\(token) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "Content-Length: \(Self.alert.utf8.count)\r\n\r\n\(Self.alert)"
                let first = try RawConnection(port: console.port)
                first.send(request)
                var iterator = entered.makeAsyncIterator()
                _ = await iterator.next()
                #expect(plane.taken.isEmpty)
                // 8 at work, 128 waiting: of 160 in all 24 are too many.
                let others = try (1..<160).map { _ in try RawConnection(port: console.port) }
                for other in others { other.send(request) }
                let answers = try await withThrowingTaskGroup(of: String.self) { group in
                    for connection in [first] + others { group.addTask { try await connection.readToEnd() } }
                    var answers: [String] = []
                    for try await answer in group {
                        answers.append(answer)
                        guard answers.count == 24 else { continue }
                        #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 503") && $0.contains("etry-") })
                        #expect(plane.taken.isEmpty)
                        isOpen.withLock { $0 = true }
                        open.finish()
                    }
                    return answers
                }
                #expect(answers.count { $0.hasPrefix("HTTP/1.1 200") } == 136)
                #expect(plane.taken.count == 136)
            }
        }

        @Test func `ten thousand alerts take less than a minute`() async throws {
            let guarded = try await GuardedParts(FakeIncidentPlane.State())
            let began = ContinuousClock.now
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let bearer = try guarded.bearer(.intake)
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for sender in 0..<8 {
                        group.addTask {
                            var good = 0
                            for number in 0..<125 {
                                let alerts = (0..<10).map {
                                    #"{"status":"firing","labels":{"alertname":"A\#($0)","s":"\#(sender)","n":"\#(number % 5)"}}"#
                                }
                                let body = #"{"version":"4","alerts":[\#(alerts.joined(separator: ","))]}"#
                                if try await post(console, "/intake/alertmanager", body, [bearer]).status == 200 {
                                    good += 1
                                }
                            }
                            return good
                        }
                    }
                    var good = 0
                    for try await count in group { good += count }
                    #expect(good == 1_000)
                }
            }
            #expect(guarded.plane.taken.count == 10_000)
            #expect(ContinuousClock.now - began < .seconds(60))
        }

        @Test func `a job that was missed before a restart is told when it is back, and one that is gone is over`()
            async throws
        {
            let guarded = try await GuardedParts(FakeIncidentPlane.State())
            func told() -> [Alert] {
                guarded.plane.taken.compactMap { if case .alert(let alert) = $0 { alert } else { nil } }
            }
            func desk(_ names: [String], firing: [Alert] = []) -> HeartbeatDesk {
                let settings = names.map {
                    HeartbeatSettings(id: "0123456789abcde\($0)", name: $0, service: "web", every: 10)
                }
                return HeartbeatDesk(
                    settings, plane: guarded.plane, clock: guarded.clock.own, logger: quiet, firing: firing)
            }
            let before = desk(["a", "b"])
            guarded.clock.advance(11)
            await before.look()
            let missed = told()
            #expect(missed.map(\.status) == [.firing, .firing])
            var parts = guarded.parts
            let after = desk(["a"], firing: missed)
            parts.heartbeats = after
            try await withConsole(FakeControlPlane(), parts: parts) { console, _ in
                for _ in 0..<2 { await after.look() }
                #expect(told().dropFirst(2).map(\.status) == [.resolved])
                #expect(told().last?.fingerprint == missed.last?.fingerprint)
                let beat = try await post(console, "/heartbeat/0123456789abcdea", "")
                #expect(beat.status == 204)
                #expect(told().dropFirst(3).map(\.status) == [.resolved])
                #expect(told().last?.fingerprint == missed.first?.fingerprint)
            }
        }

        @Test func `a job that falls silent is told once, and again when it is back`() async throws {
            let guarded = try await GuardedParts(FakeIncidentPlane.State())
            let settings = HeartbeatSettings(
                id: "0123456789abcdef", name: "nightly backup", service: "web", every: 10, severity: .warning)
            let desk = HeartbeatDesk([settings], plane: guarded.plane, clock: guarded.clock.own, logger: quiet)
            var parts = guarded.parts
            parts.heartbeats = desk
            func told() -> [Alert.Status] {
                guarded.plane.taken.compactMap { if case .alert(let alert) = $0 { alert.status } else { nil } }
            }
            try await withConsole(FakeControlPlane(), parts: parts) { console, _ in
                let path = "/heartbeat/0123456789abcdef"
                let beat = try await post(console, path, "")
                #expect(beat.status == 204)
                #expect(try await post(console, "/heartbeat/0123456789abcdee", "").status == 404)
                guarded.clock.advance(9)
                await desk.look()
                #expect(told().isEmpty)
                guarded.clock.advance(2)
                guarded.plane.change { $0.failure = .failed("the disk is full") }
                await desk.look()
                guarded.plane.change { $0.failure = nil }
                for _ in 0..<3 { await desk.look() }
                #expect(told() == [.firing])
                guarded.plane.change { $0.failure = .failed("the disk is full") }
                #expect(try await post(console, path, "").status == 503)
                guarded.plane.change { $0.failure = nil }
                for _ in 0..<2 { #expect(try await post(console, path, "").status == 204) }
                #expect(told() == [.firing, .resolved])
            }
        }
    }
}
