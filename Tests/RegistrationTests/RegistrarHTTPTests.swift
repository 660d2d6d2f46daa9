import Foundation
import OakumTestKit
import Outbound
import PrometheusText
import RegistrationHTTP
import Spawning
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct RegistrarHTTPTests {
    @Test func `a person signs up, logs in and is recognised`() async throws {
        try await RunningRegistrar.with { registrar in
            let signUp = try await registrar.signUp("Ada@example.org")
            #expect(signUp.status == 202)
            #expect(signUp.text == #"{"status":"accepted"}"#)
            let login = try await registrar.login("ada@EXAMPLE.org")
            #expect(login.status == 200)
            #expect(try login.json["token_type"] as? String == "Bearer")
            #expect(try login.json["expires_in_seconds"] as? Int == 14 * 86_400)
            let token = try #require(try login.json["token"] as? String)
            let session = try await registrar.get("/v1/session", token: token)
            #expect(session.status == 200)
            #expect(try session.json["email"] as? String == "Ada@example.org")
            #expect(try (session.json["account"] as? String)?.isEmpty == false)
            for answer in [signUp, login, session] {
                #expect(answer.header("Cache-Control") == "no-store")
                #expect(answer.header("X-Content-Type-Options") == "nosniff")
                #expect(answer.header("Content-Type") == "application/json")
            }
        }
    }

    @Test func `a person sees their profile until they log out`() async throws {
        try await RunningRegistrar.with { registrar in
            _ = try await registrar.signUp("Ada@example.org")
            let token = try #require(try await registrar.login("ada@example.org").json["token"] as? String)
            let profile = try await registrar.get("/v1/profile?whatever", token: token)
            #expect(profile.status == 200)
            #expect(try profile.json["email"] as? String == "Ada@example.org")
            let created = try #require(try profile.json["created_at"] as? String)
            let date = try Date(created, strategy: .iso8601)
            #expect(abs(date.timeIntervalSinceNow) < 600)
            #expect(try await registrar.send("POST", "/v1/logout", contentType: nil).status == 401)
            #expect(try await registrar.logout(token).status == 204)
            for path in ["/v1/profile", "/v1/session"] {
                #expect(try await registrar.get(path, token: token).status == 401)
            }
            #expect(try await registrar.logout(token).status == 401)
            #expect(try await registrar.get("/v1/profile").status == 401)
        }
    }

    @Test func `a known address is answered exactly like a new one, and keeps its password`() async throws {
        try await RunningRegistrar.with { registrar in
            let new = try await registrar.signUp("ada@example.org")
            let known = try await registrar.signUp("ADA@example.org", "another good password")
            #expect(new.status == 202)
            #expect(new.visible == known.visible)
            #expect(try await registrar.login("ada@example.org", "another good password").status == 401)
            #expect(try await registrar.login("ada@example.org").status == 200)
        }
    }

    @Test func `an unknown address and a wrong or empty password get the same answer`() async throws {
        try await RunningRegistrar.with { registrar in
            _ = try await registrar.signUp("ada@example.org")
            let unknown = try await registrar.login("bob@example.org")
            #expect(unknown.status == 401)
            #expect(try unknown.problem == "wrong-credentials")
            #expect(unknown.header("WWW-Authenticate") == "Bearer")
            #expect(try await registrar.login("ada@example.org", "wrong").visible == unknown.visible)
            #expect(try await registrar.login("ada@example.org", "").visible == unknown.visible)
        }
    }

    @Test func `a password typed composed at sign-up and decomposed at login is the same`() async throws {
        try await RunningRegistrar.with { registrar in
            _ = try await registrar.signUp("ada@example.org", "caf\u{E9} caf\u{E9} caf\u{E9} caf\u{E9}")
            let login = try await registrar.login(
                "ada@example.org", "cafe\u{301} cafe\u{301} cafe\u{301} cafe\\u0301")
            #expect(login.status == 200)
        }
    }

    @Test func `what is wrong with a request is told in the shape of RFC 9457`() async throws {
        try await RunningRegistrar.with { registrar in
            for path in ["/v1/signup", "/v1/login"] {
                let cases: [(String, String?, Int, String)] = [
                    ("{}", nil, 415, "unsupported-media-type"),
                    ("a=b", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
                    ("{}", "text/plain", 415, "unsupported-media-type"),
                    ("", "application/json", 400, "malformed-json"),
                    ("{", "application/json", 400, "malformed-json"),
                    ("[]", "application/json", 400, "malformed-json"),
                    (#"{"email":"a@b.co","email":"c@d.co"}"#, "application/json", 400, "malformed-json"),
                    ("{}", "Application/JSON; charset=utf-8", 422, "invalid-members"),
                    (String(repeating: " ", count: 16 * 1024 + 1), "application/json", 413, "too-large"),
                    (String(repeating: "x", count: 1 << 20), "application/json", 413, "too-large"),
                ]
                for (body, type, status, problem) in cases {
                    let answer = try await registrar.send("POST", path, body: body, contentType: type)
                    #expect(answer.status == status, "\(path) \(body.prefix(40))")
                    #expect(try answer.problem == problem)
                    #expect(try answer.json["status"] as? Int == status)
                    #expect(try (answer.json["title"] as? String)?.isEmpty == false)
                    #expect(answer.header("Cache-Control") == "no-store")
                }
            }
        }
    }

    @Test func `each unacceptable member is pointed to`() async throws {
        try await RunningRegistrar.with { registrar in
            let extra = #"{"email":"ada@example.org","password":"\#(goodPassword)","role":"admin","a/b~c":{"x":[1]}}"#
            let cases = [
                ("{}", ["/email missing", "/password missing"]),
                (#"{"email":1,"password":null}"#, ["/email not_a_string", "/password not_a_string"]),
                (
                    #"{"email":"ada@bücher.example","password":"short"}"#,
                    ["/email email_domain_not_ascii", "/password password_too_short"]
                ),
                (extra, ["/role unknown_member", "/a~1b~0c unknown_member"]),
            ]
            for (body, expected) in cases {
                let answer = try await registrar.send("POST", "/v1/signup", body: body)
                #expect(answer.status == 422)
                let errors = try #require(try answer.json["errors"] as? [[String: String]])
                #expect(errors.map { "\($0["pointer"] ?? "?") \($0["code"] ?? "?")" } == expected)
            }
            // Nothing of the refused ones was stored.
            #expect(try await registrar.login("ada@example.org").status == 401)
        }
    }

    @Test func `a path without a route and a method without a handler say so`() async throws {
        try await RunningRegistrar.with { registrar in
            let nothing = try await registrar.get("/v1/nothing")
            #expect(nothing.status == 404)
            #expect(try nothing.problem == "not-found")
            let method = try await registrar.send("DELETE", "/v1/session")
            #expect(method.status == 405)
            #expect(try method.problem == "method-not-allowed")
            #expect(method.header("Allow")?.contains("GET") == true)
            #expect(try await registrar.get("/v1/signup").header("Allow") == "POST")
        }
    }

    @Test func `a session check without the token of a live session is 401`() async throws {
        try await RunningRegistrar.with { registrar in
            let none = try await registrar.get("/v1/session")
            #expect(none.status == 401)
            #expect(try none.problem == "no-session")
            for token in ["x", String(repeating: "A", count: 43), String(repeating: "A", count: 2000)] {
                #expect(try await registrar.get("/v1/session", token: token).visible == none.visible)
            }
        }
    }

    @Test func `health, readiness and counters are served`() async throws {
        try await RunningRegistrar.with { registrar in
            #expect(try await registrar.get("/healthz").status == 200)
            #expect(try await registrar.get("/readyz").status == 200)
            #expect(try await registrar.admin("/healthz").status == 200)
            #expect(try await registrar.admin("/readyz").status == 200)
            _ = try await registrar.signUp("ada@example.org")
            _ = try await registrar.signUp("ada@example.org")
            _ = try await registrar.signUp("ada")
            _ = try await registrar.login("ada@example.org")
            _ = try await registrar.login("ada@example.org", "wrong")
            _ = try await registrar.get("/v1/session")
            let samples = PrometheusText.parse(try await registrar.admin("/metrics").text)
            func value(_ name: String, _ outcome: String) -> Double? {
                samples.first { $0.name == name && $0.labels["outcome"] == outcome }?.value
            }
            #expect(value("signups_total", "created") == 1)
            #expect(value("signups_total", "duplicate") == 1)
            #expect(value("signups_total", "invalid") == 1)
            #expect(value("signups_total", "busy") == 0)
            #expect(value("logins_total", "opened") == 1)
            #expect(value("logins_total", "refused") == 1)
            #expect(value("session_checks_total", "none") == 1)
            #expect(samples.first { $0.name == "hash_seconds_count" }?.value == 4)
            #expect(samples.first { $0.name == "hash_waiters" }?.value == 0)
            #expect(samples.value("http_requests_total") == 8)
        }
    }

    @Test func `passwords and tokens appear neither in the log nor in the database`() async throws {
        try await withTemporaryFolder { folder in
            let database = folder.file("a.sqlite")
            try await RunningRegistrar.with(database: database, admin: folder.file("admin")) { registrar in
                _ = try await registrar.signUp("ada@example.org")
                let token = try #require(try await registrar.login("ada@example.org").json["token"] as? String)
                _ = try await registrar.login("ada@example.org", "a wrong one of mine")
                #expect(try await registrar.get("/v1/session", token: token).status == 200)
                registrar.process.send(SIGTERM)
                let exit = try await registrar.process.waitForExit()
                #expect(exit == .code(0))
                var everything = Array(registrar.process.output().utf8)
                for suffix in ["", "-wal"] {
                    // The log of writes is gone after a clean end.
                    if let data = FileManager.default.contents(atPath: database + suffix) { everything += data }
                }
                let text = String(decoding: everything, as: UTF8.self)
                #expect(text.contains("$argon2id$"))
                #expect(text.contains("ada@example.org"))
                for secret in [goodPassword, "a wrong one of mine", token] { #expect(!text.contains(secret)) }
                #expect(!registrar.process.output().contains("ada@"))
            }
        }
    }
}
