import CachePressure
import OakumTestKit
import Testing

/// The decisions, on virtual time.
@Suite struct MemoryGovernorTests {
    private typealias Governor = MemoryGovernor

    /// Memory of 1,000 MiB with caches of 100 MiB each, which hold what their bound allows.
    private struct World {
        static let limit = 1_000 << 20
        var governor = MemoryGovernor()
        var time = Duration.zero
        /// MiB beside the caches.
        var other = 400
        /// By cost: cheap, moderate, dear.
        var fills = [1.0, 1.0, 1.0]
        var stalled: UInt64 = 0
        var killed: UInt64 = 0
        var reclaimed: UInt64 = 0
        /// MiB that caches gave up, but the allocator has kept.
        var retained = 0.0
        var trims = 0

        var used: Int { other + Int(fills.reduce(0, +) * 100) + Int(retained) }

        @discardableResult
        mutating func step(after seconds: Double, triggered: Bool = false) -> MemoryGovernor.Decision {
            time += .seconds(seconds)
            let place = MemoryReading.Place(
                name: "group", usedBytes: used << 20, limitBytes: World.limit, limitEvents: reclaimed,
                killEvents: killed)
            let caches = fills.indices.map {
                MemoryGovernor.Cache(id: $0, cost: $0, heldBytes: Int(fills[$0] * 100) << 20, fill: fills[$0])
            }
            let decision = governor.decide(
                MemoryReading(
                    time: time, places: [place], stalledMicroseconds: stalled, stallTriggered: triggered),
                caches: caches)
            for (cache, share) in decision.shares where fills[cache] > share {
                retained += (fills[cache] - share) * 100
                fills[cache] = share
            }
            if decision.trims {
                trims += 1
                retained = 0
            }
            return decision
        }
    }

    @Test func `while there is enough nothing changes`() {
        var world = World()
        for _ in 0..<1_000 { #expect(world.step(after: 1).shares.isEmpty) }
        #expect(world.trims == 0)
    }

    @Test func `the cheapest cache shrinks first, and only as many as it takes`() {
        var world = World()
        world.other = 560
        let decision = world.step(after: 1)
        #expect(decision.level == .high)
        #expect(decision.reason == "group: 86 % of 1000 MiB")
        // 110 MiB above what is comfortable: all three have to give, 30 MiB each.
        #expect(decision.shares == [0: 0.7, 1: 0.7, 2: 0.7])
        world = World()
        world.governor = MemoryGovernor(settings: settings { $0.tight = 0.84 })
        world.other = 560
        // 20 MiB: the cheapest alone can give them.
        #expect(world.step(after: 1).shares == [0: 0.7])
    }

    @Test func `steps go down to the floor and not below`() {
        var world = World()
        for _ in 0..<100 {
            world.other = 1_000 - 130 - Int(world.fills.reduce(0, +) * 100)
            world.step(after: 1)
        }
        #expect(world.fills == [0.1, 0.1, 0.1])
    }

    @Test func `near the limit all go to the floor at once, and memory goes back to the kernel`() {
        var world = World()
        world.other = 655
        let decision = world.step(after: 0.02)
        #expect(decision.level == .critical)
        #expect(decision.shares == [0: 0.1, 1: 0.1, 2: 0.1])
        #expect(decision.trims)
    }

    @Test func `bytes that were freed but not returned do not drive caches to the floor`() {
        var world = World()
        world.other = 560
        world.governor = MemoryGovernor(settings: settings { $0.trimInterval = .seconds(1_000) })
        world.step(after: 1)
        #expect(world.trims == 1)
        world.other = 660
        world.step(after: 1)
        let after = world.fills
        // The allocator keeps what was freed now, and usage does not fall.
        for _ in 0..<50 { world.step(after: 0.5) }
        #expect(world.retained > 50)
        #expect(world.fills == after)
    }

    @Test func `a kill is the end of patience, and reclaim only where memory is tight anyway`() {
        var world = World()
        world.step(after: 1)
        world.reclaimed = 100
        #expect(world.step(after: 1).level == .calm)
        world.other = 470
        #expect(world.step(after: 1).level == .tight)
        world.reclaimed = 200
        #expect(world.step(after: 1).level == .high)
        world.killed = 1
        #expect(world.step(after: 1).level == .critical)
    }

    @Test func `a stall halves the cheapest once, however long the averages remember it`() {
        var world = World()
        world.step(after: 1)
        world.stalled = 200_000
        let decision = world.step(after: 0.25)
        #expect(decision.level == .stalled)
        #expect(decision.shares == [0: 0.5])
        for _ in 0..<20 { #expect(world.step(after: 0.25).shares.isEmpty) }
        // The kernel's own word counts the same; what the first stall caused does not.
        #expect(world.step(after: 1, triggered: true).shares == [0: 0.25])
        #expect(world.step(after: 0.1, triggered: true).shares.isEmpty)
    }

    @Test func `short stalls now and then are everyday life`() {
        var world = World()
        for _ in 0..<600 {
            world.stalled += 15_000
            #expect(world.step(after: 0.25).level == .calm)
        }
    }

    @Test func `after a minute of calm caches grow back slowly, the dearest first`() {
        var world = World()
        world.other = 655
        world.step(after: 1)
        world.other = 300
        let start = world.time
        var firstGrowth: Duration?
        var order: [Int] = []
        while world.governor.share(of: 0) < 1, world.time < .seconds(5_000) {
            let decision = world.step(after: 0.25)
            for (cache, share) in decision.shares {
                firstGrowth = firstGrowth ?? world.time - start
                if order.last != cache { order.append(cache) }
                world.fills[cache] = share
            }
        }
        #expect(firstGrowth.map { (.seconds(60)...(.seconds(61))).contains($0) } == true)
        #expect(order == [2, 1, 0])
        // 3 caches, 45 steps of 10 s each.
        #expect((.seconds(1_300)...(.seconds(1_450))).contains(world.time - start))
    }

    @Test func `nothing grows while memory grows by itself, nor into what is tight`() {
        var world = World()
        world.other = 655
        world.step(after: 1)
        world.other = 300
        var growing = 0
        for _ in 0..<300 {
            world.other += 1
            if !world.step(after: 1).shares.isEmpty { growing += 1 }
        }
        #expect(growing <= 1)
        // 5 MiB below what is tight, and nobody uses what it is given: two steps of 2 MiB, no more.
        world.other = 745 - (world.used - world.other)
        var given = 0
        for _ in 0..<300 { given += world.step(after: 1).shares.count }
        #expect(given <= 2)
    }

    @Test func `whatever happens, shares stay between floor and one, and trims keep their distance`() async throws {
        try await forAll(seeds: 200) { generator in
            var world = World()
            var lastTrim = Duration.seconds(-100)
            for _ in 0..<500 {
                world.other = max(0, world.other + generator.int(-60...60))
                world.stalled += UInt64(generator.int(0...9) == 0 ? generator.int(0...400_000) : 0)
                world.reclaimed += UInt64(generator.int(0...3))
                let decision = world.step(after: Double(generator.int(1...3_000)) / 1_000)
                for share in decision.shares.values { try #require((0.1...1).contains(share)) }
                guard decision.trims else { continue }
                let distance: Duration = decision.level == .critical ? .milliseconds(100) : .seconds(10)
                try #require(world.time - lastTrim >= distance)
                lastTrim = world.time
            }
        }
    }

    private func settings(_ change: (inout MemoryGovernor.Settings) -> Void) -> MemoryGovernor.Settings {
        var settings = MemoryGovernor.Settings()
        change(&settings)
        return settings
    }
}
