import Foundation
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Outbound
import Testing

@Suite struct ActionLinkTests {
    private static let key = [UInt8](repeating: 7, count: 32)
    private static let now = Samples.start

    private func link(_ person: String = "ada|o'brien 🦀") -> ActionLink {
        ActionLink(
            incident: 12, action: .acknowledge, person: person,
            expires: WallTime(milliseconds: Self.now.milliseconds + 60_000), nonce: String(repeating: "a1", count: 16))
    }

    @Test func `what was signed is read back, whatever the name`() throws {
        for person in ["ada", "", "a|b|c", "ä🦀", "x y"] {
            let token = link(person).token(signedWith: Self.key)
            #expect(token.utf8.allSatisfy { (0x2D...0x7A).contains($0) })
            #expect(try ActionLink.verify(token, keys: [Self.key], at: Self.now) == link(person))
        }
    }

    @Test func `one changed character of a token makes it worthless`() throws {
        let token = Array(link().token(signedWith: Self.key).utf8)
        for index in token.indices {
            for replacement in [UInt8(ascii: "A"), UInt8(ascii: "b"), UInt8(ascii: "."), UInt8(ascii: "=")]
            where token[index] != replacement {
                var changed = token
                changed[index] = replacement
                #expect(throws: ActionLink.Refusal.forged) {
                    try ActionLink.verify(String(decoding: changed, as: UTF8.self), keys: [Self.key], at: Self.now)
                }
            }
            #expect(throws: ActionLink.Refusal.forged) {
                try ActionLink.verify(String(decoding: token[..<index], as: UTF8.self), keys: [Self.key], at: Self.now)
            }
        }
    }

    @Test func `a signature of one link does not fit another act, incident or person`() throws {
        let signature = link().token(signedWith: Self.key).split(separator: ".")[1]
        var others = [link("bob")]
        var other = link()
        other.action = .resolve
        others.append(other)
        other = link()
        other.incident = 13
        others.append(other)
        for other in others {
            let payload = other.token(signedWith: Self.key).split(separator: ".")[0]
            #expect(throws: ActionLink.Refusal.forged) {
                try ActionLink.verify("\(payload).\(signature)", keys: [Self.key], at: Self.now)
            }
        }
    }

    @Test func `it expires to the millisecond, and another key knows nothing of it`() throws {
        let token = link().token(signedWith: Self.key)
        let last = WallTime(milliseconds: link().expires.milliseconds - 1)
        #expect(try ActionLink.verify(token, keys: [Self.key], at: last) == link())
        #expect(throws: ActionLink.Refusal.expired(link())) {
            try ActionLink.verify(token, keys: [Self.key], at: link().expires)
        }
        let other = [UInt8](repeating: 8, count: 32)
        #expect(throws: ActionLink.Refusal.forged) { try ActionLink.verify(token, keys: [other], at: Self.now) }
        #expect(try ActionLink.verify(token, keys: [other, Self.key], at: Self.now) == link())
        #expect(throws: ActionLink.Refusal.forged) { try ActionLink.verify(token, keys: [], at: Self.now) }
    }

    @Test func `damaged tokens are refused, never trusted and never fatal`() async throws {
        let token = Array(link().token(signedWith: Self.key).utf8)
        try await forAll(seeds: 300) { generator in
            let bytes = generator.chance(0.8) ? generator.damaged(token) : generator.bytes(generator.int(0...300))
            guard bytes != token else { return }
            #expect(throws: ActionLink.Refusal.self) {
                try ActionLink.verify(String(decoding: bytes, as: UTF8.self), keys: [Self.key], at: Self.now)
            }
        }
    }

    @Test func `the key is private, survives a restart, and is rotated with one before it`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("links.key")
            let key = try SigningKey(path: path)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            #expect(key.keys.count == 1 && key.keys[0].count == 32)
            #expect(try SigningKey(path: path).keys == key.keys)
            let first = key.keys[0]
            try key.rotate()
            #expect(key.keys.count == 2 && key.keys[1] == first && key.keys[0] != first)
            try key.rotate()
            #expect(key.keys.count == 2 && !key.keys.contains(first))
            #expect(try SigningKey(path: path).keys == key.keys)
            chmod(path, 0o640)
            #expect(throws: SigningKeyError.self) { try SigningKey(path: path) }
            try Data("abc\n".utf8).write(to: URL(fileURLWithPath: path))
            chmod(path, 0o600)
            #expect(throws: SigningKeyError.self) { try SigningKey(path: path) }
        }
    }
}

extension RunningServers {
    /// Links as people and mail scanners use them.
    @Suite(.timeLimit(.minutes(10)))
    struct ActionLinkPageTests {
        private let client = OutboundClient()

        private func ask(_ console: Console, _ method: String, _ url: String, _ headers: [(String, String)] = [])
            async throws
            -> OutboundResponse
        {
            let path = url.replacingOccurrences(of: "https://oakum.example.org", with: "")
            return try await client.send(
                .init(
                    method: method, target: .url("http://127.0.0.1:\(console.port)\(path)"), headers: headers,
                    timeoutSeconds: 40))
        }

        private func text(_ response: OutboundResponse) -> String { String(decoding: response.body, as: UTF8.self) }

        private func withLinks(
            _ body: (GuardedParts, ActionLinks, TemporaryFolder) async throws -> Void
        ) async throws {
            let guarded = try await GuardedParts()
            try await withTemporaryFolder { folder in
                let links = try ActionLinks(
                    stateFolder: folder.path, baseURL: "https://oakum.example.org/", clock: guarded.clock.own)
                try await body(guarded, links, folder)
            }
        }

        private func url(_ links: ActionLinks, _ action: ActionLink.Action = .acknowledge) -> String {
            links.url(incident: 2, action: action, person: "ada", at: Samples.start)
        }

        @Test func `following a link shows, pressing its button acts, a second time changes nothing`() async throws {
            try await withLinks { guarded, links, folder in
                let url = url(links)
                #expect(url.hasPrefix("https://oakum.example.org/a/"))
                var parts = guarded.parts
                parts.links = links
                try await withConsole(FakeControlPlane(), parts: parts) { console, _ in
                    for method in ["GET", "HEAD", "GET"] {
                        let shown = try await ask(console, method, url)
                        #expect(shown.status == 200 && shown.header("Referrer-Policy") == "no-referrer")
                        #expect(shown.header("X-Robots-Tag")?.contains("noindex") == true)
                    }
                    #expect(text(try await ask(console, "GET", url)).contains("Acknowledge #2</button>"))
                    #expect(guarded.plane.acts.isEmpty)
                    #expect(try await ask(console, "POST", url, [("Sec-Fetch-Site", "cross-site")]).status == 403)
                    #expect(guarded.plane.acts.isEmpty)
                    #expect(text(try await ask(console, "POST", url)).contains("#2: done"))
                    #expect(text(try await ask(console, "POST", url)).contains("This link has acted before"))
                    #expect(text(try await ask(console, "GET", url)).contains("This link has acted before"))
                    #expect(text(try await ask(console, "POST", self.url(links))).contains("nothing changed"))
                    #expect(text(try await ask(console, "POST", self.url(links, .resolve))).contains("done"))
                }
                // A restart forgets neither the key nor that it has acted.
                parts.links = try ActionLinks(
                    stateFolder: folder.path, baseURL: "https://oakum.example.org", clock: guarded.clock.own)
                try await withConsole(FakeControlPlane(), parts: parts) { console, _ in
                    let again = try await ask(console, "POST", url)
                    #expect(text(again).contains("This link has acted before"))
                }
                #expect(guarded.plane.acts.map(\.by) == ["ada", "ada", "ada"])
                #expect(guarded.audit.entries.map(\.via).allSatisfy { $0 == "link" })
                #expect(guarded.audit.entries.map(\.words).filter { $0?.hasPrefix("unchanged") == true }.count == 3)
            }
        }

        @Test func `a link that cannot act now can be tried again`() async throws {
            try await withLinks { guarded, links, _ in
                var parts = guarded.parts
                parts.links = links
                let url = url(links)
                try await withConsole(FakeControlPlane(), parts: parts) { console, _ in
                    guarded.plane.change { $0.failure = .failed("the disk is full") }
                    let failed = try await ask(console, "POST", url)
                    #expect(failed.status == 500 && text(failed).contains("the disk is full"))
                    guarded.plane.change { $0.failure = nil }
                    #expect(text(try await ask(console, "POST", url)).contains("#2: done"))
                }
            }
        }

        @Test func `forged and expired links say so and do nothing`() async throws {
            try await withLinks { guarded, links, _ in
                var parts = guarded.parts
                parts.links = links
                let url = url(links)
                try await withConsole(FakeControlPlane(), parts: parts) { console, _ in
                    for path in ["/a/x", "/a/x.y", String(url.dropLast(3)), url + "AA"] {
                        #expect(try await ask(console, "GET", path).status == 403)
                        #expect(try await ask(console, "POST", path).status == 403)
                    }
                    guarded.clock.advance(ActionLinks.lifetime)
                    let expired = try await ask(console, "POST", url)
                    #expect(expired.status == 410 && text(expired).contains("expired"))
                }
                #expect(guarded.plane.acts.isEmpty)
                #expect(guarded.audit.entries.allSatisfy { $0.result == .denied && $0.object == nil })
            }
        }
    }
}
