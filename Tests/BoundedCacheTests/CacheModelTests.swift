import BoundedCache
import OakumTestKit
import Testing

/// A plain dictionary beside the cache: it knows what may be found, and the cache may know less, never other things.
@Suite(.timeLimit(.minutes(10)))
struct CacheModelTests {
    /// Two million operations; under a sanitizer fewer.
    @Test(arguments: EvictionPolicy.allCases)
    func `it never finds what a plain dictionary would not, and never holds more than its bound`(
        policy: EvictionPolicy
    ) async throws {
        try await forAll(seeds: Sanitizer.isOn ? 3 : 40) { generator in
            var run = ModelRun(&generator, policy: policy)
            for step in 0..<25_000 {
                run.step(step, &generator)
                // Other tests have their turn.
                if step % 1_000 == 0 { await Task.yield() }
            }
            run.finish()
        }
    }
}

private struct ModelRun {
    struct Entry {
        var value: [UInt8]
        var written: Int
        var used: Int
        var lifetime: Int?
        var tag: Int
    }

    private let cache: BoundedCache<String, [UInt8]>
    private let time = ManualTime()
    private let removed = SharedNumber()
    private let least: Int
    private let isTimed: Bool
    private let timeToLive: Int?
    private let idle: Int?
    private let keys: Int
    private let largest: Int
    private var limit: Int
    private var entries: [String: Entry] = [:]
    private var now = 0

    init(_ generator: inout SeededGenerator, policy: EvictionPolicy) {
        // Eight shards with their own structure have to fit.
        least = policy == .adaptive ? 160_000 : 60_000
        limit = generator.int(least...400_000)
        isTimed = generator.chance(0.5)
        timeToLive = isTimed && generator.chance(0.7) ? generator.int(1...50) : nil
        idle = isTimed && generator.chance(0.4) ? generator.int(1...50) : nil
        keys = generator.int(50...3_000)
        largest = [4, 100, 3_000][generator.int(0...2)]
        var settings = CacheSettings(name: "model", bound: .bytes(limit))
        settings.policy = policy
        settings.shards = [1, 2, 8][generator.int(0...2)]
        settings.clock = time.clock
        settings.times = CacheTimes(
            timeToLive: timeToLive.map { .seconds($0) }, idleTime: idle.map { .seconds($0) }, allowsLifetimes: isTimed)
        let removed = removed
        cache = BoundedCache(settings, onRemoval: { _ in removed.add() })
    }

    mutating func step(_ step: Int, _ generator: inout SeededGenerator) {
        let key = "key number \(generator.int(0...keys))"
        switch generator.int(0...99) {
        case 0..<45: lookUp(key, step)
        case 45..<90: insert(key, step, &generator)
        case 90..<94:
            cache.invalidate(key)
            entries[key] = nil
            #expect(cache.peek(key) == nil)
        case 94..<96:
            let seconds = generator.int(1...20)
            time.advance(.seconds(seconds))
            now += seconds
        case 96: update(key)
        case 97 where generator.chance(0.05): invalidate(tag: generator.int(0...5))
        case 98 where generator.chance(0.05):
            limit = generator.int(least...400_000)
            cache.resize(to: .bytes(limit))
        case 99 where generator.chance(0.05):
            let length = generator.int(0...largest)
            cache.invalidate(where: { _, value in value.count > length })
            entries = entries.filter { $0.value.value.count <= length }
            for entry in cache.snapshot() { #expect(entry.value.count <= length) }
        default: break
        }
        if step % 16 == 0 { #expect(cache.heldBytes <= limit, "step \(step)") }
    }

    func finish() {
        for (key, value) in cache.snapshot() { #expect(entries[key]?.value == value) }
        let statistics = cache.statistics
        #expect(statistics.insertions == statistics.removals.total + UInt64(cache.count))
        cache.invalidateAll()
        #expect(cache.count == 0)
        #expect(cache.statistics.removals.total == UInt64(removed.value))
        #expect(cache.heldBytes <= limit)
    }

    private func isAlive(_ entry: Entry) -> Bool {
        if let life = entry.lifetime ?? timeToLive, now - entry.written >= life { return false }
        if let idle, now - entry.used >= idle { return false }
        return true
    }

    private mutating func lookUp(_ key: String, _ step: Int) {
        guard let value = cache.value(for: key) else { return }
        let known = entries[key]
        #expect(known?.value == value, "step \(step)")
        #expect(known.map(isAlive) == true, "step \(step): expired")
        entries[key]?.used = now
    }

    private mutating func insert(_ key: String, _ step: Int, _ generator: inout SeededGenerator) {
        let value = [UInt8](repeating: UInt8(step & 255), count: generator.int(0...largest))
        let life = isTimed && generator.chance(0.2) ? generator.int(1...100) : nil
        let tag = generator.int(0...5)
        let isIn = cache.insert(value, for: key, lifetime: life.map { .seconds($0) }, tags: [CacheTag("tag \(tag)")])
        entries[key] = isIn ? Entry(value: value, written: now, used: now, lifetime: life, tag: tag) : nil
        if isIn { #expect(cache.peek(key) == value, "step \(step): the newest entry is there") }
    }

    private mutating func update(_ key: String) {
        let length: Int? = cache.update(key) { value in
            value.append(7)
            return value.count
        }
        guard let length else { return }
        #expect(length == (entries[key]?.value.count ?? 0) + 1)
        #expect(entries[key].map(isAlive) == true)
        entries[key]?.value.append(7)
        entries[key]?.written = now
        entries[key]?.used = now
        entries[key]?.lifetime = nil
    }

    private mutating func invalidate(tag: Int) {
        cache.invalidate(tag: CacheTag("tag \(tag)"))
        for (key, entry) in entries where entry.tag == tag {
            entries[key] = nil
            #expect(cache.peek(key) == nil)
        }
    }
}
