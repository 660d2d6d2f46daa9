/// So many requests to send as quickly as the answers come.
package struct RequestBatch: Sendable {
    /// Sent in turn: request number i is `requests[i % requests.count]`.
    package var requests: [RequestTemplate]
    /// How many to send in all.
    package var count: Int
    /// So many connections, each asking again when it has its answer: a closed loop.
    package var connections: Int
    /// What `${key}` stands for. With a pool, batch after batch sends the same requests (`${key}`, `${index}` and
    /// `${random}` repeat; `${fresh}` never does); with fresh keys, no two requests of the sender are the same.
    package var keys: KeySource
    /// Leave the connections open for the next batch. False: close them when the last answer is there, as a service
    /// that is to be looked at in quiet may need.
    package var keepsConnections: Bool
    /// Each request on a connection of its own, with `Connection: close`.
    package var newConnectionEach: Bool
    /// A request without a complete answer so many seconds after it was begun has timed out.
    package var timeoutSeconds: Double

    package init(
        requests: [RequestTemplate], count: Int, connections: Int = 1, keys: KeySource = .fresh,
        keepsConnections: Bool = true, newConnectionEach: Bool = false, timeoutSeconds: Double = 10
    ) {
        self.requests = requests
        self.count = count
        self.connections = connections
        self.keys = keys
        self.keepsConnections = keepsConnections
        self.newConnectionEach = newConnectionEach
        self.timeoutSeconds = timeoutSeconds
    }

    /// What makes the batch impossible; nil when it can be sent.
    var problem: String? {
        if requests.isEmpty { return "a batch without requests" }
        if count < 0 { return "a batch of \(count) requests" }
        if !(1...100_000).contains(connections) { return "\(connections) connections: give 1 to 100000" }
        if !(timeoutSeconds > 0 && timeoutSeconds < 86_400) { return "a timeout of \(timeoutSeconds) s" }
        return nil
    }
}

/// What became of a batch.
package struct BatchOutcome: Hashable, Sendable {
    /// Counts of one kind of request, in the order of the batch.
    package struct Endpoint: Hashable, Sendable {
        package var name: String
        package var sent: UInt64 = 0
        package var ok: UInt64 = 0
    }

    /// All that were sent, or would have been had somebody listened.
    package var sent: UInt64 = 0
    /// Complete answers as expected.
    package var ok: UInt64 = 0
    /// The others by kind; `not_sent` are those that the sender itself could not send.
    package var failures = FailureCounts()
    /// Answers by status.
    package var statuses: [Int: UInt64] = [:]
    package var endpoints: [Endpoint] = []
    /// From the first request to the last answer.
    package var seconds = 0.0
    package var connectionsOpened: UInt64 = 0
    /// Connections of this sender that are open now.
    package var connectionsKept = 0
    /// The first failures in words, at most 20.
    package var notes: [String] = []

    package init() {}
}
