import Foundation
import OakumTestKit
import RegistrationHTTP
import Testing

@Suite struct RequestObjectTests {
    func parse(_ text: String) throws -> RequestObject { try RequestObject(parsing: Array(text.utf8)) }

    @Test func `members keep their order and texts are decoded`() throws {
        let object = try parse(#" { "email" : "a\u0040b\/c\n\"\\", "n": -1.5e+3, "x":[1,{"y":null}], "" : true } "#)
        #expect(object.members.map(\.name) == ["email", "n", "x", ""])
        #expect(object["email"] == .text("a@b/c\n\"\\"))
        #expect(object["n"] == .other)
        #expect(object["missing"] == nil)
        #expect(try parse("{}").members.isEmpty)
        #expect(try parse(#"{"p":"\ud83e\uddf5 ü"}"#)["p"] == .text("🧵 ü"))
    }

    @Test(arguments: [
        "", "[]", "null", "\"a\"", "{", "{}x", "{}{}", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\":}", "{a:1}", "{'a':1}",
        "\u{FEFF}{}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":tru}",
        "{\"a\":NaN}",
        "{\"a\":\"\t\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\udc00\"}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"a\":\"", "{\"a\":1}}", "{\"a\":1]",
    ])
    func `what is not one strict object is refused`(text: String) {
        #expect(throws: RequestObjectProblem.malformed) { try parse(text) }
    }

    @Test func `bytes that are no UTF-8 are refused`() {
        #expect(throws: RequestObjectProblem.malformed) {
            try RequestObject(parsing: Array("{\"a\":\"".utf8) + [0xC0, 0x80] + Array("\"}".utf8))
        }
    }

    @Test func `depth is bounded, so that a deep body costs nothing`() throws {
        func nested(_ depth: Int) -> String {
            "{\"a\":\(String(repeating: "[", count: depth))\(String(repeating: "]", count: depth))}"
        }
        _ = try parse(nested(RequestObject.maximumDepth - 1))
        #expect(throws: RequestObjectProblem.malformed) { try parse(nested(RequestObject.maximumDepth)) }
        #expect(throws: RequestObjectProblem.malformed) { try parse(nested(10_000)) }
    }

    @Test func `damaged bodies never crash, and what is accepted another parser accepts alike`() async throws {
        let whole = Array(
            #"{"email":"ada@example.org","password":"caf\u00e9 \ud83e\uddf5 \"x\"","n":[1.5e3,{"b":false}]}"#.utf8)
        try await forAll(seeds: 1000) { generator in
            let bytes = generator.damaged(whole)
            // A refusal is a fine answer to damage.
            guard let object = try? RequestObject(parsing: bytes) else { return }
            let other = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            let names = try #require(other).keys
            #expect(names.count == Set(object.members.map(\.name)).count)
            for member in object.members {
                guard case .text(let text) = member.value else { continue }
                #expect(other?[member.name] as? String == text)
            }
        }
    }

    @Test func `what is written is read back, whatever the text`() async throws {
        try await forAll(seeds: 200) { generator in
            let text = String(decoding: generator.bytes(generator.int(0...40)), as: UTF8.self)
            let bytes = JSONText.object([
                .init("t", .text(text)), .init("n", .number(-7)), .init("l", .list(["a", 1])),
            ]).bytes
            let object = try RequestObject(parsing: bytes)
            #expect(object["t"] == .text(text))
        }
    }
}
