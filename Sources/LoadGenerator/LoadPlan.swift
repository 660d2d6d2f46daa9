/// What to send, where, and when. Plain data; `problem` says what makes a plan impossible.
package struct LoadPlan: Sendable {
    /// The same seed gives the same arrivals, bodies and think times.
    package var seed: UInt64
    /// Requests go to the targets in turn; each request is bound to its target.
    package var targets: [LoadTarget]
    package var connections: ConnectionPolicy
    /// Sent before the clock starts, a few at a time, not measured: accounts and logins. Each must succeed.
    package var preparation: [PreparationStep]
    package var streams: [LoadStream]
    package var steps: [LoadStep]
    /// A request without a complete answer so many seconds after its scheduled time has timed out (checked every 25
    /// ms).
    package var timeoutSeconds: Double

    package init(
        seed: UInt64, targets: [LoadTarget], connections: ConnectionPolicy = ConnectionPolicy(),
        preparation: [PreparationStep] = [], streams: [LoadStream], steps: [LoadStep], timeoutSeconds: Double = 10
    ) {
        self.seed = seed
        self.targets = targets
        self.connections = connections
        self.preparation = preparation
        self.streams = streams
        self.steps = steps
        self.timeoutSeconds = timeoutSeconds
    }

    /// Length of the schedule.
    package var seconds: Double { steps.reduce(0) { $0 + $1.seconds } }
}

/// Where requests go. `host` is an IP address, or a name that is looked up once at the start.
package struct LoadTarget: Hashable, Sendable, Codable {
    package var host: String
    package var port: Int

    package init(host: String = "127.0.0.1", port: Int) {
        self.host = host
        self.port = port
    }
}

/// How users hold their connections.
package struct ConnectionPolicy: Hashable, Sendable {
    /// The most connections at once, over all targets. Opened as they are needed.
    package var limit: Int
    /// After an answer a kept connection rests so long before it may ask again, uniform within the range.
    package var thinkSeconds: ClosedRange<Double>
    /// Discard an idle connection before the window advertised in `Keep-Alive: timeout=N` ends, as pools do (a fifth of
    /// the window, at most a second, before). False: use it until the server closes it.
    package var honoursKeepAlive: Bool

    package init(limit: Int = 256, thinkSeconds: ClosedRange<Double> = 0...0, honoursKeepAlive: Bool = true) {
        self.limit = limit
        self.thinkSeconds = thinkSeconds
        self.honoursKeepAlive = honoursKeepAlive
    }
}

/// One kind of request with its arrival pattern.
package struct LoadStream: Sendable {
    package var request: RequestTemplate
    package var arrivals: ArrivalPattern
    /// True: each request on a connection of its own, with `Connection: close`.
    package var newConnectionEach: Bool

    package init(request: RequestTemplate, arrivals: ArrivalPattern = .poisson, newConnectionEach: Bool = false) {
        self.request = request
        self.arrivals = arrivals
        self.newConnectionEach = newConnectionEach
    }
}

/// How the arrivals of a stream are spaced.
package enum ArrivalPattern: String, Hashable, Sendable, Codable {
    case poisson
    case uniform
}

/// A stretch of time with a constant rate a stream.
package struct LoadStep: Hashable, Sendable {
    package var seconds: Double
    /// Requests a second, one entry a stream of the plan.
    package var perSecond: [Double]

    package init(seconds: Double, perSecond: [Double]) {
        self.seconds = seconds
        self.perSecond = perSecond
    }
}

/// Requests sent before the clock starts; `{{index}}` runs from 0 in each step.
package struct PreparationStep: Sendable {
    package var request: RequestTemplate
    package var count: Int
    /// At most so many under way at once.
    package var concurrency: Int

    package init(request: RequestTemplate, count: Int, concurrency: Int = 2) {
        self.request = request
        self.count = count
        self.concurrency = concurrency
    }
}

/// One kind of request: how it is written, what a good answer looks like, what to remember from it.
package struct RequestTemplate: Sendable {
    package enum Body: Sendable {
        case none
        case text(TextTemplate)
        /// Gets the index of the request and the seeded generator of its stream.
        case build(@Sendable (UInt64, inout SeededRandom) -> [UInt8])
    }

    package var name: String
    package var method: String
    package var path: TextTemplate
    package var headers: [(name: String, value: TextTemplate)]
    package var body: Body
    /// Statuses of a good answer.
    package var expectedStatuses: Set<Int>
    /// Text a good answer holds within its first 64 KiB; nil: any.
    package var expectedText: String?
    package var capture: Capture?

    package init(
        name: String, method: String = "GET", path: TextTemplate, headers: [(name: String, value: TextTemplate)] = [],
        body: Body = .none, expectedStatuses: Set<Int> = [200, 201, 202, 204], expectedText: String? = nil,
        capture: Capture? = nil
    ) {
        self.name = name
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.expectedStatuses = expectedStatuses
        self.expectedText = expectedText
        self.capture = capture
    }

    /// True when the body of an answer has to be looked at.
    var readsBody: Bool { expectedText != nil || capture != nil }

    /// Names of captured values it needs.
    var capturedNames: Set<String> {
        var names = headers.reduce(path.capturedNames) { $0.union($1.value.capturedNames) }
        if case .text(let template) = body { names.formUnion(template.capturedNames) }
        return names
    }
}

/// A value to remember from a good answer, for `{{name}}` in later requests. An answer without it is a wrong answer.
package struct Capture: Hashable, Sendable {
    package var name: String
    /// Path of a string or number in the JSON body, its parts joined by dots: "token", "session.token".
    package var jsonPath: String

    package init(name: String, jsonPath: String) {
        self.name = name
        self.jsonPath = jsonPath
    }
}
