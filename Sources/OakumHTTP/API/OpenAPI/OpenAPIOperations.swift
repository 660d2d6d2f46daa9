import HTTPTypes

/// Everything that is documented: the JSON API, intake, metrics and health. Pages for people are not.
enum OpenAPIOperations {
    typealias One = OpenAPIOperation

    static let all = watching + incidents + acts + tokens + intake + others

    private static let worker = [
        One.query("service", OpenAPIText.name, required: true, "The service."),
        One.query(
            "worker", ["type": "integer", "minimum": 0, "maximum": 4_294_967_295], required: true,
            "The worker's number."),
    ]

    private static let number = One.parameter(
        "id", "path", ["type": "integer", "minimum": 1, "maximum": 999_999_999_999_999_999], required: true,
        "Its number.")

    private static let watching: [One] = [
        One(
            method: .get, path: "/api/v1/overview", id: "overview",
            words: "Services, workers, verdicts and budgets as of now.",
            answers: One.ok("The state of everything watched.", One.schema("Overview"))),
        One(
            method: .get, path: "/api/v1/history", id: "history", words: "Memory over time, for charts.",
            parameters: [
                One.query("service", OpenAPIText.name, required: true, "The service."),
                One.query("seconds", ["type": "number", "exclusiveMinimum": 0], "How far back."),
                One.query("points", ["type": "integer", "minimum": 2, "maximum": 10_000], "The most points a worker."),
            ], answers: One.ok("Memory of each worker.", One.schema("History"))),
        One(
            method: .get, path: "/api/v1/events", id: "events", words: "Events in rising order of their number.",
            parameters: [
                One.query("after", OpenAPIText.natural, "Only those with a higher number."),
                One.query("limit", ["type": "integer", "minimum": 1, "maximum": 1_000], "At most so many."),
            ], answers: One.ok("Events.", One.list("EventRecord"))),
        One(
            method: .get, path: "/api/v1/releases", id: "releases",
            words: "The releases of a service, the newest last, and the deploy under way.",
            parameters: [One.query("service", OpenAPIText.name, required: true, "The service.")],
            answers: One.ok("Releases.", ["type": "object"])),
        One(
            method: .get, path: "/api/v1/heap", id: "heap",
            words: "What lives in the heap of a worker; takes some seconds.",
            parameters: worker, answers: One.ok("What was seen.", ["type": "object"])),
        One(
            method: .get, path: "/api/v1/heap.pprof", id: "heapAsPprof", words: "The same as profile.proto, gzipped.",
            parameters: worker,
            answers: [.init(status: 200, words: "The file.", type: "application/octet-stream", schema: [:])]),
        One(
            method: .get, path: "/api/v1/heap.folded", id: "heapAsFolded", words: "The same as folded stacks.",
            parameters: worker,
            answers: [.init(status: 200, words: "The file.", type: "text/plain", schema: ["type": "string"])]),
        One(
            method: .get, path: "/api/v1/stream", id: "stream",
            words: "Server-sent events: `overview` each second, `event` as it comes. It does not end by itself.",
            parameters: [One.query("after", OpenAPIText.natural, "Begin after this event.")],
            answers: [.init(status: 200, words: "A stream.", type: "text/event-stream", schema: ["type": "string"])]),
    ]

    private static let incidents: [One] = [
        One(
            method: .get, path: "/api/v1/incidents", id: "incidents", words: "Incidents, the newest first.",
            parameters: [
                One.query(
                    "state", ["type": "string", "pattern": "^((open|acknowledged|mitigated|resolved)(,|$))*$"],
                    "Some of open, acknowledged, mitigated, resolved, joined by commas."),
                One.query("service", ["type": "string"], "Of one service."),
                One.query("before", OpenAPIText.natural, "Only those with a smaller number, for paging."),
                One.query(
                    "limit", ["type": "integer", "minimum": 1, "maximum": 200], "At most so many; 50 otherwise."),
            ], answers: One.ok("Incidents.", One.list("Incident"))),
        One(
            method: .get, path: "/api/v1/incidents/{id}", id: "incident",
            words: "One incident with its timeline and deliveries.", parameters: [number],
            answers: One.ok("The incident.", One.schema("IncidentReport"))),
        One(
            method: .get, path: "/api/v1/on-call", id: "onCall",
            words: "Who would be paged now, through what, and what became of recent pages.",
            answers: One.ok("Policies, schedules, silences, problems, deliveries.", One.schema("OnCallReport"))),
    ]

    private static let done = One.ok("What became of it.", One.schema("IncidentOutcome"))

    private static func act(
        _ path: String, _ id: String, _ words: String, _ properties: [String: JSONNode] = [:],
        required: [JSONNode] = [],
        parameters: [JSONNode] = [number]
    ) -> One {
        One(
            method: .post, path: path, id: id, words: words, parameters: parameters,
            body: OpenAPIText.closed(properties, required: required), bodyRequired: !required.isEmpty, answers: done,
            failures: [413, 415])
    }

    private static let acts: [One] = [
        One(
            method: .post, path: "/api/v1/incidents", id: "openIncident", words: "Opens an incident by hand.",
            body: OpenAPIText.closed(
                [
                    "title": OpenAPIText.text(200), "service": OpenAPIText.text(64, orNull: true),
                    "severity": OpenAPIText.severity, "details": OpenAPIText.text(4_000, orNull: true),
                ], required: ["title"]),
            answers: [
                .init(status: 201, words: "It is open.", schema: One.schema("IncidentOutcome"), headers: ["Location"]),
                .init(status: 200, words: "It was open already.", schema: One.schema("IncidentOutcome")),
            ], failures: [413, 415]),
        act("/api/v1/incidents/{id}/acknowledge", "acknowledgeIncident", "Takes it on: escalation rests."),
        act(
            "/api/v1/incidents/{id}/note", "noteIncident", "Adds a note to its timeline.",
            ["text": OpenAPIText.text(4_000)], required: ["text"]),
        act(
            "/api/v1/incidents/{id}/resolve", "resolveIncident", "Ends it.",
            ["note": OpenAPIText.text(4_000, orNull: true)]),
        act(
            "/api/v1/incidents/{id}/silence", "silenceIncident", "Pages nobody for what it is about, for a while.",
            [
                "seconds": ["type": "number", "minimum": 60, "maximum": 2_592_000], "reason": OpenAPIText.text(500),
            ], required: ["seconds", "reason"]),
        One(
            method: .delete, path: "/api/v1/silences/{id}", id: "endSilence", words: "Ends a silence.",
            parameters: [number], answers: done),
        act(
            "/api/v1/on-call/check", "checkOnCall", "Delivers a test page to whoever is on call, or to one person.",
            ["person": OpenAPIText.text(64, orNull: true)], parameters: []),
        act(
            "/api/v1/deploys", "markDeploy", "Marks a deploy.",
            ["service": OpenAPIText.text(64), "text": OpenAPIText.text(200)], required: ["service", "text"],
            parameters: []),
    ]

    private static let tokens: [One] = [
        One(
            method: .get, path: "/api/v1/tokens", id: "tokens", words: "Tokens, without their text.",
            answers: One.ok("Tokens.", One.list("TokenSummary"))),
        One(
            method: .post, path: "/api/v1/tokens", id: "createToken",
            words: "Makes a token; its text is told this once.",
            body: OpenAPIText.closed(
                [
                    "name": OpenAPIText.plain(64), "role": OpenAPIText.role,
                    "service": OpenAPIText.plain(64, orNull: true),
                    "expires_s": ["type": "number", "minimum": 60, "maximum": 31_622_400],
                ], required: ["name", "role"]),
            answers: [.init(status: 201, words: "The token.", schema: One.schema("TokenGrant"))], failures: [413, 415]),
        One(
            method: .delete, path: "/api/v1/tokens/{id}", id: "revokeToken",
            words: "Takes a token back; its sessions end at once.",
            parameters: [One.parameter("id", "path", ["type": "string"], required: true, "Its id.")],
            answers: One.ok("It is gone.", One.schema("TokenSummary"))),
    ]

    private static let received = One.ok("Everything is durable.", One.schema("IntakeAnswer"))

    private static let intake: [One] = [
        One(
            method: .post, path: "/intake/alertmanager", id: "alertmanagerWebhook",
            words: "Alertmanager's webhook, version 4; at most 2 MiB and 5,000 alerts.",
            body: One.schema("AlertmanagerWebhook"),
            answers: received),
        One(
            method: .post, path: "/api/v2/alerts", id: "alertmanagerAlerts",
            words: "Alertmanager's API v2, so that Prometheus may point here directly.",
            body: ["type": "array", "maxItems": 5_000, "items": One.schema("AlertmanagerAlert")], answers: received),
        One(
            method: .post, path: "/intake/pagerduty/v2/enqueue", id: "pagerDutyEvent",
            words: "PagerDuty's Events API v2; the intake token is the routing key.",
            body: One.schema("PagerDutyEvent"),
            answers: pagerDuty),
        One(
            method: .post, path: "/intake/pagerduty/v2/change/enqueue", id: "pagerDutyChange",
            words: "PagerDuty's change events: deploys.", body: One.schema("PagerDutyChange"), answers: pagerDuty),
        One(
            method: .post, path: "/intake/generic", id: "genericAlert",
            words: "An alert of any script, in GoAlert's fields; also as a form or in the query.",
            body: One.schema("GenericAlert"),
            answers: [
                .init(status: 200, words: "For `Accept: application/json`.", schema: One.schema("GenericAnswer")),
                .init(status: 204, words: "It is durable."),
            ]),
        heartbeat(.get, "heartbeat"), heartbeat(.post, "postHeartbeat"),
    ]

    private static let pagerDuty: [One.Answer] = [
        .init(status: 202, words: "It is durable.", schema: One.schema("PagerDutyAnswer")),
        .init(status: 400, words: "What is wrong.", schema: One.schema("PagerDutyAnswer")),
        .init(status: 401, words: "The routing key is not known.", schema: One.schema("PagerDutyAnswer")),
    ]

    private static func heartbeat(_ method: HTTPRequest.Method, _ id: String) -> One {
        One(
            method: method, path: "/heartbeat/{id}", id: id, words: "A sign of life of a job.",
            parameters: [One.parameter("id", "path", ["type": "string"], required: true, "Its secret.")],
            answers: [.init(status: 204, words: "Seen.")])
    }

    private static let others: [One] = [
        One(
            method: .get, path: "/metrics", id: "metrics", words: "For Prometheus, text format 0.0.4.",
            answers: [.init(status: 200, words: "Metrics.", type: "text/plain", schema: ["type": "string"])]),
        One(
            method: .get, path: "/healthz", id: "health", words: "Oakum answers.",
            answers: [.init(status: 200, words: "It does.", type: "text/plain", schema: ["type": "string"])],
            failures: [500, 503]),
        One(
            method: .get, path: "/openapi.json", id: "description", words: "This document.",
            answers: One.ok("OpenAPI 3.1.", ["type": "object"])),
        One(
            method: .post, path: "/api/v1/commands", id: "command",
            words:
                "Recycles, pauses, deploys, rolls back, stops. On the control socket alone; the console answers 403.",
            body: One.schema("Command"), answers: One.ok("It is accepted.", One.schema("CommandOutcome")),
            failures: [413]),
    ]
}
