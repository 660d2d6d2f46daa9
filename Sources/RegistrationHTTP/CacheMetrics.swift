package import BoundedCache
internal import PrometheusText

/// What caches publish of themselves, for `/metrics`: name, bytes, bound, and what goes through them.
package enum CacheMetrics {
    package static func text(_ readings: [CacheReading]) -> String {
        var writer = PrometheusText.Writer()
        func family(
            _ name: String, _ kind: PrometheusText.Writer.Kind, _ help: String, _ value: (CacheReading) -> Double?
        ) {
            writer.family(name, kind, help: help)
            for reading in readings {
                if let value = value(reading) { writer.sample(name, value, labels: [("cache", reading.name)]) }
            }
        }
        family("cache_bytes", .gauge, "Bytes held, the cache's own memory included.") { Double($0.heldBytes) }
        family("cache_bound_bytes", .gauge, "The most it may hold.") { $0.bound.bytes.map(Double.init) }
        family("cache_entries", .gauge, "Entries held.") { Double($0.entries) }
        family("cache_hits_total", .counter, "Look-ups that found something.") { Double($0.statistics.hits) }
        family("cache_misses_total", .counter, "Look-ups that found nothing.") { Double($0.statistics.misses) }
        family("cache_insertions_total", .counter, "Entries that came in.") { Double($0.statistics.insertions) }
        writer.family("cache_evictions_total", .counter, help: "Entries that left, by cause.")
        for reading in readings {
            let removals = reading.statistics.removals
            for (cause, count) in [
                (RemovalCause.evicted, removals.evicted), (.expired, removals.expired),
                (.invalidated, removals.invalidated),
            ] {
                writer.sample(
                    "cache_evictions_total", Double(count),
                    labels: [("cache", reading.name), ("cause", cause.rawValue)])
            }
        }
        return writer.text
    }
}
