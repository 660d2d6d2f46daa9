/// What to send, where, and when. Plain data; `problem` says what makes a plan impossible.
package struct LoadPlan: Sendable {
    /// The same seed gives the same arrivals, bodies and think times.
    package var seed: UInt64
    /// Requests go to the targets in turn; each request is bound to its target.
    package var targets: [LoadTarget]
    package var connections: ConnectionPolicy
    /// Sent before the clock starts, a few at a time, not measured: accounts and logins. Each must succeed.
    package var preparation: [PreparationStep]
    /// Values that all requests may use, the preparation too, as if they had been captured.
    package var variables: [FlowVariable] = []
    package var loop: LoadLoop
    package var streams: [LoadStream]
    package var steps: [LoadStep]
    /// What `${key}` stands for.
    package var keys: KeySource
    /// Of keys that are never the same twice: another one for each run against a service that remembers.
    package var freshSalt: UInt64
    /// End once so many runs through streams have begun and ended, the steps notwithstanding; nil: no limit.
    package var limit: UInt64?
    /// A request without a complete answer so many seconds after its scheduled time has timed out (checked every 25
    /// ms).
    package var timeoutSeconds: Double

    package init(
        seed: UInt64, targets: [LoadTarget], connections: ConnectionPolicy = ConnectionPolicy(),
        preparation: [PreparationStep] = [], loop: LoadLoop = .open, streams: [LoadStream], steps: [LoadStep],
        timeoutSeconds: Double = 10, keys: KeySource = .fresh, freshSalt: UInt64 = 0, limit: UInt64? = nil
    ) {
        self.seed = seed
        self.targets = targets
        self.connections = connections
        self.preparation = preparation
        self.loop = loop
        self.streams = streams
        self.steps = steps
        self.timeoutSeconds = timeoutSeconds
        self.keys = keys
        self.freshSalt = freshSalt
        self.limit = limit
    }

    /// Length of the schedule.
    package var seconds: Double { steps.reduce(0) { $0 + $1.seconds } }
}

/// Where requests go: an IP address, a name that is looked up once at the start, or a Unix socket.
package struct LoadTarget: Hashable, Sendable, Codable {
    package var host: String
    package var port: Int
    /// Path of a Unix stream socket ("@name": abstract); host and port do not count then.
    package var socketPath: String?

    package init(host: String = "127.0.0.1", port: Int) {
        self.host = host
        self.port = port
    }

    package init(socketPath: String) {
        host = "localhost"
        port = 80
        self.socketPath = socketPath
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

/// Who decides when the next request is sent.
package enum LoadLoop: String, Hashable, Sendable, Codable {
    /// The clock: what the service does changes nothing, and a stall shows in the latencies of all that fell due in it.
    case open
    /// So many users, each asking again when it has its answer. A stuck service is asked less: its latencies look
    /// better than they were.
    case closed
}

/// One kind of request, or a row of them, with its arrival pattern.
package struct LoadStream: Sendable {
    package var request: RequestTemplate
    /// What the same user asks afterwards, each when the one before was answered as expected. Open and closed loops.
    package var followUps: [FollowUp]
    package var arrivals: ArrivalPattern
    /// True: each request on a connection of its own, with `Connection: close`.
    package var newConnectionEach: Bool
    /// In a closed loop, how often this stream is chosen beside the others.
    package var weight: Double
    /// Variables drawn at the beginning of each run through the stream.
    package var variables: [FlowVariable]

    package init(
        request: RequestTemplate, followUps: [FollowUp] = [], arrivals: ArrivalPattern = .poisson,
        newConnectionEach: Bool = false, weight: Double = 1, variables: [FlowVariable] = []
    ) {
        self.request = request
        self.followUps = followUps
        self.arrivals = arrivals
        self.newConnectionEach = newConnectionEach
        self.weight = weight
        self.variables = variables
    }

    /// All its requests, in order.
    package var requests: [RequestTemplate] { [request] + followUps.map(\.request) }
}

/// A request that follows another one. Its latency counts from the end of the pause.
package struct FollowUp: Sendable {
    package var request: RequestTemplate
    /// Between the answer before and this request, uniform within the range.
    package var pauseSeconds: ClosedRange<Double>

    package init(request: RequestTemplate, pauseSeconds: ClosedRange<Double> = 0...0) {
        self.request = request
        self.pauseSeconds = pauseSeconds
    }
}

/// A variable with the values it may have: one of them for each run through a stream, each as likely as the others.
package struct FlowVariable: Hashable, Sendable {
    package var name: String
    package var values: [[UInt8]]

    package init(name: String, values: [[UInt8]]) {
        self.name = name
        self.values = values
    }
}

/// How the arrivals of a stream are spaced.
package enum ArrivalPattern: String, Hashable, Sendable, Codable, CaseIterable {
    case poisson
    case uniform
}

/// A stretch of time with a rate for each stream, or a number of users: constant, or changing evenly.
package struct LoadStep: Hashable, Sendable {
    package var seconds: Double
    /// Open loop: requests a second, one entry a stream of the plan.
    package var perSecond: [Double]
    /// The rates at the end of the step; nil: as at its beginning.
    package var perSecondAtEnd: [Double]?
    /// Closed loop: how many ask at once.
    package var users: Int
    package var usersAtEnd: Int?

    package init(seconds: Double, perSecond: [Double], perSecondAtEnd: [Double]? = nil) {
        self.seconds = seconds
        self.perSecond = perSecond
        self.perSecondAtEnd = perSecondAtEnd
        users = 0
    }

    package init(seconds: Double, users: Int, usersAtEnd: Int? = nil) {
        self.seconds = seconds
        self.users = users
        self.usersAtEnd = usersAtEnd
        perSecond = []
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
