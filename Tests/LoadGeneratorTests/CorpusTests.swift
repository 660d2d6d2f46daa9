import LoadGenerator
import OakumTestKit
import StrictYAML
import Testing

struct CorpusTests {
    /// The bytes of a request as it would be sent, with keys from a pool.
    private func written(_ template: TextTemplate) -> String {
        var inputs = TemplateInputs(index: 0, random: SeededRandom(seed: 1), key: RequestKey(number: 0, salt: 5))
        var bytes: [UInt8] = []
        #expect(template.append(to: &bytes, &inputs))
        return String(decoding: bytes, as: UTF8.self)
    }

    private func body(_ request: RequestTemplate) -> String? {
        guard case .text(let text) = request.body else { return nil }
        return written(text)
    }

    private static let document = """
        {"openapi": "3.1.0", "servers": [{"url": "https://example.org/api/"}],
         "paths": {
          "/users/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
            "get": {"responses": {"200": {}, "404": {}, "500": {}}},
            "delete": {"responses": {"2XX": {}}}},
          "/users": {"post": {
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
            "responses": {"201": {}, "409": {}}}},
          "/search": {"get": {"parameters": [
              {"name": "q", "in": "query", "required": true, "schema": {"type": "string"}, "example": "a b&c"},
              {"name": "page", "in": "query", "schema": {"type": "integer"}},
              {"name": "x-kind", "in": "header", "required": true, "schema": {"enum": ["one", "two"]}}],
            "responses": {"default": {}}}},
          "/odd/{x}": {"get": {"responses": {}}},
          "/form": {"post": {"requestBody": {"required": true, "content": {"text/csv": {}}}, "responses": {}}}},
         "components": {"schemas": {
          "New": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {
             "age": {"type": ["integer", "null"], "minimum": 18}, "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}},
             "parent": {"$ref": "#/components/schemas/New"}}}]},
          "Base": {"type": "object", "required": ["email"], "properties": {
             "email": {"type": "string", "format": "email", "example": "ada@example.org"},
             "id": {"type": "string", "readOnly": true}, "name": {"type": "string", "example": "say \\"${hi}\\""},
             "zip": {"type": "string", "example": "01234"}, "ok": {"type": "boolean"}}}}}}
        """

    @Test func `an OpenAPI document gives a request for each operation`() throws {
        let corpus = try OpenAPICorpus.read(Self.document)
        #expect(
            corpus.endpoints.map(\.name) == [
                "GET /users/{id}", "DELETE /users/{id}", "POST /users", "GET /search",
            ])
        #expect(corpus.endpoints.map(\.isSafe) == [true, false, false, true])
        let show = corpus.endpoints[0].requests[0]
        #expect(written(show.path).hasPrefix("/api/users/"))
        #expect(Int(written(show.path).split(separator: "/")[2]) != nil)
        #expect(show.usesKeys)
        #expect(show.expectedStatuses == [200, 404])
        #expect(corpus.endpoints[1].requests[0].expectedStatuses == Set(200..<300))
        let search = corpus.endpoints[3].requests[0]
        #expect(written(search.path) == "/api/search?q=a%20b%26c")
        #expect(search.headers.map { $0.name + "=" + written($0.value) } == ["x-kind=one"])
        #expect(corpus.notes.count == 2)
        #expect(corpus.safe.endpoints.count == 2)
    }

    @Test func `bodies hold what their schema takes, with keys where things are told apart`() throws {
        let create = try #require(try OpenAPICorpus.read(Self.document).endpoints.first { $0.name == "POST /users" })
        let text = try #require(body(create.requests[0]))
        #expect(text.hasPrefix("{\"email\": \""))
        #expect(!text.contains("ada@"))
        #expect(text.contains("@example.org\""))
        #expect(text.contains(#""name": "say \"${hi}\"""#))
        #expect(text.contains(#""zip": "01234""#))
        #expect(text.contains(#""ok": true"#))
        #expect(text.contains(#""age": 18"#))
        #expect(text.contains(#""tags": ["aaaa"]"#))
        #expect(!text.contains("\"id\""))
        #expect(text.utf8.count < 10_000)
    }

    @Test func `an operation's parameter stands for its path's, headers are plain, and a path is one word`() throws {
        let corpus = try OpenAPICorpus.read(
            """
            {"openapi": "3.0.0", "paths": {
              "/a": {"parameters": [
                  {"name": "q", "in": "query", "required": true, "example": 1},
                  {"name": "x-kind", "in": "header", "required": true, "example": "text/plain; v=1"}],
                "get": {"parameters": [{"name": "q", "in": "query", "required": true, "example": 2}]}},
              "/b/{c}": {"get": {"parameters": [{"name": "c", "in": "path", "schema": {"enum": ["d e"]}}]}},
              "/f g": {"get": {"responses": {}}}}}
            """)
        #expect(corpus.endpoints.map { written($0.requests[0].path) } == ["/a?q=2", "/b/d%20e"])
        #expect(corpus.endpoints[0].requests[0].headers.map { written($0.value) } == ["text/plain; v=1"])
        #expect(corpus.notes.count == 1)
    }

    @Test func `what is no OpenAPI 3 document is refused`() {
        for text in ["", "{}", "swagger: \"2.0\"", "[1, 2", "openapi: 2.1"] {
            #expect(throws: YAMLProblem.self) { try OpenAPICorpus.read(text) }
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `whatever stands in a document, it is read or refused`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes = Array(Self.document.utf8)
        for _ in 0..<Int.random(in: 1...10, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes.removeSubrange(place..<min(place + Int.random(in: 1...30, using: &random), bytes.count))
            case 1: bytes[place] = Array("{}[]:,\"$#/0".utf8).randomElement(using: &random) ?? 0
            default:
                let end = min(place + Int.random(in: 1...60, using: &random), bytes.count)
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0..<bytes.count, using: &random))
            }
        }
        do throws(YAMLProblem) {
            for endpoint in try OpenAPICorpus.read(String(decoding: bytes, as: UTF8.self)).endpoints {
                #expect(!endpoint.requests.isEmpty)
                #expect(written(endpoint.requests[0].path).hasPrefix("/"))
            }
        } catch {
            #expect(!error.message.isEmpty)
        }
    }

    private func corpus(_ lines: [String]) -> LoadCorpus {
        var log = AccessLogCorpus(seed: 1)
        for line in lines { log.add(line: Array(line.utf8)[...]) }
        return log.corpus
    }

    @Test func `an access log gives endpoints by weight, with the targets it has`() {
        let time = "[22/Nov/2026:10:00:00 +0000]"
        var lines = (0..<30).map { "1.2.3.4 - - \(time) \"GET /users/\($0)?v=1 HTTP/1.1\" \($0 == 3 ? 404 : 200) 12" }
        lines += (0..<10).map { _ in "::1 - bob \(time) \"HEAD / HTTP/1.0\" 200 - \"http://r/\" \"agent [x] \\\"y\\\"\""
        }
        lines += ["1.2.3.4 - - \(time) \"POST /users HTTP/1.1\" 201 12", "rubbish", ""]
        lines += ["1.2.3.4 - - \(time) \"GET /down HTTP/1.1\" 502 12"]
        let corpus = corpus(lines)
        #expect(corpus.endpoints.map(\.name) == ["GET /users/{id}", "HEAD /"])
        #expect(corpus.endpoints.map(\.weight) == [30, 10])
        #expect(corpus.endpoints.map(\.requests.count) == [30, 1])
        #expect(corpus.endpoints[0].requests[0].expectedStatuses == [200, 404])
        #expect(written(corpus.endpoints[0].requests[7].path) == "/users/7?v=1")
        #expect(corpus.notes.count == 3, "\(corpus.notes)")
        #expect(corpus.flows.map(\.request.name) == ["GET /users/{id}", "HEAD /"])
        #expect(corpus.flows[0].variables.map(\.values.count) == [30])
        #expect(corpus.flows[0].request.path.capturedNames == ["target"])
        #expect(abs(corpus.flows.reduce(0) { $0 + $1.weight } - 40) < 1e-9)
    }

    @Test func `a long log stays bounded and samples fairly`() {
        let lines = (0..<5_000).map { "h - - [t] \"GET /i/\($0) HTTP/1.1\" 200 1" }
        let requests = corpus(lines).endpoints[0].requests
        #expect(requests.count == AccessLogCorpus.targetLimit)
        let numbers = requests.compactMap { Int(written($0.path).dropFirst(3)) }
        // The mean of 50 even numbers out of 5,000 is 2,500 with a deviation of 204.
        #expect((1_400...3_600).contains(numbers.reduce(0, +) / numbers.count))
        let many = corpus((0..<1_500).map { "h - - [t] \"GET /p\($0)x HTTP/1.1\" 200 1" })
        #expect(many.endpoints.count == AccessLogCorpus.endpointLimit)
        #expect(many.notes.contains { $0.contains("500 requests") })
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `whatever stands in a log, what comes out can be sent`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var line = Array("1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] \"GET /users/1 HTTP/1.1\" 200 12 \"-\" \"x\"".utf8)
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            line[Int.random(in: 0..<line.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        var log = AccessLogCorpus(seed: 1)
        log.add(line: line[...])
        for request in log.corpus.endpoints.flatMap(\.requests) {
            let path = written(request.path)
            #expect(path.hasPrefix("/"))
            #expect(path.utf8.allSatisfy { $0 > 32 && $0 < 127 })
        }
    }
}
