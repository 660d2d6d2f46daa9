import BoundedCache
import OakumTestKit
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2)))
struct RemovalTests {
    private func settings(_ entries: Int) -> CacheSettings {
        CacheSettings(name: "test", bound: .entries(entries))
    }

    @Test func `the listener hears of every entry that left, with its cause`() {
        let heard = Recorder<String>()
        let time = ManualTime()
        var settings = settings(3)
        settings.times.timeToLive = .seconds(10)
        settings.clock = time.clock
        let cache = BoundedCache<String, Int>(
            settings, onRemoval: { heard.record("\($0.key) \($0.value ?? -1) \($0.cause)") })
        cache.insert(1, for: "a")
        cache.insert(2, for: "a")
        cache.invalidate("a")
        cache.insert(3, for: "b")
        time.advance(.seconds(11))
        #expect(cache.value(for: "b") == nil)
        for index in 0..<4 { cache.insert(index, for: "c\(index)") }
        #expect(heard.values.prefix(3) == ["a 1 replaced", "a 2 invalidated", "b 3 expired"])
        #expect(heard.values.count == 4)
        #expect(heard.values.last?.hasSuffix("evicted") == true)
        let removals = cache.statistics.removals
        #expect(removals.evicted == 1 && removals.expired == 1 && removals.total == 4)
    }

    @Test func `the listener may call the cache`() {
        let box = SharedBox<BoundedCache<Int, Int>>()
        let cache = BoundedCache<Int, Int>(
            settings(50),
            onRemoval: { removal in
                guard let cache = box.mutex.withLock({ $0 }), removal.key < 10_000 else { return }
                cache.insert(removal.key, for: removal.key + 10_000)
                cache.invalidate(removal.key + 10_000)
            })
        box.mutex.withLock { $0 = cache }
        for index in 0..<1_000 { cache.insert(index, for: index) }
        #expect(cache.count <= 50)
        box.mutex.withLock { $0 = nil }
    }

    /// A value whose end calls the cache it was in.
    private final class Caller: Sendable {
        let cache: @Sendable () -> BoundedCache<Int, Caller>?
        let key: Int

        init(_ key: Int, cache: @escaping @Sendable () -> BoundedCache<Int, Caller>?) {
            self.key = key
            self.cache = cache
        }

        deinit {
            _ = cache()?.value(for: key)
            cache()?.invalidate(key &+ 1)
        }
    }

    @Test func `a value's end may call the cache it was in`() {
        weak var gone: Caller?
        do {
            let box = SharedBox<BoundedCache<Int, Caller>>()
            let cache = BoundedCache<Int, Caller>(settings(20), heapBytes: nil)
            box.mutex.withLock { $0 = cache }
            for index in 0..<2_000 {
                let caller = Caller(index % 100, cache: { box.mutex.withLock { $0 } })
                if index == 5 { gone = caller }
                cache.insert(caller, for: index % 100)
            }
            cache.invalidate(where: { key, _ in key % 2 == 0 })
            cache.invalidateAll()
            #expect(cache.count == 0)
            box.mutex.withLock { $0 = nil }
        }
        #expect(gone == nil)
    }

    @Test func `keys with one hash stay few, and every look-up right`() {
        struct Bad: Hashable, Sendable {
            var number: Int
            func hash(into hasher: inout Hasher) { hasher.combine(0) }
        }
        let cache = BoundedCache<Bad, Int>(settings(100_000), heapBytes: nil)
        for number in 0..<2_000 {
            cache.insert(number, for: Bad(number: number))
            #expect(cache.value(for: Bad(number: number)) == number)
        }
        #expect(cache.count <= 16)
        #expect(cache.statistics.removals.collision == 2_000 - UInt64(cache.count))
    }

    @Test func `equal strings of other spelling are one key`() {
        let cache = BoundedCache<String, Int>(settings(10))
        cache.insert(1, for: "caf\u{e9} with a name that is long")
        #expect(cache.value(for: "cafe\u{301} with a name that is long") == 1)
    }

    @Test func `what is too heavy does not come in, and does not leave an old value behind`() {
        let cache = BoundedCache<String, [UInt8]>(CacheSettings(name: "test", bound: .bytes(1 << 20)))
        #expect(cache.insert([1], for: "a"))
        #expect(!cache.insert([UInt8](repeating: 0, count: 300_000), for: "a"))
        #expect(cache.value(for: "a") == nil)
        #expect(cache.statistics.rejected == 1)
    }

    @Test func `an entry that is heavier than a shard's share finds room all the same`() async throws {
        try await forAll(seeds: 5) { generator in
            var settings = CacheSettings(name: "test", bound: .bytes(8 << 20))
            settings.shards = 16
            let cache = BoundedCache<Int, [UInt8]>(settings)
            for key in 0..<3_000 { cache.insert([UInt8](repeating: 0, count: 3_000), for: key) }
            for key in 10_000..<10_040 {
                #expect(cache.insert([UInt8](repeating: 1, count: generator.int(500_000...1_000_000)), for: key))
                #expect(cache.heldBytes <= 8 << 20)
                #expect(cache.peek(key) != nil)
            }
            for key in 0..<3_000 { cache.insert([UInt8](repeating: 0, count: 3_000), for: key) }
            #expect(cache.heldBytes > 7 << 20, "what the heavy ones left is used again")
        }
    }

    @Test func `tags take their entries along, and nothing else`() async throws {
        try await forAll(seeds: 30) { generator in
            let cache = BoundedCache<Int, Int>(CacheSettings(name: "test", bound: .bytes(400_000)))
            var tagged: [Int: Set<Int>] = [:]
            for key in 0..<600 {
                let tags = Set((0..<generator.int(0...4)).map { _ in generator.int(0...12) })
                cache.insert(key, for: key, tags: tags.map { CacheTag("\($0)") })
                tagged[key] = tags
                if generator.chance(0.02) {
                    let tag = generator.int(0...12)
                    let expected = tagged.filter { $0.value.contains(tag) }.map(\.key)
                    #expect(cache.invalidate(tag: CacheTag("\(tag)")) == expected.count)
                    for key in expected { tagged[key] = nil }
                }
            }
            #expect(Set(cache.snapshot().map(\.key)) == Set(tagged.keys))
        }
    }

    @Test func `keys that are used again under write pressure stay bounded`() async {
        let cache = BoundedCache<UInt64, [UInt8]>(CacheSettings(name: "test", bound: .bytes(1 << 20)))
        let worst = SharedNumber()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<2 {
                group.addTask { @concurrent in
                    var generator = SeededGenerator(seed: UInt64(worker) + 9)
                    for step in 0..<100_000 {
                        let key = UInt64(generator.int(0...300))
                        cache.insert([UInt8](repeating: 0, count: generator.int(0...8_000)), for: key)
                        if step % 3 == 0 { cache.invalidate(UInt64(generator.int(0...300))) }
                        if step % 64 == 0 { worst.raise(to: cache.heldBytes) }
                    }
                }
            }
        }
        #expect(worst.value <= 1 << 20)
        #expect(cache.overheadBytes < 100_000)
    }
}

/// Lets a value reach the cache it is put into.
private final class SharedBox<Value: Sendable>: Sendable {
    let mutex = Mutex<Value?>(nil)
}
