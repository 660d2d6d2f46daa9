import BoundedCache
import CachePressure
import Glibc
import Synchronization

/// A process with two full caches in a memory cgroup that becomes too small for them: while other memory grows, the caches
/// shrink, and look-ups go on. Prints what came of it, a word and a number a line.
///
/// usage: fixture-pressure CGROUP-FOLDER LIMIT-BYTES
@main
struct FixturePressure {
    static let entryBytes = 4_096
    static let cacheBytes = 96 << 20

    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let limit = Int(arguments[2]) else { return fail("FOLDER LIMIT expected") }
        let folder = arguments[1]
        guard put("\(getpid())", into: folder + "/cgroup.procs") else { return fail("cannot join \(folder)") }

        let cheap = cache("cheap", .cheap)
        let dear = cache("dear", .dear)
        let registry = CacheRegistry()
        registry.register(cheap)
        registry.register(dear)
        let pressure = CachePressure(registry: registry) { step in say("step \(step)") }
        let service = Service(caches: [cheap, dear])
        service.answer(times: 2_000)
        say("slowest_before_us \(service.slowestMicroseconds)")

        await withTaskGroup { group in
            group.addTask { await pressure.run() }
            let ballast = Ballast()
            var crossed: ContinuousClock.Instant?
            var isReported = false
            let start = ContinuousClock.now
            // Without the governor the group's limit would be exceeded by half of what the caches hold.
            let end = limit - FixturePressure.cacheBytes
            while ballast.bytes < end, ContinuousClock.now - start < .seconds(60) {
                let pace = ContinuousClock.now + .milliseconds(8)
                repeat { service.answer(times: 20) } while ContinuousClock.now < pace
                ballast.grow(by: 1 << 20)
                let used = number(folder + "/memory.usage_in_bytes") ?? 0
                if crossed == nil, used > limit / 100 * 95 { crossed = .now }
                if !isReported, isAtFloor(cheap), isAtFloor(dear) {
                    // Zero when the floor was reached before memory was critical.
                    report("floor_ms", since: crossed ?? .now)
                    isReported = true
                }
            }
            say("ballast_bytes \(ballast.bytes)")
            say("held_bytes \(cheap.heldBytes + dear.heldBytes)")
            say("slowest_us \(service.slowestMicroseconds)")
            say("answers \(service.answers)")
            say("trims \(pressure.status.trims)")
            group.cancelAll()
        }
        say("done 1")
    }

    private static func cache(_ name: String, _ cost: RebuildCost) -> BoundedCache<Int, [UInt8]> {
        var settings = CacheSettings(name: name, bound: .bytes(cacheBytes))
        settings.rebuildCost = cost
        let cache = BoundedCache<Int, [UInt8]>(settings)
        for key in 0..<(cacheBytes / entryBytes * 2) {
            cache.insert([UInt8](repeating: 1, count: entryBytes), for: key)
        }
        return cache
    }

    private static func isAtFloor(_ cache: BoundedCache<Int, [UInt8]>) -> Bool {
        cache.heldBytes <= cacheBytes / 10 + 1
    }

    private static func report(_ name: String, since instant: ContinuousClock.Instant) {
        say("\(name) \(Int((ContinuousClock.now - instant) / .milliseconds(1)))")
    }

    private static func fail(_ reason: String) {
        say("error \(reason)")
        exit(2)
    }

    private static func put(_ text: String, into path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return text.withCString { write(descriptor, $0, strlen($0)) } > 0
    }

    private static func number(_ path: String) -> Int? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return Int(String(decoding: bytes[..<count].filter { (0x30...0x39).contains($0) }, as: UTF8.self))
    }
}

/// A line at once: what a killed process still held in a buffer nobody would see.
private func say(_ line: String) {
    _ = (line + "\n").withCString { write(1, $0, strlen($0)) }
}

/// Memory that grows and is never given back.
private final class Ballast {
    private(set) var bytes = 0

    func grow(by count: Int) {
        guard let block = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            block != MAP_FAILED
        else { return }
        memset(block, 1, count)
        bytes += count
    }
}

/// What a service does with caches.
private final class Service {
    private let caches: [BoundedCache<Int, [UInt8]>]
    private var turn = 0
    private(set) var answers = 0
    private(set) var slowestMicroseconds = 0

    init(caches: [BoundedCache<Int, [UInt8]>]) {
        self.caches = caches
    }

    func answer(times: Int) {
        for _ in 0..<times {
            turn += 1
            let start = ContinuousClock.now
            let cache = caches[turn % caches.count]
            let key = turn &* 7_919 % 30_000
            if cache.value(for: key) == nil {
                cache.insert([UInt8](repeating: 2, count: FixturePressure.entryBytes), for: key)
            }
            answers += 1
            slowestMicroseconds = max(slowestMicroseconds, Int((ContinuousClock.now - start) / .microseconds(1)))
        }
    }
}
