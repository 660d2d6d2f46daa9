import OakumTestKit
import RegistrationCore
import Testing

@Suite struct SessionTokenTests {
    @Test func `a token is 43 characters of base64url and comes back from its text`() async throws {
        try await forAll(seeds: 200) { generator in
            let bytes = generator.bytes(32)
            let token = try #require(SessionToken(bytes: bytes))
            #expect(token.text.utf8.count == 43)
            #expect(SessionToken(text: token.text)?.bytes == bytes)
        }
    }

    @Test func `base64url agrees with RFC 4648`() {
        let vectors = [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy"),
        ]
        for (plain, encoded) in vectors {
            #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
            #expect(Base64URL.decode(encoded.utf8) == Array(plain.utf8))
        }
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        #expect(Base64URL.decode("+/8".utf8) == nil)
    }

    @Test func `every text is the spelling of at most one token`() async throws {
        let zero = String(repeating: "A", count: 43)
        #expect(SessionToken(text: zero) != nil)
        for other in ["", zero + "A", zero.dropLast() + "B", zero.dropLast() + "=", zero.dropLast() + "+", zero + "="] {
            #expect(SessionToken(text: other) == nil)
        }
        try await forAll(seeds: 300) { generator in
            let token = try #require(SessionToken(bytes: generator.bytes(32)))
            let text = String(decoding: generator.damaged(Array(token.text.utf8)), as: UTF8.self)
            guard let other = SessionToken(text: text) else { return }
            #expect(other.text == text)
        }
    }

    @Test func `a token never shows in a description or a dump`() throws {
        let token = try #require(SessionToken(bytes: [UInt8](repeating: 0x5A, count: 32)))
        var dumped = ""
        dump(token, to: &dumped)
        for text in ["\(token)", String(reflecting: token), dumped] {
            #expect(!text.contains(token.text))
            #expect(!text.contains("90"))
        }
    }
}

@Suite struct PasswordHashTests {
    static let salt = String(repeating: "s", count: 22)
    static let tag = String(repeating: "t", count: 43)
    static let good = "$argon2id$v=19$m=19456,t=2,p=1$\(salt)$\(tag)"

    @Test func `a PHC string gives its cost`() throws {
        let hash = try PasswordHash(phc: Self.good)
        #expect(hash.cost == HashCost(memoryKiB: 19_456, passes: 2))
        #expect(hash.cost == .standard)
        #expect(!"\(hash)".contains(Self.salt))
    }

    @Test(arguments: [
        "", "$", "plain", "$2b$12$abcdefghijklmnopqrstuv", "x\(good)", "\(good)$", "\(good) ",
        good.replacing("m=19456", with: "m=-1"), good.replacing("m=19456", with: "m=019456"),
        good.replacing("m=19456", with: "m=99999999999"), good.replacing("m=19456", with: "m=7"),
        good.replacing("t=2", with: "t=0"), good.replacing("t=2", with: "t="), good.replacing("t=2", with: "t=2,x=1"),
        good.replacing("m=19456,t=2", with: "t=2,m=19456"), good.replacing(salt, with: "s"),
        good.replacing(tag, with: "t"), good.replacing(tag, with: String(repeating: "*", count: 43)),
    ])
    func `what is no such PHC string is refused`(text: String) {
        #expect(throws: PasswordHashProblem.self) { try PasswordHash(phc: text) }
    }

    @Test(arguments: [
        good.replacing("argon2id", with: "argon2i"), good.replacing("v=19", with: "v=16"),
        good.replacing("p=1", with: "p=4"),
    ])
    func `other algorithms, versions and lanes are told apart`(text: String) {
        #expect(throws: PasswordHashProblem.otherAlgorithm) { try PasswordHash(phc: text) }
    }

    @Test func `damage never crashes, and what is accepted is kept as it is`() async throws {
        try await forAll(seeds: 500) { generator in
            let text = String(decoding: generator.damaged(Array(Self.good.utf8)), as: UTF8.self)
            guard let hash = try? PasswordHash(phc: text) else { return }  // a refusal is a fine answer to damage
            #expect(hash.phc == text)
            #expect(text.contains("m=\(hash.cost.memoryKiB),t=\(hash.cost.passes),"))
        }
    }
}
