import HTTPTypes
import OakumAPI

/// The API in OpenAPI 3.1, put together once from the operations, the schemas, and what each route asks of its caller.
package enum OpenAPIDocument {
    package static let bytes = Array(node.text.utf8)

    static let node: JSONNode = [
        "openapi": "3.1.0",
        "info": [
            "title": "Oakum", "version": "1",
            "description":
                "Watches services for memory leaks, recycles in time, and tells people. Failures are problem details (RFC 9457).",
            "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
        ],
        "paths": .object(paths),
        "components": [
            "securitySchemes": [
                "token": ["type": "http", "scheme": "bearer", "description": "`oakum token create`."],
                "basic": ["type": "http", "scheme": "basic", "description": "The intake token as the password."],
                "query": ["type": "apiKey", "in": "query", "name": "token", "description": "The intake token."],
                "session": [
                    "type": "apiKey", "in": "cookie", "name": "oakum_session", "description": "Signed in at /login.",
                ],
            ],
            "responses": [
                "Problem": problem("What is wrong.", headers: [:]),
                "Later": problem(
                    "Too much at once, or not now.", headers: ["Retry-After": ["schema": ["type": "string"]]]),
            ],
            "schemas": OpenAPISchemas.node,
        ],
    ]

    private static func problem(_ words: String, headers: JSONNode) -> JSONNode {
        [
            "description": .string(words), "headers": headers,
            "content": ["application/problem+json": ["schema": OpenAPIOperation.schema("Problem")]],
        ]
    }

    private static var paths: [String: JSONNode] {
        var paths: [String: [String: JSONNode]] = [:]
        let rules = RoutePolicy.console + RoutePolicy.control
        for operation in OpenAPIOperations.all {
            // A test sees to it that each has its rule.
            let rule = rules.first { $0.method == operation.method && $0.path == operation.path }
            paths[operation.path, default: [:]][operation.method.rawValue.lowercased()] =
                operation.node(need: rule?.need ?? .role(.admin))
        }
        return paths.mapValues { .object($0) }
    }

    /// "get /api/v1/overview": what is described.
    package static var operations: Set<String> {
        Set(OpenAPIOperations.all.map { "\($0.method.rawValue.lowercased()) \($0.path)" })
    }
}
