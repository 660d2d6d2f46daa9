public import BoundedCache
public import CoreMetrics
internal import Synchronization

/// Reports what caches hold, and what goes through them, to swift-metrics.
///
///     let reporter = CacheMetricsReporter()
///     // every ten seconds or so:
///     reporter.report()
///
/// Meters `cache_bytes`, `cache_bound_bytes`, `cache_entries`; counters `cache_hits`, `cache_misses`, `cache_insertions`,
/// `cache_loads`, `cache_load_failures`, and `cache_removals` by cause. Each with the dimension `cache`, its name. Costs some
/// microseconds a cache: reading locks all its parts for a moment.
public final class CacheMetricsReporter: Sendable {
    private let registry: CacheRegistry
    private let factory: any MetricsFactory
    /// What was reported already, by cache; of caches that are gone, forgotten.
    private let reported = Mutex<[String: CacheStatistics]>([:])

    /// - Parameters:
    ///   - registry: whose caches are reported; those of the process by default.
    ///   - factory: where to; what the process has set up by default.
    public init(registry: CacheRegistry = .process, factory: any MetricsFactory = MetricsSystem.factory) {
        self.registry = registry
        self.factory = factory
    }

    /// Reports all caches as they are now. May be called from any thread; two caches of one name are reported as the last.
    public func report() {
        let readings = registry.readings
        let before = reported.withLock { reported in
            let before = reported
            reported = Dictionary(readings.map { ($0.name, $0.statistics) }) { $1 }
            return before
        }
        for reading in readings { report(reading, since: before[reading.name] ?? CacheStatistics()) }
    }

    private func report(_ reading: CacheReading, since before: CacheStatistics) {
        let now = reading.statistics
        func meter(_ label: String, _ value: Int) {
            Meter(label: label, dimensions: [("cache", reading.name)], factory: factory).set(value)
        }
        meter("cache_bytes", reading.heldBytes)
        if let bound = reading.bound.bytes { meter("cache_bound_bytes", bound) }
        meter("cache_entries", reading.entries)
        count("cache_hits", reading.name, before.hits, now.hits)
        count("cache_misses", reading.name, before.misses, now.misses)
        count("cache_insertions", reading.name, before.insertions, now.insertions)
        count("cache_loads", reading.name, before.loads, now.loads)
        count("cache_load_failures", reading.name, before.loadFailures, now.loadFailures)
        for (cause, removals) in [
            (RemovalCause.evicted, \RemovalCounts.evicted), (.expired, \.expired), (.replaced, \.replaced),
            (.invalidated, \.invalidated), (.collision, \.collision),
        ] {
            count(
                "cache_removals", reading.name, before.removals[keyPath: removals], now.removals[keyPath: removals],
                more: [("cause", cause.rawValue)])
        }
    }

    /// A cache that was made anew under its name begins at zero again.
    private func count(_ label: String, _ name: String, _ before: UInt64, _ now: UInt64, more: [(String, String)] = [])
    {
        let added = now >= before ? now - before : now
        Counter(label: label, dimensions: [("cache", name)] + more, factory: factory)
            .increment(by: Int64(clamping: added))
    }
}
