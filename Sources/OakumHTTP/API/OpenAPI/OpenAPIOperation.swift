import HTTPTypes
import OakumAPI

/// One operation of the API's document, written by hand in `OpenAPIOperations`.
struct OpenAPIOperation {
    /// What it answers.
    struct Answer {
        var status: Int
        var words: String
        var type = "application/json"
        /// The schema; nil: no body, or none that JSON schema could tell about.
        var schema: JSONNode?
        var headers: [String] = []
    }

    var method: HTTPRequest.Method
    var path: String
    var id: String
    var words: String
    var parameters: [JSONNode] = []
    /// The schema of a JSON body.
    var body: JSONNode?
    var bodyRequired = true
    var answers: [Answer]
    /// Statuses of failures, beside those that its need brings along.
    var failures: [Int] = []

    static func schema(_ name: String) -> JSONNode { ["$ref": .string("#/components/schemas/\(name)")] }

    static func list(_ name: String) -> JSONNode { ["type": "array", "items": schema(name)] }

    static func ok(_ words: String, _ schema: JSONNode) -> [Answer] {
        [Answer(status: 200, words: words, schema: schema)]
    }

    static func query(_ name: String, _ schema: JSONNode, required: Bool = false, _ words: String) -> JSONNode {
        parameter(name, "query", schema, required: required, words)
    }

    static func parameter(
        _ name: String, _ place: String, _ schema: JSONNode, required: Bool, _ words: String
    ) -> JSONNode {
        [
            "name": .string(name), "in": .string(place), "required": .bool(required), "schema": schema,
            "description": .string(words),
        ]
    }

    /// The operation object of the document.
    func node(need: RouteNeed) -> JSONNode {
        var members: [String: JSONNode] = [
            "operationId": .string(id), "summary": .string(words), "security": Self.security(need),
            "tags": .array([.string(tag)]),
        ]
        if !parameters.isEmpty { members["parameters"] = .array(parameters) }
        if let body {
            members["requestBody"] = [
                "required": .bool(bodyRequired), "content": ["application/json": ["schema": body]],
            ]
        }
        var responses = Dictionary(uniqueKeysWithValues: answers.map { ("\($0.status)", Self.response($0)) })
        for status in Set(failures + Self.failures(need)) where responses["\(status)"] == nil {
            responses["\(status)"] = ["$ref": .string("#/components/responses/\(Self.names[status] ?? "Problem")")]
        }
        members["responses"] = .object(responses)
        return .object(members)
    }

    private var tag: String {
        if path.hasPrefix("/intake") || path.hasPrefix("/heartbeat") || path.hasPrefix("/api/v2") { return "intake" }
        return path.hasPrefix("/api/v1") ? "api" : "other"
    }

    private static let names = [429: "Later", 503: "Later"]

    private static func security(_ need: RouteNeed) -> JSONNode {
        switch need {
        case .open, .secretPath: []
        // Reading asks nobody on loopback as long as nobody was given a token.
        case .role(.reader): [["token": []], ["session": []], [:]]
        case .role: [["token": []], ["session": []]]
        case .intake: [["token": []], ["basic": []], ["query": []]]
        }
    }

    private static func failures(_ need: RouteNeed) -> [Int] {
        switch need {
        case .open: [400]
        case .secretPath: [400, 404, 503]
        case .role: [400, 401, 403, 404, 409, 429, 500, 503]
        case .intake: [400, 401, 404, 413, 429, 503]
        }
    }

    private static func response(_ answer: Answer) -> JSONNode {
        var members: [String: JSONNode] = ["description": .string(answer.words)]
        if let schema = answer.schema { members["content"] = .object([answer.type: ["schema": schema]]) }
        if !answer.headers.isEmpty {
            let headers = answer.headers.map { ($0, ["schema": ["type": "string"]] as JSONNode) }
            members["headers"] = .object(Dictionary(uniqueKeysWithValues: headers))
        }
        return .object(members)
    }
}
