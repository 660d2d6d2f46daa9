package import OakumEngine
package import PrometheusText

extension ServiceMeasures {
    /// What the samples of a service's `/metrics` tell. Values that are no numbers, or negative, are as if they were not there.
    package init(_ samples: [PrometheusSample]) {
        self.init()
        var totals: [String: Double] = [:]
        for sample in samples where sample.value.isFinite && sample.value >= 0 {
            // A histogram's buckets add up to nothing.
            guard sample.labels["le"] == nil, sample.labels["quantile"] == nil else { continue }
            totals[sample.name, default: 0] += sample.value
            if sample.name == "http_requests_total", sample.labels["code"]?.hasPrefix("5") == true {
                failures = (failures ?? 0) + sample.value
            }
            add(sample)
        }
        requests = totals["http_requests_total"]
        // A counter of failures that is not there is zero once the requests are: it appears with the first one.
        if requests != nil { failures = failures ?? 0 }
        durationSum = totals["http_request_duration_seconds_sum"]
        durationCount = totals["http_request_duration_seconds_count"]
        inFlight = totals["http_requests_in_flight"]
        let own = totals.filter { Self.isWork($0.key) }.sorted { $0.key < $1.key }
        for (name, value) in own.prefix(Self.workLimit) { work[name] = value }
    }

    private mutating func add(_ sample: PrometheusSample) {
        guard sample.name.hasPrefix("cache_"), let name = sample.labels["cache"], !name.isEmpty,
            caches[name] != nil || caches.count < Self.cacheLimit
        else { return }
        var cache = caches[name] ?? CacheMeasures(bytes: 0)
        switch sample.name {
        case "cache_bytes": cache.bytes = sample.value
        case "cache_bound_bytes": cache.bound = sample.value
        case "cache_evictions_total": cache.evictions = (cache.evictions ?? 0) + sample.value
        default: return
        }
        caches[name] = cache
    }

    /// A counter of what the service does itself, rather than of its connections, its runtime or its caches.
    private static func isWork(_ name: String) -> Bool {
        name.hasSuffix("_total") && !["http_", "process_", "cache_", "go_", "python_"].contains { name.hasPrefix($0) }
    }
}
