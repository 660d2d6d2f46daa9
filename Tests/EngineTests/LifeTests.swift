import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Recycling
import Testing

@Suite(.timeLimit(.minutes(10)))
struct LifeTests {
    @Test func `a first start brings up the workers and tells it in order`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            #expect(try oakum.life.up.values == [true])
            oakum.advance(5)
            #expect(try oakum.serving() == [1, 2])
            let kinds = oakum.journal.events.map(\.kind)
            #expect(kinds.first == .watchStarted)
            #expect(kinds.filter { $0 == .workerStarted }.count == 2)
            #expect(kinds.filter { $0 == .workerReady }.count == 2)
            #expect(kinds.count == 5)
            #expect(oakum.journal.with { $0.records.map(\.id) } == [1, 2, 3, 4, 5])
        }
    }

    @Test func `starts that are told before the first order returns are not missed`() async throws {
        var keeper = KeeperModel(seed: 1) { _, _ in
            var behaviour = KeeperModel.Behaviour()
            behaviour.readyAfter = 0
            return behaviour
        }
        keeper.startDelay = 0
        try await EngineSimulation.run(keepers: ["web": keeper]) { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            #expect(try oakum.serving() == [1, 2])
            #expect(oakum.journal.events(.workerStarted).count == 2)
        }
    }

    @Test func `an address in use at the start is thrown, and nobody is told that oakum is up`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.world.with { $0.orderTrouble = .addressInUse("127.0.0.1:80") }
            oakum.start(.web())
            #expect(try oakum.outcome == .failed(.addressInUse("127.0.0.1:80")))
            #expect(try oakum.life.up.values.isEmpty)
        }
    }

    @Test func `ending detached needs no time, leaves the workers alone and writes the last events`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            let orders = oakum.world.with { $0.orders.count }
            #expect(try oakum.end(.detached) == .ended(.detached))
            #expect(oakum.journal.events.last?.kind == .watchStopped)
            #expect(oakum.journal.events.last?.message.contains("the workers go on") == true)
            #expect(oakum.world.with { $0.orders.count } == orders)
            #expect(oakum.world.with { $0.keepers["web"]?.living.count } == 2)
        }
    }

    @Test func `down stops workers and keeper, and says so`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            #expect(try oakum.perform(.down).contains("stopping"))
            #expect(try oakum.outcome == .ended(.down))
            #expect(oakum.world.with { $0.stopped })
            let told = oakum.journal.events.suffix(2).map(\.kind)
            #expect(told == [.command, .watchStopped])
        }
    }

    @Test func `down with a dead keeper ends, fails, and does not claim that the workers stopped`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.world.loseKeeper()
            oakum.advance(3)
            #expect(try oakum.end(.down) == .failed(.keeperLost("nobody listens")))
            let last = try #require(oakum.journal.events.last)
            #expect(last.kind == .watchStopped)
            #expect(last.message.contains("could not be stopped"))
        }
    }

    @Test(arguments: [EngineSimulation.SimulatedEngine.Ending.detached, .down])
    func `nothing holds up the end: dead keeper, hung probes, failing stores`(
        _ ending: EngineSimulation.SimulatedEngine.Ending
    ) async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.world.with { $0.hungProbes = [1, 2] }
            oakum.start(.web())
            oakum.advance(15)
            oakum.world.loseKeeper()
            oakum.journal.fail(.diskFull("full"))
            oakum.history.fail(.failed("gone"))
            oakum.advance(3.3)
            #expect(try oakum.end(ending) != nil)
        }
    }

    @Test func `an ending that was wished for before the start counts`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.world.with { $0.orderTrouble = nil }
            oakum.start(.web())
            #expect(try oakum.end(.detached) == .ended(.detached))
            #expect(try oakum.end(.down) == .ended(.detached))
        }
    }

    @Test func `a killed worker is told with its signal and comes back under its number`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.world.kill(1)
            oakum.settle()
            #expect(try oakum.serving() == [2])
            let exit = try #require(oakum.journal.events(.workerExited).last)
            #expect(exit.worker == 1)
            #expect(exit.message.contains("signal 9"))
            #expect(exit.facts["asked"] == "false")
            oakum.advance(5)
            #expect(try oakum.serving() == [1, 2])
            #expect(oakum.journal.events(.workerExited).count == 1)
        }
    }

    @Test func `a worker that cannot be started is told, and tried again`() async throws {
        let keeper = KeeperModel(seed: 1) { number, generator in
            var behaviour = KeeperModel.Behaviour()
            behaviour.startFails = number == 1 && generator.chance(0.7)
            return behaviour
        }
        try await EngineSimulation.run(keepers: ["web": keeper]) { (oakum) throws in
            oakum.start(.web())
            try oakum.advance(until: "both serve") { try oakum.serving() == [1, 2] }
            #expect(oakum.journal.messages(.workerFailed).contains { $0.contains("no such file") })
        }
    }

    @Test func `a quiet hour is quiet in the journal`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(3_600)
            #expect(oakum.journal.events.count <= 5 + 2 * 3)
            #expect(try oakum.problems().isEmpty)
            #expect(oakum.history.with { $0.appends } >= 3_590)
            #expect((4...8).contains(oakum.journal.with { $0.prunes.count }))
        }
    }
}
