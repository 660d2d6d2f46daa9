import LeakTesting
import Logging
import OakumAPI
import OakumModel
import OakumTestKit
import Outbound
import Testing

@testable import OakumHTTP

/// What answers people and programs for as long as Oakum lives must not grow with them.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `tokens that are revoked and sessions beyond their bound leave nothing behind`() async throws {
        let clock = HandClock()
        let desk = try AccessDesk(
            store: MemoryAccessStore(), intake: [.init(name: "ci", secret: String(repeating: "s", count: 32))],
            clock: clock.own, limits: .init(capacity: 30), random: Crypto.randomBytes)
        let lasting = try await desk.createToken(TokenRequest(name: "ada", role: .responder), by: "test").token
        // 30 sessions fill the table.
        try await expectNoGrowth(calls: 50, warmUp: 60) {
            clock.advance(1)
            let grant = try await desk.createToken(TokenRequest(name: "passing", role: .reader), by: "test")
            for token in [lasting, grant.token, "oak_wrong"] {
                guard let principal = desk.principal(ofToken: token) else { continue }
                let secret = try #require(desk.beginSession(principal))
                #expect(desk.principal(ofSession: secret)?.token == principal.token)
            }
            _ = desk.failed(from: "192.0.2.1")
            _ = try await desk.revokeToken(grant.summary.id, by: "test")
        }
        try expectDeallocated { try AccessDesk(store: MemoryAccessStore(), clock: clock.own) }
    }

    @Test func `places that try wrong tokens are forgotten`() {
        var throttle = FailureThrottle(capacity: 40)
        var number = 0
        expectNoGrowth(warmUp: 80) {
            number += 1
            _ = throttle.failed(from: "2001:db8::\(number)", at: Uptime(seconds: Double(number)))
        }
    }

    @Test func `links that have acted are kept up to their bound`() async throws {
        try await withTemporaryFolder { folder in
            let used = try UsedLinks(path: folder.file("links.used"), capacity: 20, now: Samples.start)
            var number = 0
            // 20 of them fill the table.
            try expectNoGrowth(calls: 30, warmUp: 60) {
                number += 1
                let nonce = Hex.encode(Crypto.randomBytes(16))
                #expect(used.claim(nonce) == .free && used.claim(nonce) == .underWay)
                if number % 3 == 0 {
                    used.release(nonce)
                } else {
                    let now = WallTime(milliseconds: Samples.start.milliseconds + Int64(number))
                    try used.finish(nonce, expires: WallTime(milliseconds: now.milliseconds + 1_000_000), at: now)
                }
            }
        }
    }

    @Test func `an audit log does not grow in memory, over full files too`() async throws {
        try await withTemporaryFolder { folder in
            let log = AuditLog(path: folder.file("audit.jsonl"), fileBytes: 2_048, files: 2, logger: quiet)
            await expectNoGrowth(calls: 30) {
                await log.record(
                    AuditEntry(
                        at: "2026-11-21T10:00:00.000Z", who: "ada", role: "responder", via: "session",
                        from: "192.0.2.1", what: "incident.acknowledge", object: "12", result: .done, status: 200))
            }
        }
    }

    @Test func `a gate for messages does not grow with those that wait, are turned away or give up`() async {
        let gate = IntakeGate(limit: 2, waiting: 4)
        await expectNoGrowth(calls: 50) {
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        // Refused and cancelled ones are part of the test.
                        _ = try? await gate.pass { await Task.yield() }
                    }
                    if number == 7 { group.cancelAll() }
                }
            }
        }
    }

    @Test func `heartbeats that come, stay away and come again leave nothing behind`() async throws {
        let clock = HandClock()
        let plane = FakeIncidentPlane()
        let id = String(repeating: "h", count: 20)
        let desk = HeartbeatDesk(
            [HeartbeatSettings(id: id, name: "nightly backup", every: 10)], plane: plane, clock: clock.own,
            logger: quiet)
        try await expectNoGrowth(calls: 50) {
            clock.advance(11)
            await desk.look()
            try await desk.beat(id)
            #expect(plane.taken.count == 2, "missed, and back")
            plane.change { $0 = FakeIncidentPlane.State() }
        }
    }

    // MARK: - Whole servers: event loops do the work, so it is the process that must not grow

    @Test func `a console does not grow with pages, sign-ins, refusals and messages`() async throws {
        try await withTemporaryFolder { folder in
            let guarded = try await GuardedParts(FakeIncidentPlane.State())
            var parts = guarded.parts
            parts.audit = AuditLog(path: folder.file("audit.jsonl"), fileBytes: 1 << 20, logger: quiet)
            let token = try guarded.token(.responder)
            let intake = [try guarded.bearer(.intake)]
            let client = OutboundClient()
            defer { client.shutdown() }
            try await withConsole(FakeControlPlane(), parts: parts) { console, _ in
                let asking = Asking(client: client, port: console.port)
                var number = 0
                try await expectNoGrowth(of: .process, calls: 5, warmUp: 10) {
                    number += 1
                    let answer = try await asking.ask(
                        "POST", "/login",
                        [
                            ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/x-www-form-urlencoded"),
                        ], body: "token=\(token)&next=/")
                    let cookie = try #require(answer.header("Set-Cookie")).prefix { $0 != ";" }
                    let session = [("Cookie", String(cookie)), ("Sec-Fetch-Site", "same-origin")]
                    #expect(try await asking.ask("GET", "/", session).status == 200)
                    #expect(try await asking.ask("GET", "/api/v1/overview", session).status == 200)
                    let body = #"{"summary":"disk \#(number)","service":"web"}"#
                    let json = intake + [("Content-Type", "application/json")]
                    #expect(try await asking.ask("POST", "/intake/generic", json, body: body).status == 204)
                    let wrong = [("Authorization", "Bearer oak_wrong\(number)")]
                    #expect([401, 429].contains(try await asking.ask("GET", "/", wrong).status))
                    #expect(try await asking.ask("GET", "/no/such/\(number)", session).status == 404)
                    #expect(try await asking.ask("POST", "/logout", session).status == 303)
                    guarded.plane.change { $0 = FakeIncidentPlane.State() }
                }
            }
        }
    }

    @Test func `live streams that are left leave nothing behind`() async throws {
        try await withConsole(FakeControlPlane(), interval: .milliseconds(1)) { console, _ in
            _ = try await expectNoGrowth(of: .process, calls: 5, warmUp: 10) {
                let stream = try RawConnection(port: console.port)
                stream.send("GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
                _ = try await stream.read(through: "event: overview\n")
            }
        }
    }

    @Test func `a control socket does not grow with questions`() async throws {
        let client = OutboundClient()
        defer { client.shutdown() }
        try await withControlServer(FakeControlPlane()) { path, _ in
            _ = try await expectNoGrowth(of: .process, calls: 5, warmUp: 10) {
                // Not reused: each question has a connection of its own.
                var request = OutboundRequest(
                    target: .unixSocket(path: path, requestTarget: "/api/v1/overview"), timeoutSeconds: 40)
                request.reusesConnections = false
                let answer = try await client.send(request)
                #expect(answer.status == 200)
            }
        }
    }
}

/// One request to a console.
private struct Asking {
    let client: OutboundClient
    let port: Int

    func ask(
        _ method: String, _ path: String, _ headers: [(String, String)] = [], body: String = ""
    ) async throws -> OutboundResponse {
        try await client.send(
            .init(
                method: method, target: .url("http://127.0.0.1:\(port)\(path)"), headers: headers,
                body: Array(body.utf8), timeoutSeconds: 40))
    }
}
