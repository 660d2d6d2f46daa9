import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

@Suite(.timeLimit(.minutes(10)))
struct KeeperTroubleTests {
    @Test func `a lost keeper is a problem that is told once, and its return too`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.world.loseKeeper()
            oakum.advance(60)
            #expect(try oakum.problems().contains { $0.hasPrefix("keeper") })
            #expect(try oakum.serving() == [1, 2])
            oakum.world.with { $0.trouble = nil }
            oakum.advance(3)
            #expect(try oakum.problems().isEmpty)
            #expect(oakum.journal.events(.problem).count == 2)
        }
    }

    @Test func `with a lost keeper nothing spins: about one call a second`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.world.loseKeeper()
            let (applies, inspects) = oakum.world.with { ($0.applyCalls, $0.inspectCalls) }
            oakum.advance(100)
            #expect(oakum.world.with { $0.applyCalls } - applies <= 202)
            #expect((90...110).contains(oakum.world.with { $0.inspectCalls } - inspects))
        }
    }

    @Test func `what happened while the keeper was lost is found out afterwards`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(workers: 3))
            oakum.advance(5)
            oakum.world.loseKeeper()
            oakum.world.kill(1)
            oakum.advance(20)
            oakum.world.kill(3)
            oakum.world.with { $0.trouble = nil }
            oakum.advance(5)
            #expect(try oakum.serving() == [1, 2, 3])
            #expect(Set(oakum.journal.events(.workerExited).compactMap(\.worker)) == [1, 3])
            #expect(oakum.journal.events(.workerExited).count == 2)
            #expect(oakum.journal.events(.workerStarted).count == 5)
        }
    }

    @Test func `a readiness that was told while nobody listened is not lost`() async throws {
        let keeper = KeeperModel(seed: 1) { _, _ in
            var behaviour = KeeperModel.Behaviour()
            behaviour.readyAfter = 5
            return behaviour
        }
        try await EngineSimulation.run(keepers: ["web": keeper]) { (oakum) throws in
            oakum.start(.web())
            oakum.advance(3)
            oakum.world.loseKeeper()
            oakum.advance(10)
            oakum.world.with { $0.trouble = nil }
            oakum.advance(5)
            #expect(try oakum.serving() == [1, 2])
        }
    }

    @Test func `a keeper that fails the first question after its return is still compared`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.world.loseKeeper(nil)
            oakum.world.with { $0.trouble = .keeperLost("still starting") }
            oakum.world.kill(1)
            oakum.advance(1)
            oakum.world.with { $0.trouble = nil }
            oakum.advance(10)
            #expect(oakum.journal.events(.workerExited).map(\.worker) == [1])
            #expect(try oakum.serving() == [1, 2])
        }
    }

    @Test func `an order that is refused is given again each second, and no more often`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.world.with { $0.orderTrouble = .refused("not now") }
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            let before = oakum.world.with { $0.applyCalls }
            oakum.advance(10)
            #expect((9...11).contains(oakum.world.with { $0.applyCalls } - before))
            #expect(try oakum.problems().contains { $0.contains("not now") })
            oakum.world.with { $0.orderTrouble = nil }
            oakum.advance(3)
            #expect(try oakum.problems().isEmpty)
            #expect(oakum.order() == [1, 2, 3] || oakum.order() == [2, 3])
            oakum.advance(10)
            #expect(try oakum.serving() == [2, 3])
        }
    }

    @Test func `a keeper that comes and goes does not flood the journal`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            for _ in 0..<100 {
                oakum.world.loseKeeper()
                oakum.advance(1.5)
                oakum.world.with { $0.trouble = nil }
                oakum.advance(1.5)
            }
            #expect(oakum.journal.events(.problem).count <= 2 * 6)
            #expect(try oakum.serving() == [1, 2])
        }
    }

    @Test func `a new keeper gets the standing order`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.world.loseKeeper()
            oakum.world.with { state in
                state.keepers["web"] = KeeperModel(seed: 2, firstPID: 900)
                state.keeperPID = 51
                state.trouble = nil
            }
            oakum.advance(10)
            #expect(oakum.order() == [1, 2])
            #expect(try oakum.serving() == [1, 2])
            #expect(try oakum.overview().oakum.keeperPID == 51)
        }
    }
}
