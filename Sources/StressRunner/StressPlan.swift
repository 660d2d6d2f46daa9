package import LoadGenerator
import Spawning

/// What to start, what to ask of it, and how long to look.
package struct StressPlan: Sendable {
    package var target: StressTarget
    package var endpoints: [StressEndpoint]
    package var settings: StressSettings

    package init(target: StressTarget, endpoints: [StressEndpoint], settings: StressSettings = StressSettings()) {
        self.target = target
        self.endpoints = endpoints
        self.settings = settings
    }

    /// What makes the plan impossible; nil when it can be run.
    package var problem: String? {
        if endpoints.isEmpty { return "there is nothing to ask for: name at least one endpoint or operation" }
        if target.words.isEmpty { return "there is no program to start" }
        var names: Set<String> = []
        for endpoint in endpoints where !names.insert(endpoint.name).inserted {
            return "two endpoints are called `\(endpoint.name)`: name them in a scenario, or test one at a time"
        }
        for endpoint in endpoints {
            if case .command(let words) = endpoint.operation, words.isEmpty {
                return "an operation without a command: write --operation 'PROGRAM ARGUMENTS'"
            }
        }
        return settings.problem
    }
}

/// A program that can be started and asked. `{{port}}` (a free one), `{{folder}}` (the run's own, empty) and
/// `{{socket}}` (a path within it) are filled into its words, environment and probes.
package struct StressTarget: Sendable {
    /// argv; a first word without a slash is looked up in PATH.
    package var words: [String]
    package var environment: [String: String]
    /// Ask over the Unix socket `{{socket}}` instead of `{{port}}`.
    package var usesSocket: Bool
    /// A GET of this path answers 2xx or 3xx as soon as the program is ready; nil: something accepts connections.
    package var readyPath: String?
    package var readySeconds: Double
    /// Sent before each endpoint is measured, and again before it is named: accounts, logins. Each must succeed, also the
    /// second time where one process serves several endpoints.
    package var preparation: [PreparationStep]
    /// What a scenario's own variables stand for, in the preparation too.
    package var requestVariables: [FlowVariable]

    package init(
        words: [String], environment: [String: String] = [:], usesSocket: Bool = false, readyPath: String? = nil,
        readySeconds: Double = 30, preparation: [PreparationStep] = [], requestVariables: [FlowVariable] = []
    ) {
        self.words = words
        self.environment = environment
        self.usesSocket = usesSocket
        self.readyPath = readyPath
        self.readySeconds = readySeconds
        self.preparation = preparation
        self.requestVariables = requestVariables
    }
}

/// One thing to ask for again and again.
package struct StressEndpoint: Sendable {
    package enum Operation: Sendable {
        /// Requests, sent in turn.
        case requests([RequestTemplate])
        /// A command, split at spaces, for each operation, or, where it has `{{count}}`, once for a cycle.
        /// `{{port}}`, `{{folder}}`, `{{socket}}`, `{{pid}}`, and `{{key}}`, `{{seed}}` are filled in.
        case command([String])
    }

    package var name: String
    package var operation: Operation

    package init(name: String, operation: Operation) {
        self.name = name
        self.operation = operation
    }

    /// Whether there is something to vary, so that a cache can be told from a leak.
    package var hasKeys: Bool {
        switch operation {
        case .requests(let requests): requests.contains { $0.usesKeys }
        case .command(let words): words.contains { $0.contains("{{key}}") || $0.contains("{{seed}}") }
        }
    }
}

/// How long to look, and how hard.
package struct StressSettings: Hashable, Sendable {
    /// For each endpoint, without start-up and naming, seconds.
    package var seconds: Double
    /// So long at most where there would be no answer after `seconds`: slow endpoints, large caches.
    package var patience: Double
    package var connections: Int
    /// Growth up to so many bytes an operation is no leak.
    package var floorBytes: Double
    package var seed: UInt64
    /// No cache is called unbounded before so many keys (or the time is over).
    package var leastFreshKeys: Double
    /// A fresh process is started for each endpoint.
    package var startsAnew: Bool
    /// Run what leaks again under the sampler, to name site, type and holders.
    package var names: Bool

    package init(
        seconds: Double = 10, patience: Double = 60, connections: Int = 4, floorBytes: Double = 16, seed: UInt64 = 1,
        leastFreshKeys: Double = 20_000, startsAnew: Bool = true, names: Bool = true
    ) {
        self.seconds = seconds
        self.patience = max(patience, seconds)
        self.connections = connections
        self.floorBytes = floorBytes
        self.seed = seed
        self.leastFreshKeys = leastFreshKeys
        self.startsAnew = startsAnew
        self.names = names
    }

    var problem: String? {
        if !(seconds >= 1 && seconds <= 3600) { return "\(seconds) s for an endpoint: give 1 to 3600" }
        if !(patience >= seconds && patience <= 86_400) { return "a patience of \(patience) s: give at most 86400" }
        if !(1...1000).contains(connections) { return "\(connections) connections: give 1 to 1000" }
        if !(floorBytes >= 0 && floorBytes < 1e9) { return "a floor of \(floorBytes) bytes: give 0 to 1e9" }
        if !(1_000...100_000_000).contains(leastFreshKeys) {
            return "--keys \(leastFreshKeys): give 1000 to 100000000"
        }
        return nil
    }
}

/// Why a stress test could not be run. The message says what to do.
package enum StressProblem: Error, Hashable, Sendable {
    case setUp(String)
    /// The program ended, or stopped to answer, while it was measured.
    case targetGone(String)
    case cancelled

    /// What the body does, or `setUp` with why it failed.
    static func settingUp<Result>(_ body: () throws(SpawnError) -> Result) throws(StressProblem) -> Result {
        do throws(SpawnError) {
            return try body()
        } catch {
            throw .setUp(error.reason)
        }
    }

    package var message: String {
        switch self {
        case .setUp(let text), .targetGone(let text): text
        case .cancelled: "interrupted; what it had started is stopped"
        }
    }
}
