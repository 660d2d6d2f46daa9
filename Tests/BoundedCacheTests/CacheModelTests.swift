import BoundedCache
import OakumTestKit
import Testing

/// A plain dictionary beside the cache: it knows what may be found, and the cache may know less, never other things.
@Suite(.timeLimit(.minutes(5)))
struct CacheModelTests {
    private struct Model {
        struct Entry {
            var value: [UInt8]
            var written: Int
            var used: Int
            var lifetime: Int?
            var tag: Int
        }
        var entries: [String: Entry] = [:]
        var now = 0
    }

    @Test(arguments: EvictionPolicy.allCases)
    func `it never finds what a plain dictionary would not, and never holds more than its bound`(
        policy: EvictionPolicy
    ) async throws {
        try await forAll(seeds: Sanitizer.isOn ? 2 : 12) { generator in
            try run(&generator, policy: policy, operations: 25_000)
        }
    }

    private func run(_ generator: inout SeededGenerator, policy: EvictionPolicy, operations: Int) throws {
        // Eight shards of their own structure have to fit.
        let least = policy == .adaptive ? 160_000 : 60_000
        var limit = generator.int(least...400_000)
        let time = ManualTime()
        var settings = CacheSettings(name: "model", bound: .bytes(limit))
        settings.policy = policy
        settings.shards = [1, 2, 8][generator.int(0...2)]
        settings.clock = time.clock
        let isTimed = generator.chance(0.5)
        let timeToLive = isTimed && generator.chance(0.7) ? generator.int(1...50) : nil
        let idle = isTimed && generator.chance(0.4) ? generator.int(1...50) : nil
        settings.times = CacheTimes(
            timeToLive: timeToLive.map { .seconds($0) }, idleTime: idle.map { .seconds($0) }, allowsLifetimes: isTimed)
        let removed = SharedNumber()
        let cache = BoundedCache<String, [UInt8]>(
            settings, onRemoval: { _ in removed.add() })
        var model = Model()
        let keys = generator.int(50...3_000)
        let largest = [4, 100, 3_000][generator.int(0...2)]
        func isAlive(_ entry: Model.Entry) -> Bool {
            if let life = entry.lifetime ?? timeToLive, model.now - entry.written >= life { return false }
            if let idle, model.now - entry.used >= idle { return false }
            return true
        }
        for step in 0..<operations {
            let now = model.now
            let key = "key number \(generator.int(0...keys))"
            switch generator.int(0...99) {
            case 0..<45:
                let value = cache.value(for: key)
                if let value {
                    let known = model.entries[key]
                    #expect(known?.value == value, "step \(step)")
                    #expect(known.map(isAlive) == true, "step \(step): expired")
                    model.entries[key]?.used = now
                }
            case 45..<90:
                let value = [UInt8](repeating: UInt8(step & 255), count: generator.int(0...largest))
                let life = isTimed && generator.chance(0.2) ? generator.int(1...100) : nil
                let tag = generator.int(0...5)
                let isIn = cache.insert(
                    value, for: key, lifetime: life.map { .seconds($0) }, tags: [CacheTag("tag \(tag)")])
                model.entries[key] =
                    isIn
                    ? Model.Entry(value: value, written: model.now, used: model.now, lifetime: life, tag: tag) : nil
                if isIn { #expect(cache.peek(key) == value, "step \(step): the newest entry is there") }
            case 90..<94:
                cache.invalidate(key)
                model.entries[key] = nil
                #expect(cache.peek(key) == nil)
            case 94..<96:
                let seconds = generator.int(1...20)
                time.advance(.seconds(seconds))
                model.now += seconds
            case 96:
                let length: Int? = cache.update(key) { value in
                    value.append(7)
                    return value.count
                }
                if let length {
                    #expect(length == (model.entries[key]?.value.count ?? 0) + 1)
                    #expect(model.entries[key].map(isAlive) == true)
                    model.entries[key]?.value.append(7)
                    model.entries[key]?.written = now
                    model.entries[key]?.used = now
                    model.entries[key]?.lifetime = nil
                }
            case 97 where generator.chance(0.05):
                let tag = generator.int(0...5)
                cache.invalidate(tag: CacheTag("tag \(tag)"))
                for (key, entry) in model.entries where entry.tag == tag {
                    model.entries[key] = nil
                    #expect(cache.peek(key) == nil)
                }
            case 98 where generator.chance(0.05):
                limit = generator.int(least...400_000)
                cache.resize(to: .bytes(limit))
            case 99 where generator.chance(0.05):
                let length = generator.int(0...largest)
                cache.invalidate(where: { _, value in value.count > length })
                model.entries = model.entries.filter { $0.value.value.count <= length }
                for entry in cache.snapshot() { #expect(entry.value.count <= length) }
            default:
                break
            }
            if step % 16 == 0 { #expect(cache.heldBytes <= limit, "step \(step)") }
        }
        for (key, value) in cache.snapshot() { #expect(model.entries[key]?.value == value) }
        let statistics = cache.statistics
        #expect(statistics.insertions == statistics.removals.total + UInt64(cache.count))
        cache.invalidateAll()
        #expect(cache.count == 0)
        #expect(cache.statistics.removals.total == UInt64(removed.value))
        #expect(cache.heldBytes <= limit)
    }
}
