import OakumTestKit
import RegistrationCore
import Testing

@Suite struct EmailAddressTests {
    @Test(arguments: [
        ("ada@example.org", "ada@example.org"),
        ("Ada.Lovelace+news@Example.ORG", "ada.lovelace+news@example.org"),
        ("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"),
        ("a@b.co", "a@b.co"),
        ("1@2.c3", "1@2.c3"),
        ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
    ])
    func `ordinary addresses are accepted and keyed in lower case`(text: String, key: String) throws {
        let address = try EmailAddress(text)
        #expect(address.display == text)
        #expect(address.key == key)
    }

    @Test(arguments: [
        ("", EmailProblem.empty),
        ("ada", .noAt),
        ("@example.org", .localPart),
        (".ada@example.org", .localPart),
        ("ada.@example.org", .localPart),
        ("a..b@example.org", .localPart),
        ("a b@example.org", .localPart),
        ("\"a b\"@example.org", .localPart),
        ("(c)a@example.org", .localPart),
        ("ädä@example.org", .localPart),
        ("a@b@example.org", .domain),
        ("a@@b.org", .domain),
        ("a@b@bücher.example", .domain),
        ("ada@", .domain),
        ("ada@localhost", .domain),
        ("ada@example.org.", .domain),
        ("ada@.example.org", .domain),
        ("ada@-example.org", .domain),
        ("ada@example-.org", .domain),
        ("ada@exa_mple.org", .domain),
        ("ada@127.0.0.1", .domain),
        ("ada@[127.0.0.1]", .domain),
        ("ada@example.org\r\nBcc: eve@example.org", .domain),
        ("ada\r\n@example.org", .localPart),
        ("ada\u{0}@example.org", .localPart),
        ("ada@example.org\u{0}", .domain),
        ("ada@b%0d%0a.org", .domain),
        ("ada＠example.org", .noAt),
        ("ada@bücher.example", .domainNotASCII),
        ("ada@exаmple.org", .domainNotASCII),
        ("ada@example.org\u{2028}", .domainNotASCII),
    ])
    func `what is no dot-string at a domain is refused with its reason`(text: String, problem: EmailProblem) {
        #expect(throws: problem) { try EmailAddress(text) }
    }

    @Test func `lengths are bounded at 64, 63 and 254 octets`() throws {
        let local64 = String(repeating: "a", count: 64)
        let label63 = String(repeating: "b", count: 63)
        _ = try EmailAddress("\(local64)@example.org")
        #expect(throws: EmailProblem.localPart) { try EmailAddress("a\(local64)@example.org") }
        _ = try EmailAddress("a@\(label63).org")
        #expect(throws: EmailProblem.domain) { try EmailAddress("a@b\(label63).org") }
        let long = "\(local64)@\(label63).\(label63)."
        _ = try EmailAddress(long + String(repeating: "c", count: 254 - long.utf8.count))
        #expect(throws: EmailProblem.tooLong) {
            try EmailAddress(long + String(repeating: "c", count: 255 - long.utf8.count))
        }
    }

    @Test func `whatever is accepted is safe to write into a mail header, and its key is stable`() async throws {
        try await forAll(seeds: 300) { generator in
            let seed = Array("Ada.B+c@Exam-ple.org".utf8)
            let text = String(decoding: generator.damaged(seed), as: UTF8.self)
            guard let address = try? EmailAddress(text) else { return }  // a refusal is a fine answer to damage
            #expect(address.display == text)
            #expect(text.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            #expect(text.utf8.filter { $0 == UInt8(ascii: "@") }.count == 1)
            for spelling in [address.key, text.uppercased()] {
                let same = try EmailAddress(spelling)
                #expect(same.key == address.key)
            }
        }
    }
}
