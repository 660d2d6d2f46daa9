import Foundation
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Outbound
import Testing

extension RunningServers {
    /// Who may do what over the console's address.
    @Suite(.timeLimit(.minutes(10)))
    struct GuardTests {
        private let client = OutboundClient()
        private static let sameOrigin = ("Sec-Fetch-Site", "same-origin")

        private func ask(
            _ console: Console, _ method: String, _ path: String, _ headers: [(String, String)] = [], body: String = ""
        ) async throws -> OutboundResponse {
            try await client.send(
                .init(
                    method: method, target: .url("http://127.0.0.1:\(console.port)\(path)"), headers: headers,
                    body: Array(body.utf8), timeoutSeconds: 40))
        }

        /// A path that fits a row of the table.
        private func concrete(_ path: String) -> String {
            path.replacingOccurrences(of: "{id}", with: "2").replacingOccurrences(of: "{name}", with: "console.css")
                .replacingOccurrences(of: "{token}", with: "abc.def")
        }

        /// What each role may do, written down once more, apart from the table it checks.
        private func least(_ route: String) -> AccessRole? {
            let words = route.split(separator: " ")
            let (method, path) = (words[0], words[1])
            if path.hasPrefix("/intake") || path.hasPrefix("/api/v2/") { return .intake }
            if path.hasPrefix("/heartbeat") || path.hasPrefix("/a/") || path.hasPrefix("/assets") { return nil }
            if ["/healthz", "/openapi.json", "/login"].contains(path) { return nil }
            if path.hasPrefix("/api/v1/tokens") { return .admin }
            return method == "get" || path == "/logout" ? .reader : .responder
        }

        @Test func `every route refuses every role that does not cover it`() async throws {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                // A stream does not end; that it is guarded shows in its refusals.
                for route in ServedRoutes.tabled.console.sorted() where route != "get /api/v1/stream" {
                    guard let least = least(route), least != .intake else { continue }
                    let words = route.split(separator: " ")
                    let (method, path) = (words[0].uppercased(), concrete(String(words[1])))
                    let anonymous = try await ask(console, method, path)
                    #expect([401, 303].contains(anonymous.status), "\(route): \(anonymous.status)")
                    #expect(anonymous.status == 401 || anonymous.header("Location")?.hasPrefix("/login") == true)
                    for role in AccessRole.allCases {
                        let answer = try await ask(console, method, path, [try guarded.bearer(role)])
                        let isRefused = answer.status == 403
                        #expect(isRefused == !role.covers(least), "\(route) as \(role): \(answer.status)")
                        #expect(answer.status != 401, "\(route)")
                    }
                }
                let stream = try await ask(console, "GET", "/api/v1/stream", [try guarded.bearer(.intake)])
                #expect(stream.status == 403)
                #expect(try await ask(console, "GET", "/api/v1/stream").status == 401)
            }
        }

        @Test func `intake takes intake tokens alone`() async throws {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                for route in ServedRoutes.tabled.console.sorted() where least(route) == .intake {
                    let path = String(route.split(separator: " ")[1])
                    for role in AccessRole.allCases where role != .intake {
                        // So many failures in a row would be slowed down.
                        guarded.clock.advance(60)
                        let body = "{\"routing_key\": \"\(try guarded.token(role))\"}"
                        let answer = try await ask(console, "POST", path, [try guarded.bearer(role)], body: body)
                        #expect(answer.status == 401, "\(route) as \(role): \(answer.status)")
                    }
                }
            }
            #expect(guarded.plane.taken.isEmpty)
        }

        @Test func `wrong, expired and revoked tokens are refused and recorded, never with their text`() async throws {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let good = try guarded.token(.reader)
                let wrong = "oak_" + String(good.dropFirst(4).reversed())
                for token in [wrong, "", String(repeating: "x", count: 5_000), good + " "] {
                    let answer = try await ask(
                        console, "GET", "/api/v1/overview", [("Authorization", "Bearer \(token)")])
                    #expect(answer.status == 401 || token == good + " ", "\(token.prefix(60)): \(answer.status)")
                }
                #expect(try await ask(console, "GET", "/api/v1/overview", [try guarded.bearer(.reader)]).status == 200)
                let id = try #require(try await guarded.access.tokens().first { $0.role == .reader }?.id)
                _ = try await guarded.access.revokeToken(id, by: "test")
                #expect(try await ask(console, "GET", "/api/v1/overview", [try guarded.bearer(.reader)]).status == 401)
                guarded.clock.advance(91 * 86_400)
                #expect(try await ask(console, "GET", "/api/v1/overview", [try guarded.bearer(.admin)]).status != 200)
                let lines = guarded.audit.entries
                #expect(lines.count >= 4 && lines.allSatisfy { $0.result == .denied && $0.from == "127.0.0.1" })
                let text = String(decoding: try JSONEncoder().encode(lines), as: UTF8.self)
                #expect(guarded.tokens.values.allSatisfy { !text.contains($0) } && !text.contains(wrong))
            }
        }

        @Test func `who tries wrong tokens is slowed down, and nobody is locked out`() async throws {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                var statuses: [Int] = []
                for number in 0..<30 {
                    let header = ("Authorization", "Bearer oak_wrong\(number)")
                    let answer = try await ask(console, "GET", "/api/v1/overview", [header])
                    statuses.append(answer.status)
                    if answer.status == 429 { #expect(Int(answer.header("Retry-After") ?? "") ?? 0 >= 1) }
                }
                #expect(statuses == Array(repeating: 401, count: 10) + Array(repeating: 429, count: 20))
                #expect(guarded.audit.entries.count == 10)
                #expect(try await ask(console, "GET", "/api/v1/overview", [try guarded.bearer(.reader)]).status == 200)
                guarded.clock.advance(6)
                let later = try await ask(console, "GET", "/api/v1/overview", [("Authorization", "Bearer oak_x")])
                #expect(later.status == 401)
            }
        }

        // MARK: - Without tokens

        @Test
        func `without tokens this machine may read, and the user oakum runs as may act from the console's own pages`()
            async throws
        {
            let guarded = try await GuardedParts(roles: [.intake])
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let list = try await ask(console, "GET", "/api/v1/incidents")
                #expect(list.status == 200)
                #expect(try await ask(console, "GET", "/incidents/2").status == 200)
                #expect(try await ask(console, "GET", "/api/v1/tokens").status == 403)
                let path = "/api/v1/incidents/2/acknowledge"
                for headers in [
                    [], [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")], [("Origin", "null")],
                    [("Origin", "http://evil.example")], [("Origin", "http://127.0.0.1:1")],
                ] as [[(String, String)]] {
                    #expect(try await ask(console, "POST", path, headers).status == 403, "\(headers)")
                }
                #expect(guarded.plane.acts.isEmpty)
                let origin = ("Origin", "http://127.0.0.1:\(console.port)")
                #expect(try await ask(console, "POST", path, [Self.sameOrigin]).status == 200)
                #expect(try await ask(console, "POST", "/api/v1/incidents/2/resolve", [origin]).status == 200)
                let token = #"{"name": "x", "role": "admin"}"#
                #expect(
                    try await ask(
                        console, "POST", "/api/v1/tokens", [Self.sameOrigin, ("Content-Type", "application/json")],
                        body: token
                    ).status == 403)
            }
            let own = String(cString: getpwuid(geteuid()).pointee.pw_name)
            #expect(guarded.plane.acts.map(\.by) == [own, own])
        }

        @Test func `behind a proxy everybody signs in, and the first token for people closes the console`() async throws
        {
            let guarded = try await GuardedParts(roles: [])
            try await withConsole(FakeControlPlane(), parts: guarded.parts, behindProxy: true) { console, _ in
                let overview = try await ask(console, "GET", "/api/v1/overview")
                #expect(overview.status == 401)
                #expect(try await ask(console, "GET", "/").header("Location") == "/login?next=%2F")
                #expect(try await ask(console, "GET", "/healthz").status == 200)
                #expect(
                    try await ask(console, "POST", "/api/v1/incidents/2/acknowledge", [Self.sameOrigin]).status == 401)
            }
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                #expect(try await ask(console, "GET", "/api/v1/overview").status == 200)
                _ = try await guarded.access.createToken(TokenRequest(name: "ada", role: .reader), by: "test")
                #expect(try await ask(console, "GET", "/api/v1/overview").status == 401)
            }
        }

        // MARK: - Sessions

        private func signIn(_ console: Console, _ token: String, next: String = "/") async throws -> OutboundResponse {
            try await ask(
                console, "POST", "/login",
                [Self.sameOrigin, ("Content-Type", "application/x-www-form-urlencoded")],
                body: "token=\(token)&next=\(PercentEncoding.encode(next))")
        }

        private func cookie(_ response: OutboundResponse) throws -> (String, String) {
            let text = try #require(response.header("Set-Cookie"))
            return ("Cookie", String(text.prefix { $0 != ";" }))
        }

        @Test func `a token is pasted once, and the session ends by signing out, idling, or age`() async throws {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let answer = try await signIn(console, try guarded.token(.responder), next: "/incidents")
                #expect(answer.status == 303 && answer.header("Location") == "/incidents")
                let header = try #require(answer.header("Set-Cookie"))
                #expect(header.hasSuffix("; Path=/; HttpOnly; SameSite=Strict"))
                let session = try cookie(answer)
                let responder = try guarded.token(.responder)
                #expect(session.1.utf8.count > 40 && !session.1.contains(responder))
                #expect(try await ask(console, "GET", "/", [session]).status == 200)
                // By what the browser sends along alone nothing is done.
                let path = "/incidents/2/acknowledge"
                #expect(try await ask(console, "POST", path, [session]).status == 403)
                #expect(
                    try await ask(console, "POST", path, [session, ("Sec-Fetch-Site", "cross-site")]).status == 403)
                let acted = try await ask(console, "POST", path, [session, Self.sameOrigin])
                #expect(acted.status == 303 && acted.header("Location") == "/incidents/2?did=done")
                let out = try await ask(console, "POST", "/logout", [session, Self.sameOrigin])
                #expect(out.header("Set-Cookie")?.contains("Max-Age=0") == true)
                #expect(try await ask(console, "GET", "/", [session]).status == 303)
                let idle = try cookie(try await signIn(console, try guarded.token(.reader)))
                guarded.clock.advance(3_601)
                #expect(try await ask(console, "GET", "/", [idle]).status == 303)
                let busy = try cookie(try await signIn(console, try guarded.token(.reader)))
                for _ in 0..<13 {
                    guarded.clock.advance(3_300)
                    #expect(try await ask(console, "GET", "/", [busy]).status == 200)
                }
                guarded.clock.advance(3_300)
                #expect(try await ask(console, "GET", "/", [busy]).status == 303)
            }
            #expect(guarded.plane.acts.map(\.by) == ["responder-person"])
            #expect(guarded.audit.entries.map(\.what).contains("sign_out"))
        }

        @Test func `all sessions of a token end at once, and those of a revoked one`() async throws {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let token = try guarded.token(.reader)
                var sessions: [(String, String)] = []
                for _ in 0..<3 { sessions.append(try cookie(try await signIn(console, token))) }
                #expect(Set(sessions.map(\.1)).count == 3)
                let other = try cookie(try await signIn(console, try guarded.token(.admin)))
                let form = ("Content-Type", "application/x-www-form-urlencoded")
                _ = try await ask(
                    console, "POST", "/logout", [sessions[0], Self.sameOrigin, form], body: "everywhere=yes")
                for session in sessions { #expect(try await ask(console, "GET", "/", [session]).status == 303) }
                #expect(try await ask(console, "GET", "/", [other]).status == 200)
                let admin = try #require(try await guarded.access.tokens().first { $0.role == .admin }?.id)
                _ = try await guarded.access.revokeToken(admin, by: "test")
                #expect(try await ask(console, "GET", "/", [other]).status == 303)
            }
        }

        @Test func `behind a proxy the cookie insists on TLS, and the audit log names the address the proxy saw`()
            async throws
        {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts, behindProxy: true) { console, _ in
                let answer = try await ask(
                    console, "POST", "/login",
                    [
                        Self.sameOrigin, ("Content-Type", "application/x-www-form-urlencoded"),
                        ("X-Forwarded-For", "6.6.6.6, 203.0.113.9"),
                    ], body: "token=\(try guarded.token(.reader))")
                let header = try #require(answer.header("Set-Cookie"))
                #expect(
                    header.hasPrefix("__Host-oakum=") && header.hasSuffix("; Path=/; HttpOnly; SameSite=Strict; Secure")
                )
                #expect(guarded.audit.entries.map(\.from) == ["203.0.113.9"])
            }
        }

        @Test(arguments: [
            "//evil.example/", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x=y", "javascript:1", "",
        ])
        func `signing in leads nowhere else`(_ next: String) async throws {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let answer = try await signIn(console, try guarded.token(.reader), next: next)
                #expect(answer.header("Location") == "/")
            }
        }

        @Test func `neither a wrong nor an intake token signs in, and other sites cannot make anybody try`()
            async throws
        {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                for token in ["oak_no", try guarded.token(.intake)] {
                    let answer = try await signIn(console, token)
                    #expect(answer.status == 403 && answer.header("Set-Cookie") == nil)
                }
                let cross = try await ask(
                    console, "POST", "/login", [("Sec-Fetch-Site", "cross-site")],
                    body: "token=\(try guarded.token(.reader))")
                #expect(cross.status == 403 && cross.header("Set-Cookie") == nil)
                #expect(guarded.audit.entries.allSatisfy { $0.result == .denied && $0.what == "sign_in" })
            }
        }

        @Test func `a link in a mail leads through to the page, not to the sign-in`() async throws {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let headers = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "document")]
                let answer = try await ask(console, "GET", "/incidents/2", headers)
                #expect(answer.status == 200)
                #expect(
                    String(decoding: answer.body, as: UTF8.self).contains(
                        "http-equiv=\"refresh\" content=\"0;url=/incidents/2\""))
            }
        }
    }
}
