import BoundedCache
import Synchronization

final class SoakCount: Sendable {
    private let number = Atomic(0)
    var value: Int { number.load(ordering: .relaxed) }
    func add() { number.add(1, ordering: .relaxed) }
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, seeded, good enough for choices.
struct SoakRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
    /// Sizes from 0 to 16 KiB, small ones most; now and then one of 200 KiB.
    mutating func size() -> Int { below(500) == 0 ? 200_000 : below(1 << (4 + below(11))) }
    /// Of a set that is some times what fits; a third of the uses meet a hundredth of the keys.
    mutating func key() -> UInt64 { UInt64(below(3) == 0 ? below(300) : below(30_000)) }
}

/// What goes through the caches. Each worker draws its own operations until told to stop.
struct SoakLoad: Sendable {
    static let workers = 4
    static let loaders = 3

    struct Failure: Error {}

    let caches: SoakCaches
    let operations = SoakCount()
    let isOver = SoakEnd()

    static func name(_ key: UInt64) -> String { "an account's key of more than fifteen bytes, number \(key)" }

    /// Reads and writes without waiting for anything.
    @concurrent
    func work(seed: UInt64) async {
        var random = SoakRandom(seed: seed)
        while !isOver.value {
            for _ in 0..<64 { step(&random) }
            operations.add()
            await Task.yield()
        }
    }

    private func step(_ random: inout SoakRandom) {
        let key = random.key()
        let name = SoakLoad.name(key)
        switch random.below(1_000) {
        case 0..<350: _ = caches.texts.value(for: name)
        case 350..<550: _ = caches.numbers.value(for: key)
        case 550..<750:
            let tags: [CacheTag] = random.below(4) == 0 ? [CacheTag("tag \(key % 50)"), "all"] : []
            caches.texts.insert([UInt8](repeating: 1, count: random.size()), for: name, tags: tags)
        case 750..<900: caches.numbers.insert(String(repeating: "v", count: random.size()), for: key)
        case 900..<940:
            caches.texts.invalidate(name)
            caches.numbers.invalidate(key)
        case 940..<970: _ = caches.texts.update(name) { $0.append(contentsOf: [1, 2, 3]) }
        case 970..<980:
            caches.texts.insert(
                [UInt8](repeating: 2, count: random.size()), for: name, lifetime: .milliseconds(random.below(100)))
        case 980..<990: _ = caches.texts.peek(name)
        case 990..<998: caches.texts.removeExpired()
        case 998: caches.texts.invalidate(tag: CacheTag("tag \(key % 50)"))
        default:
            if random.below(20) == 0 { caches.numbers.invalidate { key, _ in key % 3 == 0 } }
            if random.below(200) == 0 { _ = caches.texts.snapshot().count }
            if random.below(400) == 0 { caches.texts.invalidateAll() }
        }
    }

    /// Loads through the cache: with failures, absences, several at once, and cancelled ones.
    @concurrent
    func load(seed: UInt64) async {
        var random = SoakRandom(seed: seed)
        while !isOver.value {
            for _ in 0..<16 {
                let names = (0..<4).map { _ in SoakLoad.name(random.key()) }
                let size = random.size()
                let luck = random.below(20)
                await withTaskGroup(of: Void.self) { group in
                    for name in names + names.prefix(2) {
                        group.addTask { @concurrent in await one(name, size, luck) }
                    }
                    if luck == 7 { group.cancelAll() }
                }
                // A failure is part of the load, and leaves the cache as it was.
                _ = try? await caches.texts.values(for: names) { missing in
                    if luck == 3 { throw Failure() }
                    return Dictionary(
                        uniqueKeysWithValues: missing.dropLast().map { ($0, [UInt8](repeating: 3, count: size)) })
                }
            }
            operations.add()
        }
    }

    private func one(_ name: String, _ size: Int, _ luck: Int) async {
        // As above: failed and cancelled loads are wanted here.
        _ = try? await caches.texts.value(for: name) { _ in
            await Task.yield()
            if luck == 5 { throw Failure() }
            return luck == 6 ? nil : [UInt8](repeating: 4, count: size)
        }
    }
}

/// Whether something is over.
final class SoakEnd: Sendable {
    private let flag = Atomic(false)
    var value: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}
