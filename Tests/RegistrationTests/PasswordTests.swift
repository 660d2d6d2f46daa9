import OakumTestKit
import RegistrationCore
import RegistrationHTTP
import Testing

@Suite struct PasswordTests {
    let policy = PasswordPolicy()

    func new(_ text: String) throws(PasswordProblem) -> Password {
        try policy.newPassword(text, normalise: normalisedToNFC)
    }

    @Test func `fifteen code points are enough and fourteen are not, whatever they are`() throws {
        for unit in ["a", " ", "ü", "語", "🧵"] {
            _ = try new(String(repeating: unit, count: 15))
            #expect(throws: PasswordProblem.tooShort) { try new(String(repeating: unit, count: 14)) }
        }
    }

    @Test func `code points are counted, not characters`() throws {
        // One family of seven code points (four people, three joiners) twice, and one letter.
        _ = try new("👨‍👩‍👧‍👦👨‍👩‍👧‍👦x")
        #expect(throws: PasswordProblem.tooShort) { try new("👨‍👩‍👧‍👦👨‍👩‍👧‍👦") }
    }

    @Test func `a password beyond 256 code points or 1,024 bytes is refused, not cut`() throws {
        _ = try new(String(repeating: "a", count: 256))
        #expect(throws: PasswordProblem.tooLong) { try new(String(repeating: "a", count: 257)) }
        _ = try new(String(repeating: "🧵", count: 256))
        let roomy = PasswordPolicy(maximumCodePoints: 2000)
        _ = try roomy.newPassword(String(repeating: "ab", count: 512), normalise: normalisedToNFC)
        #expect(throws: PasswordProblem.tooLong) {
            try roomy.newPassword(String(repeating: "a", count: 1025), normalise: normalisedToNFC)
        }
        #expect(throws: PasswordProblem.tooLong) { try new(String(repeating: "a", count: 1 << 20)) }
    }

    @Test func `composed and decomposed spellings are the same password`() throws {
        let composed = "caf\u{E9} caf\u{E9} caf\u{E9} \u{E9}"
        let decomposed = "cafe\u{301} cafe\u{301} cafe\u{301} e\u{301}"
        #expect(try new(composed).bytes == new(decomposed).bytes)
        // 17 code points as typed, 14 of them remain.
        #expect(throws: PasswordProblem.tooShort) { try new("cafe\u{301} cafe\u{301} cafe\u{301}") }
    }

    @Test func `nothing is trimmed or folded`() throws {
        let plain = try new("correct horse battery")
        for other in [
            " correct horse battery", "correct horse battery ", "Correct horse battery", "correct\thorse battery",
        ] {
            #expect(try new(other).bytes != plain.bytes)
        }
        // NFKC would make these equal; NFC must not.
        #expect(try new("ﬁne ﬁne ﬁne ﬁne").bytes != new("fine fine fine fine").bytes)
    }

    @Test func `NUL is refused`() {
        #expect(throws: PasswordProblem.nul) { try new("correct horse\u{0} battery") }
    }

    @Test func `a login accepts what an older policy accepted, and the empty password goes the same way`() throws {
        #expect(try policy.enteredPassword("short", normalise: normalisedToNFC).bytes == Array("short".utf8))
        #expect(try policy.enteredPassword("", normalise: normalisedToNFC).bytes.isEmpty)
        #expect(throws: PasswordProblem.tooLong) {
            try policy.enteredPassword(String(repeating: "a", count: 257), normalise: normalisedToNFC)
        }
    }

    @Test func `a password never shows in a description, a dump or an interpolation`() throws {
        let password = try new("correct horse battery")
        var dumped = ""
        dump(password, to: &dumped)
        for text in ["\(password)", String(reflecting: password), dumped, "\([password])"] {
            #expect(!text.contains("correct"))
            #expect(!text.contains("99, 111"))
        }
    }

    @Test func `normalising is idempotent and what is accepted keeps the bounds`() async throws {
        try await forAll(seeds: 200) { generator in
            let scalars: [Unicode.Scalar] = (0..<generator.int(0...300)).compactMap { _ in
                Unicode.Scalar(UInt32(generator.int(0...0x10FFFF)))
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            guard let password = try? new(text) else { return }  // refused for its length or a NUL, which is fine
            #expect((15...1024).contains(password.bytes.count))
            let again = try new(String(decoding: password.bytes, as: UTF8.self))
            #expect(again.bytes == password.bytes)
        }
    }
}
