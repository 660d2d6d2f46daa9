import BoundedCache
import LeakTesting
import OakumTestKit
import Testing

/// What lives as long as a service must not grow with its work.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `a full cache with new keys for ever does not grow`() {
        let cache = BoundedCache<String, [UInt8]>(CacheSettings(name: "leak", bound: .bytes(64 << 10)))
        var key = 0
        expectNoGrowth(warmUp: 2_000) {
            key += 1
            cache.insert([UInt8](repeating: 1, count: 100), for: "key \(key)")
            _ = cache.value(for: "key \(key / 2)")
        }
    }

    @Test func `entries that are invalidated or expire leave nothing behind`() {
        let time = ManualTime()
        var settings = CacheSettings(name: "leak", bound: .entries(500))
        settings.times.timeToLive = .seconds(10)
        settings.clock = time.clock
        let cache = BoundedCache<Int, String>(settings)
        var key = 0
        expectNoGrowth(warmUp: 1_000) {
            key += 1
            cache.insert("value of \(key), long enough for the heap", for: key)
            if key % 3 == 0 { cache.invalidate(key - 1) }
            time.advance(.milliseconds(100))
        }
    }

    @Test func `loads leave nothing behind, those that fail neither`() async {
        struct Refused: Error {}
        let cache = BoundedCache<Int, String>(CacheSettings(name: "leak", bound: .entries(100)))
        var key = 0
        await expectNoGrowth(warmUp: 400) {
            key += 1
            let isRefused = key % 4 == 0
            _ = try? await cache.value(for: key) { key in  // Refusals are part of the test.
                if isRefused { throw Refused() }
                return "value of \(key)"
            }
        }
    }

    @Test func `a cache goes away with all it holds, registered or not`() {
        let registry = CacheRegistry()
        expectDeallocated {
            let cache = BoundedCache<Int, String>(CacheSettings(name: "leak", bound: .entries(100)))
            registry.register(cache)
            for key in 0..<200 { cache.insert("value of \(key)", for: key) }
            return cache
        }
        expectNoGrowth {
            registry.register(BoundedCache<Int, Int>(CacheSettings(name: "leak", bound: .entries(10))))
        }
    }
}
