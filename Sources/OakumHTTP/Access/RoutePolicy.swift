import HTTPTypes
import OakumAPI

/// What a route asks of its caller.
enum RouteNeed: Hashable, Sendable {
    /// Nothing.
    case open
    /// An intake token, which the route looks for itself: it may stand in a header, the query, or the body.
    case intake
    /// A secret in the path, which the route checks itself.
    case secretPath
    case role(AccessRole)
}

/// One row of the table.
struct RouteRule: Hashable, Sendable {
    var method: HTTPRequest.Method
    /// "/api/v1/incidents/{id}".
    var path: String
    var need: RouteNeed
    /// The name of its act in the audit log; nil: reading, or intake, which is recorded as incidents.
    var act: String?
    /// It answers people in a browser: who is not signed in is sent to the sign-in page.
    var isPage: Bool

    fileprivate let parts: [Substring]

    init(
        _ method: HTTPRequest.Method, _ path: String, _ need: RouteNeed, act: String? = nil, isPage: Bool = false
    ) {
        self.method = method
        self.path = path
        self.need = need
        self.act = act
        self.isPage = isPage
        parts = path.split(separator: "/")
    }

    /// The parameters of a path that fits; nil when it does not.
    fileprivate func parameters(_ path: [Substring]) -> [Substring: Substring]? {
        guard path.count == parts.count else { return nil }
        var found: [Substring: Substring] = [:]
        for (part, given) in zip(parts, path) {
            if part.hasPrefix("{") {
                found[part.dropFirst().dropLast()] = given
            } else if part != given {
                return nil
            }
        }
        return found
    }
}

/// The least role for every route. What has no row is not served: the guard refuses it before any route sees it.
enum RoutePolicy {
    enum Match {
        case rule(RouteRule, object: String?)
        /// The path exists, under these methods.
        case otherMethods([HTTPRequest.Method])
        case none
    }

    /// What console and control socket answer alike.
    static let api: [RouteRule] = [
        RouteRule(.get, "/healthz", .open),
        RouteRule(.get, "/openapi.json", .open),
        RouteRule(.get, "/metrics", .role(.reader)),
        RouteRule(.get, "/api/v1/overview", .role(.reader)),
        RouteRule(.get, "/api/v1/history", .role(.reader)),
        RouteRule(.get, "/api/v1/events", .role(.reader)),
        RouteRule(.get, "/api/v1/releases", .role(.reader)),
        RouteRule(.get, "/api/v1/heap", .role(.reader)),
        RouteRule(.get, "/api/v1/heap.pprof", .role(.reader)),
        RouteRule(.get, "/api/v1/heap.folded", .role(.reader)),
        RouteRule(.get, "/api/v1/stream", .role(.reader)),
        RouteRule(.get, "/api/v1/incidents", .role(.reader)),
        RouteRule(.get, "/api/v1/incidents/{id}", .role(.reader)),
        RouteRule(.get, "/api/v1/on-call", .role(.reader)),
        RouteRule(.post, "/api/v1/incidents", .role(.responder), act: "incident.open"),
        RouteRule(.post, "/api/v1/incidents/{id}/acknowledge", .role(.responder), act: "incident.acknowledge"),
        RouteRule(.post, "/api/v1/incidents/{id}/note", .role(.responder), act: "incident.note"),
        RouteRule(.post, "/api/v1/incidents/{id}/resolve", .role(.responder), act: "incident.resolve"),
        RouteRule(.post, "/api/v1/incidents/{id}/silence", .role(.responder), act: "incident.silence"),
        RouteRule(.delete, "/api/v1/silences/{id}", .role(.responder), act: "silence.end"),
        RouteRule(.post, "/api/v1/on-call/check", .role(.responder), act: "on_call.check"),
        RouteRule(.post, "/api/v1/deploys", .role(.responder), act: "deploy.mark"),
        RouteRule(.get, "/api/v1/tokens", .role(.admin)),
        RouteRule(.post, "/api/v1/tokens", .role(.admin), act: "token.create"),
        RouteRule(.delete, "/api/v1/tokens/{id}", .role(.admin), act: "token.revoke"),
    ]

    static let control: [RouteRule] =
        api + [
            RouteRule(.post, "/api/v1/commands", .role(.admin), act: "command")
        ]

    static let console: [RouteRule] =
        api + [
            RouteRule(.get, "/", .role(.reader), isPage: true),
            RouteRule(.get, "/heap", .role(.reader), isPage: true),
            RouteRule(.get, "/incidents", .role(.reader), isPage: true),
            RouteRule(.post, "/incidents", .role(.responder), act: "incident.open", isPage: true),
            RouteRule(.get, "/incidents/{id}", .role(.reader), isPage: true),
            RouteRule(
                .post, "/incidents/{id}/acknowledge", .role(.responder), act: "incident.acknowledge", isPage: true),
            RouteRule(.post, "/incidents/{id}/note", .role(.responder), act: "incident.note", isPage: true),
            RouteRule(.post, "/incidents/{id}/resolve", .role(.responder), act: "incident.resolve", isPage: true),
            RouteRule(.post, "/incidents/{id}/silence", .role(.responder), act: "incident.silence", isPage: true),
            RouteRule(.get, "/on-call", .role(.reader), isPage: true),
            RouteRule(.post, "/on-call/check", .role(.responder), act: "on_call.check", isPage: true),
            RouteRule(.post, "/silences/{id}/end", .role(.responder), act: "silence.end", isPage: true),
            RouteRule(.get, "/login", .open, isPage: true),
            RouteRule(.post, "/login", .open, act: "sign_in", isPage: true),
            RouteRule(.post, "/logout", .role(.reader), act: "sign_out", isPage: true),
            RouteRule(.get, "/assets/{name}", .open),
            RouteRule(.get, "/assets/dygraphs/dygraph.min.js", .open),
            RouteRule(.get, "/a/{token}", .secretPath, isPage: true),
            RouteRule(.post, "/a/{token}", .secretPath, isPage: true),
        ] + told

    /// What other systems tell, also on a listener of its own.
    private static let told: [RouteRule] = [
        RouteRule(.post, "/intake/alertmanager", .intake),
        RouteRule(.post, "/api/v2/alerts", .intake),
        RouteRule(.post, "/intake/pagerduty/v2/enqueue", .intake),
        RouteRule(.post, "/intake/pagerduty/v2/change/enqueue", .intake),
        RouteRule(.post, "/intake/generic", .intake),
        RouteRule(.get, "/heartbeat/{id}", .secretPath),
        RouteRule(.post, "/heartbeat/{id}", .secretPath),
    ]

    static let intake: [RouteRule] = [RouteRule(.get, "/healthz", .open)] + told

    /// HEAD counts as GET.
    static func match(_ method: HTTPRequest.Method, _ path: String, in table: [RouteRule]) -> Match {
        let parts = path.split(separator: "/")
        let method = method == .head ? .get : method
        var others: [HTTPRequest.Method] = []
        for rule in table {
            guard let parameters = rule.parameters(parts) else { continue }
            if rule.method == method {
                return .rule(rule, object: rule.need == .secretPath ? nil : parameters["id"].map { String($0) })
            }
            others.append(contentsOf: rule.method == .get ? [.get, .head] : [rule.method])
        }
        return others.isEmpty ? .none : .otherMethods(others)
    }
}
