import BoundedCache
import LeakTesting
import OakumTestKit
import Testing

@testable import CachePressure

/// What governs the caches of a service must not grow with time, pressure or caches.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `a governor does not grow with pressure that comes and goes, nor with caches that do`() {
        let lasting = BoundedCache<Int, Int>(CacheSettings(name: "lasting", bound: .entries(100)))
        for key in 0..<100 { lasting.insert(key, for: key) }
        var governed = GovernedCaches(governor: MemoryGovernor())
        var second = 0
        expectNoGrowth {
            second += 10
            let passing = BoundedCache<Int, Int>(CacheSettings(name: "passing", bound: .entries(100)))
            passing.insert(1, for: 1)
            // Ten steps of pressure, then calm for long enough to grow.
            let used = second / 10 % 20 < 10 ? 90 : 30
            let place = MemoryReading.Place(name: "group", usedBytes: used << 20, limitBytes: 100 << 20)
            let reading = MemoryReading(time: .seconds(second), places: [place], stalledMicroseconds: UInt64(second))
            _ = governed.step(reading, caches: [lasting, passing])
        }
    }

    @Test func `readings of memory leave nothing behind`() {
        let sources = MemorySources.ofThisProcess(budgetBytes: 1 << 30)
        expectNoGrowth(calls: 50) {
            let reading = sources.read(at: .seconds(1), stallTriggered: false)
            #expect(!reading.places.isEmpty)
        }
    }

    @Test func `what governs a process goes away with its thread`() async throws {
        try await expectDeallocated {
            let registry = CacheRegistry()
            registry.register(BoundedCache<Int, Int>(CacheSettings(name: "leak", bound: .entries(10))))
            let pressure = CachePressure(
                registry: registry, sources: .ofThisProcess(budgetBytes: 1 << 40), settings: .init(), onStep: { _ in })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await pressure.run() }
                try await eventually("a reading") { pressure.status.level != .unknown }
                group.cancelAll()
                try await group.waitForAll()
            }
            return pressure
        }
    }
}
