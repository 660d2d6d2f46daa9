import LoadGenerator
import StressRunner
import Testing

/// Requests in one line.
@Suite struct QuickRequestTests {
    @Test func `method, path and body are told apart`() throws {
        let plain = try QuickRequest(parsing: "GET /a?b=c").request
        #expect(plain.method == "GET")
        #expect(plain.name == "GET /a?b=c")
        #expect(!plain.usesKeys)
        let post = try QuickRequest(
            parsing: #"POST /v1/signup {"email": "${key}@example.org"}"#, headers: ["X-A: 1"]
        ).request
        #expect(post.usesKeys)
        #expect(post.headers.map(\.name) == ["X-A", "content-type"])
    }

    @Test(arguments: ["GET /${key}", "GET /{{key}}", "GET /{{key:int}}?a={{fresh}}", #"POST / {"a":{"b":"{{key}}"}}"#])
    func `a key may be written in either way`(line: String) throws {
        #expect(try QuickRequest(parsing: line).request.usesKeys)
    }

    @Test(arguments: [
        "", "GET", "/path", "get /path", "FETCH /x", "GET path", "GET /${", "GET /${no such}", "GET /a\nb",
    ])
    func `what is no request is refused, with what to write`(line: String) {
        let error = #expect(throws: QuickRequest.Failure.self) { try QuickRequest(parsing: line) }
        #expect(error?.message.isEmpty == false)
    }

    @Test func `a header needs a name`() {
        #expect(throws: QuickRequest.Failure.self) { try QuickRequest(parsing: "GET /", headers: [": x"]) }
        #expect(throws: QuickRequest.Failure.self) { try QuickRequest(parsing: "GET /", headers: ["no colon"]) }
        #expect(throws: QuickRequest.Failure.self) { try QuickRequest(parsing: "GET /", headers: ["a b: c"]) }
        #expect(throws: QuickRequest.Failure.self) { try QuickRequest(parsing: "GET /", headers: ["a: b\r\nc: d"]) }
    }
}
