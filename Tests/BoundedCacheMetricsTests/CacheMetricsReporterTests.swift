import BoundedCache
import BoundedCacheMetrics
import MetricsTestKit
import Testing

@Suite struct CacheMetricsReporterTests {
    @Test func `meters tell what is held, counters what went through since the last report`() throws {
        let registry = CacheRegistry()
        let metrics = TestMetrics()
        let reporter = CacheMetricsReporter(registry: registry, factory: metrics)
        let cache = BoundedCache<Int, Int>(CacheSettings(name: "numbers", bound: .bytes(256 << 10)))
        registry.register(cache)
        for number in 0..<100 { cache.insert(number, for: number) }
        for number in 0..<150 { _ = cache.value(for: number) }
        cache.invalidate(3)
        reporter.report()
        let dimensions = [("cache", "numbers")]
        #expect(try metrics.expectMeter("cache_entries", dimensions).lastValue == 99)
        #expect(try metrics.expectMeter("cache_bound_bytes", dimensions).lastValue == 262_144)
        #expect(try metrics.expectMeter("cache_bytes", dimensions).lastValue == Double(cache.heldBytes))
        #expect(try metrics.expectCounter("cache_hits", dimensions).totalValue == 100)
        #expect(try metrics.expectCounter("cache_misses", dimensions).totalValue == 50)
        let invalidated = dimensions + [("cause", "invalidated")]
        #expect(try metrics.expectCounter("cache_removals", invalidated).totalValue == 1)
        _ = cache.value(for: 5)
        reporter.report()
        #expect(try metrics.expectCounter("cache_hits", dimensions).totalValue == 101)
    }

    @Test func `a cache made anew under its name counts from zero, one that is gone is not reported`() throws {
        let registry = CacheRegistry()
        let metrics = TestMetrics()
        let reporter = CacheMetricsReporter(registry: registry, factory: metrics)
        func fill(_ count: Int) {
            let cache = BoundedCache<Int, Int>(CacheSettings(name: "numbers", bound: .entries(1_000)))
            registry.register(cache)
            for number in 0..<count { cache.insert(number, for: number) }
            reporter.report()
        }
        fill(50)
        reporter.report()
        fill(20)
        #expect(try metrics.expectCounter("cache_insertions", [("cache", "numbers")]).totalValue == 70)
    }
}
