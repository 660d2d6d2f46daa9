package import OakumEngine
package import PrometheusText

extension WorkerTally {
    /// Bounds of a histogram that are taken; further ones are left out.
    private static let boundLimit = 64

    /// What the samples of a service's `/metrics` tell. Values that are no numbers, or negative, are as if they were not there.
    package init(_ samples: [PrometheusSample], counting choices: [CounterChoice]) {
        self.init(measures: ServiceMeasures(samples))
        for sample in samples where sample.value.isFinite && sample.value >= 0 {
            if sample.name == "http_request_duration_seconds_bucket" {
                guard let bound = sample.labels["le"].flatMap(Double.init), bound.isFinite else { continue }
                guard durations[bound] != nil || durations.count < Self.boundLimit else { continue }
                durations[bound, default: 0] += sample.value
            }
            for choice in choices where choice.counter == sample.name {
                guard choice.labels.allSatisfy({ sample.labels[$0.key] == $0.value }) else { continue }
                business[choice.name, default: 0] += sample.value
            }
        }
    }
}
