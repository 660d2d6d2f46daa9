/// What a worker's `/metrics` tells for alert rules: its measures, how long requests took, and what the business counts.
package struct WorkerTally: Hashable, Sendable {
    package var measures: ServiceMeasures
    /// Requests that took at most so many seconds, since the start; rising in the bound, without the one of infinity.
    package var durations: [Double: Double]
    /// By `CounterChoice.name`; what the worker does not tell is not there.
    package var business: [String: Double]

    package init(measures: ServiceMeasures, durations: [Double: Double] = [:], business: [String: Double] = [:]) {
        self.measures = measures
        self.durations = durations
        self.business = business
    }
}

/// A counter that somebody wants to know: samples of this name with these labels, others allowed, summed.
package struct CounterChoice: Hashable, Sendable {
    package var name: String
    package var counter: String
    package var labels: [String: String]

    package init(name: String, counter: String, labels: [String: String]) {
        self.name = name
        self.counter = counter
        self.labels = labels
    }
}
