import BoundedCache
import BoundedCacheMetrics
import CoreMetrics
import LeakTesting
import OakumTestKit
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `reports leave nothing behind, of caches that are gone neither`() {
        let registry = CacheRegistry()
        let lasting = BoundedCache<Int, Int>(CacheSettings(name: "lasting", bound: .entries(10)))
        registry.register(lasting)
        let reporter = CacheMetricsReporter(registry: registry, factory: NOOPMetricsHandler.instance)
        var number = 0
        expectNoGrowth {
            number += 1
            lasting.insert(number, for: number)
            let passing = BoundedCache<Int, Int>(CacheSettings(name: "passing \(number)", bound: .entries(10)))
            registry.register(passing)
            reporter.report()
        }
    }
}
