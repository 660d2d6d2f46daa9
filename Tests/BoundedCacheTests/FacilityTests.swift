import BoundedCache
import OakumTestKit
import Testing

/// What no other suite looks at by itself.
@Suite(.timeLimit(.minutes(2)))
struct FacilityTests {
    private struct Broken: Error {}

    private func cache(_ times: CacheTimes = CacheTimes(), _ time: ManualTime = ManualTime()) -> BoundedCache<Int, Int>
    {
        var settings = CacheSettings(name: "test", bound: .entries(1_000))
        settings.times = times
        settings.clock = time.clock
        return BoundedCache(settings)
    }

    @Test func `peeking is no use: neither statistics nor the policy notice`() {
        var settings = CacheSettings(name: "test", bound: .entries(100))
        settings.shards = 1
        let cache = BoundedCache<Int, Int>(settings)
        for key in 0..<20 { cache.insert(key, for: key) }
        for key in 0..<10 { for _ in 0..<4 { #expect(cache.peek(key) == key && cache.contains(key)) } }
        for key in 10..<20 { for _ in 0..<4 { #expect(cache.value(for: key) == key) } }
        #expect(cache.peek(999) == nil && !cache.contains(999))
        #expect(cache.statistics.hits == 40 && cache.statistics.misses == 0)
        for key in 1_000..<1_100 { cache.insert(key, for: key) }
        #expect((10..<20).allSatisfy { cache.contains($0) }, "what was used stays")
        #expect((0..<10).allSatisfy { !cache.contains($0) }, "what was peeked at goes")
    }

    @Test func `a predicate takes those it names and nothing else`() {
        let heard = Recorder<RemovalCause>()
        let cache = BoundedCache<Int, Int>(
            CacheSettings(name: "test", bound: .bytes(1 << 20)), onRemoval: { heard.record($0.cause) })
        for key in 0..<2_000 { cache.insert(key * 10, for: key) }
        #expect(cache.invalidate { key, value in key % 3 == 0 && value >= 6_000 } == 467)
        #expect(cache.count == 2_000 - 467)
        #expect(cache.snapshot().allSatisfy { $0.key % 3 != 0 || $0.value < 6_000 })
        #expect(heard.values.count == 467 && Set(heard.values) == [.invalidated])
        #expect(cache.invalidateAll() == 2_000 - 467)
    }

    @Test func `a snapshot has what may be served, without absences`() async throws {
        let time = ManualTime()
        let cache = cache(CacheTimes(timeToLive: .seconds(10), negativeTimeToLive: .seconds(100)), time)
        cache.insert(1, for: 1)
        time.advance(.seconds(6))
        cache.insert(2, for: 2)
        #expect(try await cache.value(for: 3) { _ in nil } == nil)
        #expect(Set(cache.snapshot().map(\.key)) == [1, 2])
        time.advance(.seconds(5))
        #expect(cache.snapshot().map(\.key) == [2])
        #expect(cache.removeExpired() == 1)
        #expect(cache.count == 2)
    }

    @Test func `a number of entries may be changed while the cache is in use`() {
        let cache = BoundedCache<Int, Int>(CacheSettings(name: "test", bound: .bytes(4 << 20, entries: 8_000)))
        for key in 0..<20_000 { cache.insert(key, for: key) }
        #expect(cache.count <= 8_000 && cache.count > 7_500)
        let before = cache.heldBytes
        #expect(cache.resize(to: .bytes(4 << 20, entries: 500)) > 0)
        #expect(cache.count <= 500 && cache.heldBytes < before / 3)
        #expect(cache.bound == .bytes(4 << 20, entries: 500))
        for key in 0..<20_000 {
            cache.insert(key, for: key)
            #expect(cache.count <= 500)
        }
        cache.resize(to: .bytes(4 << 20, entries: 12_000))
        for key in 0..<20_000 { cache.insert(key, for: key) }
        #expect(cache.count <= 12_000 && cache.count > 11_000)
    }

    @Test func `an error goes to all who wait for it`() async throws {
        let cache = cache()
        let calls = SharedNumber()
        let failures = SharedNumber()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do {
                        _ = try await cache.value(for: 1) { _ in
                            calls.add()
                            try await eventually("all others wait") { cache.statistics.loadWaits == 19 }
                            throw Broken()
                        }
                    } catch is Broken {
                        failures.add()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(calls.value == 1 && failures.value == 20)
        #expect(cache.statistics.loadFailures == 1)
        #expect(cache.lookUp(1) == .unknown, "an error is not remembered")
    }

    @Test func `a bulk load that fails leaves no key behind that nobody loads`() async throws {
        let cache = cache()
        let calls = SharedNumber()
        await #expect(throws: Broken.self) {
            try await cache.values(for: [1, 2, 3]) { keys in
                #expect(Set(keys) == [1, 2, 3])
                calls.add()
                throw Broken()
            }
        }
        #expect(try await cache.value(for: 2) { _ in 22 } == 22)
        #expect(calls.value == 1)
        let found = try await cache.values(for: [1, 2, 3]) { keys in
            #expect(Set(keys) == [1, 3])
            return [1: 11, 3: 33]
        }
        #expect(found == [1: 11, 2: 22, 3: 33])
    }

    @Test func `who waits for a key of a cancelled bulk load loads it`() async throws {
        let cache = cache()
        let begun = SharedNumber()
        try await withThrowingTaskGroup(of: Int?.self) { group in
            await withThrowingTaskGroup(of: Void.self) { bulk in
                bulk.addTask {
                    _ = try await cache.values(for: [1, 2]) { _ in
                        begun.add()
                        try await VirtualClock().sleep(until: .init(offset: .seconds(1)))
                        return [:]
                    }
                }
                do {
                    try await eventually("the bulk load has begun") { begun.value == 1 }
                    group.addTask { try await cache.value(for: 2) { _ in 22 } }
                    try await eventually("the other waits") { cache.statistics.loadWaits == 1 }
                } catch { Issue.record(error) }
                bulk.cancelAll()
            }
            for try await value in group { #expect(value == 22) }
        }
        #expect(cache.value(for: 2) == 22 && cache.lookUp(1) == .unknown)
    }
}
