import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

@Suite(.timeLimit(.minutes(10)))
struct RestartTests {
    /// Workers that leak half a mebibyte a second.
    private func leaky(_ bytesPerSecond: Double = 524_288) -> KeeperModel {
        KeeperModel(seed: 1) { _, _ in
            var behaviour = KeeperModel.Behaviour()
            behaviour.growthPerSecond = bytesPerSecond
            return behaviour
        }
    }

    @Test func `keeper and workers do not notice the death of oakum, and the next one takes over`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            let before = oakum.world.with { $0.keepers["web"]?.living.map(\.identity) }
            try oakum.killOakum()
            oakum.advance(20)
            oakum.start(.web())
            oakum.advance(5)
            #expect(oakum.world.with { $0.keepers["web"]?.living.map(\.identity) } == before)
            #expect(try oakum.serving() == [1, 2])
            #expect(oakum.journal.messages(.watchStarted).last?.contains("took over 2 running workers") == true)
            #expect(oakum.journal.events(.workerExited).isEmpty)
            // How long a taken-over worker took to start is not known.
            #expect(oakum.journal.events(.workerReady).suffix(2).allSatisfy { $0.facts["after_s"] == nil })
            #expect(try oakum.overview().services[0].workers.allSatisfy { $0.startedAt == nil })
        }
    }

    @Test func `a leak found before the restart is known right after it, from the history`() async throws {
        try await EngineSimulation.run(keepers: ["web": leaky()]) { (oakum) throws in
            let configuration = EngineConfiguration.web(budget: 2_048)
            oakum.start(configuration)
            try oakum.advance(until: "a leak", limit: 2_000) {
                oakum.journal.events(.verdict).contains { $0.verdict?.code == .leak }
            }
            oakum.advance(30)
            try oakum.killOakum()
            oakum.advance(10)
            oakum.start(configuration)
            oakum.advance(2)
            let verdicts = try oakum.overview().services[0].workers.map(\.verdict.code)
            #expect(verdicts == [.leak, .leak])
        }
    }

    @Test func `a restart just before the limit still recycles in time`() async throws {
        try await EngineSimulation.run(keepers: ["web": leaky()]) { (oakum) throws in
            oakum.start(.web())
            try oakum.advance(until: "200 MiB", limit: 2_000) {
                try oakum.overview().services[0].workers.contains { ($0.latest?.rss ?? .zero) > .mebibytes(200) }
            }
            try oakum.killOakum()
            oakum.advance(3)
            oakum.start(.web())
            oakum.advance(60)
            #expect(oakum.journal.events(.recycleFinished).count >= 1)
        }
    }

    @Test func `numbers go on above all earlier ones, even when the newest workers are gone`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            _ = try oakum.perform(.recycle(service: "web", worker: nil))
            try oakum.advance(until: "both replaced") { oakum.journal.events(.recycleFinished).count == 2 }
            #expect(try oakum.serving() == [3, 4])
            #expect(try oakum.end(.down) == .ended(.down))
            oakum.advance(5)
            oakum.start(.web())
            oakum.advance(5)
            #expect(try oakum.serving() == [5, 6])
        }
    }

    @Test func `restarting oakum does not lift the limit of recycles`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(atMostPerHour: 1))
            oakum.advance(5)
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            try oakum.advance(until: "the first is replaced") { oakum.journal.events(.recycleFinished).count == 1 }
            try oakum.killOakum()
            oakum.start(.web(atMostPerHour: 1))
            _ = try oakum.perform(.recycle(service: "web", worker: 2))
            oakum.advance(600)
            #expect(oakum.journal.events(.recycleStarted).count == 1)
            oakum.advance(3_600)
            #expect(oakum.journal.events(.recycleStarted).count == 2)
        }
    }

    @Test func `a number given to a successor that never started is not given again`() async throws {
        let keeper = KeeperModel(seed: 1) { number, _ in
            var behaviour = KeeperModel.Behaviour()
            behaviour.startFails = number == 3
            return behaviour
        }
        try await EngineSimulation.run(keepers: ["web": keeper]) { (oakum) throws in
            oakum.start(.web(readyWithin: 10))
            oakum.advance(5)
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            try oakum.advance(until: "the recycle fails") { oakum.journal.events(.recycleFailed).count == 1 }
            _ = try oakum.end(.detached)
            oakum.start(.web(readyWithin: 10))
            oakum.advance(5)
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            #expect(oakum.order() == [1, 2, 4])
        }
    }

    @Test func `killed at any moment of a recycle, the next oakum brings it to its end`() async throws {
        for tenths in 0...40 {
            try await EngineSimulation.run { (oakum) throws in
                oakum.start(.web())
                oakum.advance(5)
                _ = try oakum.perform(.recycle(service: "web", worker: 1))
                oakum.advance(Double(tenths) / 10)
                try oakum.killOakum()
                oakum.advance(1)
                oakum.start(.web())
                oakum.advance(20)
                #expect(try oakum.serving().count == 2, "killed \(tenths) tenths in")
                #expect(oakum.order()?.count == 2)
                #expect(oakum.world.with { $0.keepers["web"]?.living.count } == 2)
                #expect(oakum.journal.events(.workerExited).allSatisfy { $0.facts["asked"] == "true" })
            }
        }
    }

    @Test func `a pause outlives a restart that takes over workers, not a fresh start`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            _ = try oakum.perform(.pause(true))
            try oakum.killOakum()
            oakum.start(.web())
            #expect(try oakum.overview().oakum.paused)
            #expect(oakum.journal.messages(.watchStarted).last?.contains("paused") == true)
            _ = try oakum.end(.down)
            oakum.advance(5)
            oakum.start(.web())
            #expect(try !oakum.overview().oakum.paused)
        }
    }

    @Test func `without a readable journal oakum still takes over, and never gives a number that is in use`()
        async throws
    {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            // The successor is worker 3; it is told to stop as the service's newest just before the next start.
            oakum.advance(0.3)
            try oakum.killOakum()
            let now = oakum.now
            oakum.world.with { $0.keepers["web"]?.apply([1, 2], at: now) }
            oakum.journal.fail(.unusable("damaged"))
            oakum.start(.web())
            #expect(try oakum.problems().contains { $0.hasPrefix("journal") })
            oakum.settle()
            _ = try oakum.perform(.recycle(service: "web", worker: 2))
            #expect(oakum.order()?.contains(3) == false)
        }
    }
}
