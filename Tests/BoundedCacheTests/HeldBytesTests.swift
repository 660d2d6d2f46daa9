import BoundedCache
import CLinux
import Glibc
import OakumTestKit
import Testing

/// The bound against the allocator's own count, each time in a process of its own.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: !Sanitizer.isOn, "a sanitizer brings its own allocator"))
struct HeldBytesTests {
    @Test func `held bytes are what the allocator counts, for strings and arrays`() async {
        await #expect(processExitsWith: .success) {
            try within3Percent { generator in
                var settings = CacheSettings(name: "arrays", bound: .bytes(20 << 20))
                settings.shards = 4
                let cache = BoundedCache<String, [UInt8]>(settings)
                for index in 0..<60_000 {
                    let length = generator.chance(0.01) ? generator.int(1_000...300_000) : generator.int(0...900)
                    cache.insert(
                        [UInt8](repeating: 1, count: length), for: "account/\(index)/of somebody\(index % 7)")
                }
                return cache
            }
        }
    }

    @Test func `held bytes are what the allocator counts, for small entries with time and tags`() async {
        await #expect(processExitsWith: .success) {
            try within3Percent { generator in
                var settings = CacheSettings(name: "small", bound: .bytes(8 << 20))
                settings.times.timeToLive = .seconds(60)
                let cache = BoundedCache<UInt64, UInt64>(settings)
                for index in 0..<200_000 {
                    let tags: [CacheTag] = generator.chance(0.2) ? [CacheTag("tag \(index % 100)")] : []
                    cache.insert(UInt64(index), for: generator.next() % 150_000, tags: tags)
                }
                return cache
            }
        }
    }

    @Test func `held bytes are what the allocator counts, for objects, collections and the adaptive policy`() async {
        await #expect(processExitsWith: .success) {
            try within3Percent { generator in
                var settings = CacheSettings(name: "objects", bound: .bytes(12 << 20))
                settings.policy = .adaptive
                let cache = BoundedCache<[Int], Profile>(settings)
                for index in 0..<40_000 {
                    cache.insert(Profile(&generator), for: [index, index * 2, generator.int(0...9)])
                }
                return cache
            }
        }
    }

    @Test func `held bytes are what the allocator counts, after it was emptied and made smaller`() async {
        await #expect(processExitsWith: .success) {
            try within3Percent(slack: 4_096) { generator in
                let cache = BoundedCache<String, String>(CacheSettings(name: "resized", bound: .bytes(16 << 20)))
                for index in 0..<80_000 {
                    cache.insert(
                        String(repeating: "v", count: generator.int(0...200)), for: "a key that is long \(index)")
                }
                cache.resize(to: .bytes(1 << 20))
                guard cache.heldBytes <= 1 << 20 else { throw Miss(held: cache.heldBytes, counted: 1 << 20) }
                return cache
            }
        }
    }

    @Test func `the bound holds at every instant that another thread looks`() async throws {
        let limit = 3 << 20
        var settings = CacheSettings(name: "watched", bound: .bytes(limit))
        settings.shards = 8
        let cache = BoundedCache<UInt64, [UInt8]>(settings)
        let isDone = SharedNumber()
        let most = SharedNumber()
        let looks = SharedNumber()
        // Threads of their own: tasks would wait for each other on a machine with few processors.
        let writers = (0..<2).map { worker in
            RunningThread {
                var generator = SeededGenerator(seed: UInt64(worker))
                for _ in 0..<30_000 {
                    let key = UInt64(generator.int(0...20_000))
                    if cache.value(for: key) == nil {
                        cache.insert([UInt8](repeating: 0, count: generator.int(0...2_000)), for: key)
                    }
                }
                isDone.add()
            }
        }
        let watcher = RunningThread {
            while isDone.value < 2 {
                most.raise(to: cache.heldBytes)
                looks.add()
                // Looking locks every shard: with no pause nobody else would get far.
                for _ in 0..<2_000 where isDone.value < 2 {}
            }
        }
        for thread in writers + [watcher] { thread.join() }
        #expect(looks.value > 100)
        #expect(most.value <= limit)
        #expect(most.value > limit * 9 / 10, "it fills what it may")
    }
}

private struct Miss: Error, CustomStringConvertible {
    var held: Int
    var counted: Int
    var description: String { "the cache says \(held), the allocator \(counted)" }
}

private final class Profile: Sendable, MemorySized {
    let name: String
    let groups: [String]
    let scores: [String: Int]

    init(_ generator: inout SeededGenerator) {
        name = String(repeating: "n", count: generator.int(0...60))
        groups = (0..<generator.int(0...4)).map { "group number \($0) of the profile" }
        scores = Dictionary(uniqueKeysWithValues: (0..<generator.int(0...9)).map { ("s\($0)", $0) })
    }

    var heapBytes: Int {
        ObjectMemory.bytes(of: self) + name.heapBytes + groups.heapBytes + scores.heapBytes
    }
}

/// Builds a cache twice (the first warms up whatever allocates once) and compares what it says with what was allocated.
private func within3Percent<Key: Hashable & Sendable, Value: Sendable>(
    slack: Int = 0, _ build: (inout SeededGenerator) throws -> BoundedCache<Key, Value>
) throws {
    var warming = SeededGenerator(seed: 1)
    _ = try build(&warming)
    let before = allocated()
    var generator = SeededGenerator(seed: 2)
    let cache = try build(&generator)
    let counted = allocated() - before
    let held = cache.heldBytes
    let miss = Miss(held: held, counted: counted)
    guard abs(Double(held - counted)) <= 0.03 * Double(counted) + Double(slack) else { throw miss }
}

/// Bytes in use by the allocator's own count: in its arenas and in blocks mapped by themselves.
private func allocated() -> Int {
    let info = mallinfo2()
    return info.uordblks + info.hblkhd
}
