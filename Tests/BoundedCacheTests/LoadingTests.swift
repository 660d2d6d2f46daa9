import BoundedCache
import OakumTestKit
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2)))
struct LoadingTests {
    private struct Broken: Error {}

    private func cache(_ times: CacheTimes = CacheTimes(), _ time: ManualTime = ManualTime()) -> BoundedCache<
        String, Int
    > {
        var settings = CacheSettings(name: "test", bound: .entries(1_000))
        settings.times = times
        settings.clock = time.clock
        return BoundedCache(settings)
    }

    /// A load that a test holds up.
    fileprivate final class Gate: Sendable {
        private struct State {
            var isOpen = false
            var waiting: [CheckedContinuation<Void, Never>] = []
            var arrivals = 0
        }
        private let state = Mutex(State())

        var arrivals: Int { state.withLock { $0.arrivals } }

        func pass() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    state.arrivals += 1
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }

        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    @Test func `many who ask for one key cause one load`() async throws {
        let cache = cache()
        let gate = Gate()
        let calls = SharedNumber()
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await cache.value(for: "k") { _ in
                        calls.add()
                        await gate.pass()
                        return 7
                    }
                }
            }
            try await eventually("all others wait") { cache.statistics.loadWaits == 49 }
            gate.open()
            for try await value in group { #expect(value == 7) }
        }
        #expect(calls.value == 1)
        #expect(cache.value(for: "k") == 7)
        #expect(cache.statistics.loads == 1)
    }

    @Test func `who is cancelled while waiting leaves alone`() async throws {
        let cache = cache()
        let gate = Gate()
        try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask {
                try await cache.value(for: "k") { _ in
                    await gate.pass()
                    return 7
                }
            }
            try await eventually("the load has begun") { gate.arrivals == 1 }
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: Int?.self) { inner in
                    inner.addTask { try await cache.value(for: "k") { _ in 8 } }
                    try await eventually("the second waits") { cache.statistics.loadWaits == 1 }
                    inner.cancelAll()
                    _ = try await inner.next()
                }
            }
            gate.open()
            #expect(try await group.next() == 7)
        }
    }

    @Test func `when the one that loads is cancelled, the next loads in its stead`() async throws {
        let cache = cache()
        try await withThrowingTaskGroup(of: Int?.self) { group in
            let started = SharedNumber()
            await withThrowingTaskGroup(of: Int?.self) { first in
                first.addTask {
                    try await cache.value(for: "k") { _ in
                        started.add()
                        try await Gate.forever()
                        return 1
                    }
                }
                do {
                    try await eventually("the first loads") { started.value == 1 }
                } catch { Issue.record(error) }
                for _ in 0..<5 { group.addTask { try await cache.value(for: "k") { _ in 2 } } }
                do {
                    try await eventually("the others wait") { cache.statistics.loadWaits == 5 }
                } catch { Issue.record(error) }
                first.cancelAll()
            }
            for try await value in group { #expect(value == 2) }
        }
        #expect(cache.statistics.loadHandOvers == 1)
        #expect(cache.statistics.loads == 2)
    }

    @Test func `an error goes to all who wait and is not remembered`() async throws {
        let cache = cache()
        await #expect(throws: Broken.self) { try await cache.value(for: "k") { _ in throw Broken() } }
        #expect(try await cache.value(for: "k") { _ in 3 } == 3)
        #expect(cache.statistics.loadFailures == 1)
    }

    @Test func `an absence is remembered for its own time`() async throws {
        let time = ManualTime()
        let cache = cache(CacheTimes(timeToLive: .seconds(100), negativeTimeToLive: .seconds(5)), time)
        let calls = SharedNumber()
        let load: @Sendable (String) async throws -> Int? = { _ in
            calls.add()
            return nil
        }
        #expect(try await cache.value(for: "k", load: load) == nil)
        #expect(try await cache.value(for: "k", load: load) == nil)
        #expect(calls.value == 1)
        #expect(cache.lookUp("k") == .absent)
        #expect(cache.value(for: "k") == nil)
        time.advance(.seconds(5))
        #expect(cache.lookUp("k") == .unknown)
        #expect(try await cache.value(for: "k", load: load) == nil)
        #expect(calls.value == 2)
    }

    @Test func `an expired value is the answer when its reload fails`() async throws {
        let time = ManualTime()
        let cache = cache(CacheTimes(timeToLive: .seconds(10), staleOnError: .seconds(30)), time)
        cache.insert(1, for: "k")
        time.advance(.seconds(20))
        #expect(cache.value(for: "k") == nil)
        #expect(try await cache.value(for: "k") { _ in throw Broken() } == 1)
        #expect(cache.statistics.staleHits == 1)
        #expect(try await cache.value(for: "k") { _ in 2 } == 2)
        time.advance(.seconds(41))
        await #expect(throws: Broken.self) { try await cache.value(for: "k") { _ in throw Broken() } }
    }

    @Test func `a value that is due is reloaded once, by the one that finds it where nobody else does`() async throws {
        let time = ManualTime()
        let cache = cache(CacheTimes(timeToLive: .seconds(100), refreshAfter: .seconds(10)), time)
        cache.insert(1, for: "k")
        time.advance(.seconds(11))
        #expect(try await cache.value(for: "k") { _ in 2 } == 2)
        #expect(try await cache.value(for: "k") { _ in 3 } == 2)
        time.advance(.seconds(11))
        #expect(try await cache.value(for: "k") { _ in throw Broken() } == 2, "the old one is better than none")
        #expect(cache.statistics.refreshes == 2)
    }

    @Test func `reloads run beside their callers where the service runs them`() async throws {
        let time = ManualTime()
        let cache = cache(CacheTimes(timeToLive: .seconds(100), refreshAfter: .seconds(10)), time)
        cache.insert(1, for: "k")
        time.advance(.seconds(11))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await cache.runRefreshes(atOnce: 2) }
            try await eventually("a reload runs beside its caller") {
                // Before the runner is up the caller reloads itself, and gets the new value.
                if try await cache.value(for: "k", load: { _ in 2 }) == 1 { return true }
                cache.insert(1, for: "k")
                time.advance(.seconds(11))
                return false
            }
            try await eventually("the reload's result is there") { cache.value(for: "k") == 2 }
            group.cancelAll()
        }
    }

    @Test func `what was invalidated during its load is answered and not kept`() async throws {
        let cache = cache()
        for act in 0..<3 {
            let gate = Gate()
            try await withThrowingTaskGroup(of: Int?.self) { group in
                group.addTask {
                    try await cache.value(for: "k") { _ in
                        await gate.pass()
                        return 7
                    }
                }
                try await eventually("the load has begun") { gate.arrivals == 1 }
                switch act {
                case 0: cache.invalidate("k")
                case 1: cache.invalidateAll()
                default: cache.invalidate(tag: "any")
                }
                gate.open()
                #expect(try await group.next() == 7)
            }
            #expect(cache.value(for: "k") == nil)
        }
    }

    @Test func `a value that was put in during a load is not overwritten by it`() async throws {
        let cache = cache()
        let gate = Gate()
        try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask {
                try await cache.value(for: "k") { _ in
                    await gate.pass()
                    return 7
                }
            }
            try await eventually("the load has begun") { gate.arrivals == 1 }
            cache.insert(8, for: "k")
            gate.open()
            _ = try await group.next()
        }
        #expect(cache.value(for: "k") == 8)
    }

    @Test func `many keys are loaded in one call, without those somebody else loads`() async throws {
        let cache = cache(CacheTimes(negativeTimeToLive: .seconds(5)))
        cache.insert(1, for: "a")
        let asked = Recorder<[String]>()
        let found = try await cache.values(for: ["a", "b", "c", "b"]) { keys in
            asked.record(keys.sorted())
            return ["b": 2]
        }
        #expect(found == ["a": 1, "b": 2])
        #expect(asked.values == [["b", "c"]])
        #expect(cache.lookUp("c") == .absent)
    }
}

extension LoadingTests.Gate {
    fileprivate static func forever() async throws { try await VirtualClock().sleep(until: .init(offset: .seconds(1))) }
}
