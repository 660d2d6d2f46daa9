import BoundedCache
import OakumTestKit
import Testing

@Suite struct ExpiryTests {
    private func cache(_ times: CacheTimes, _ time: ManualTime) -> BoundedCache<Int, Int> {
        var settings = CacheSettings(name: "test", bound: .entries(10_000))
        settings.times = times
        settings.clock = time.clock
        return BoundedCache(settings)
    }

    @Test func `an entry is served up to its time to live, and not longer`() {
        let time = ManualTime()
        let cache = cache(CacheTimes(timeToLive: .seconds(60)), time)
        cache.insert(1, for: 1)
        time.advance(.seconds(60) - .nanoseconds(1))
        #expect(cache.value(for: 1) == 1)
        time.advance(.nanoseconds(1))
        #expect(cache.value(for: 1) == nil)
        #expect(cache.count == 0)
    }

    @Test func `uses keep an entry from idling, looking does not`() {
        let time = ManualTime()
        let cache = cache(CacheTimes(idleTime: .seconds(10)), time)
        cache.insert(1, for: 1)
        for _ in 0..<5 {
            time.advance(.seconds(9))
            #expect(cache.value(for: 1) == 1)
        }
        time.advance(.seconds(9))
        #expect(cache.peek(1) == 1)
        time.advance(.seconds(2))
        #expect(cache.peek(1) == nil)
        #expect(cache.value(for: 1) == nil)
    }

    @Test func `an entry's own lifetime comes before the common one`() {
        let time = ManualTime()
        let cache = cache(CacheTimes(timeToLive: .seconds(60)), time)
        cache.insert(1, for: 1, lifetime: .seconds(5))
        cache.insert(2, for: 2, lifetime: .seconds(500))
        time.advance(.seconds(5))
        #expect(cache.value(for: 1) == nil)
        time.advance(.seconds(300))
        #expect(cache.value(for: 2) == 2)
    }

    @Test func `lifetimes may follow from the value`() {
        let time = ManualTime()
        var settings = CacheSettings(name: "test", bound: .entries(10))
        settings.clock = time.clock
        let cache = BoundedCache<Int, Int>(settings, lifetime: { _, value in .seconds(value) })
        cache.insert(5, for: 1)
        cache.insert(50, for: 2)
        time.advance(.seconds(10))
        #expect(cache.value(for: 1) == nil)
        #expect(cache.value(for: 2) == 50)
    }

    @Test func `what nobody reads leaves with later insertions`() {
        let time = ManualTime()
        let cache = cache(CacheTimes(timeToLive: .seconds(5)), time)
        for index in 0..<1_000 { cache.insert(index, for: index) }
        time.advance(.seconds(10))
        for index in 0..<400 { cache.insert(index, for: 5_000 + index) }
        #expect(cache.count == 400)
        #expect(cache.statistics.removals.expired == 1_000)
    }

    @Test func `the wheel finds every entry whose time is over, at any distance, and no other`() async throws {
        try await forAll(seeds: 40) { generator in
            let time = ManualTime()
            let cache = cache(CacheTimes(allowsLifetimes: true), time)
            var ends: [Int: Int64] = [:]
            var now: Int64 = 0
            for key in 0..<400 {
                let scale = [1.0, 100, 10_000, 1e6, 4e6, 1e7][generator.int(0...5)]
                let milliseconds = Int64(generator.double(0..<scale) * 1_000)
                cache.insert(key, for: key, lifetime: .milliseconds(milliseconds))
                ends[key] = now + milliseconds
                if generator.chance(0.2) {
                    let step = Int64(generator.double(0..<scale) * 500)
                    time.advance(.milliseconds(step))
                    now += step
                }
            }
            for _ in 0..<20 {
                let step = Int64(generator.double(0..<1e9))
                time.advance(.milliseconds(step))
                now += step
                cache.removeExpired()
                // Ticks are 134 ms: what ended less than two ago may still wait.
                let surely = ends.filter { $0.value > now - 300 }.count
                let alive = ends.filter { $0.value > now }.count
                #expect(cache.count >= alive && cache.count <= surely)
                #expect(cache.snapshot().count == alive)
            }
        }
    }
}
