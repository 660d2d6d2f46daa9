import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ActsTests {
    private static let mebibyte = 1_048_576.0

    private static func leaky(_ mebibytesPerSecond: Double) -> KeeperModel {
        KeeperModel(seed: 1) { _, _ in
            var behaviour = KeeperModel.Behaviour()
            behaviour.growthPerSecond = mebibytesPerSecond * mebibyte
            return behaviour
        }
    }

    @Test func `a worker that fills its budget is replaced, with reason and evidence`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(30)
            oakum.world.with { $0.extraBytes[1] = 175 * Self.mebibyte }
            oakum.advance(2.5)
            #expect(oakum.journal.events(.recycleStarted).isEmpty, "two samples are not three")
            oakum.advance(20)
            let begun = try #require(oakum.journal.events(.recycleStarted).first)
            #expect(begun.worker == 1)
            #expect(begun.facts["cause"] == "budget")
            #expect(begun.facts["successor"] == "3")
            #expect(begun.message.contains("225.0 MiB of 256.0 MiB"))
            #expect(begun.message.contains("over 85 %"))
            #expect(begun.verdict != nil)
            #expect(try oakum.serving() == [2, 3])
            #expect(oakum.journal.events(.recycleFinished).first?.facts["predicted_s"] == nil)
        }
    }

    @Test func `a leak is told as a verdict, and its worker replaced before the budget is reached`() async throws {
        try await EngineSimulation.run(keepers: ["web": Self.leaky(0.5)]) { (oakum) throws in
            oakum.start(.web(budget: 512))
            oakum.advance(2_000)
            let verdicts = oakum.journal.events(.verdict).filter { $0.verdict?.code == .leak }
            let begun = oakum.journal.events(.recycleStarted)
            #expect(begun.count >= 2)
            #expect(begun.allSatisfy { $0.facts["cause"] == "leak" && $0.message.contains("leak") })
            #expect(verdicts.count >= begun.count)
            let budget = 512 * Self.mebibyte
            #expect(oakum.world.with { $0.peaks.values.allSatisfy { $0 < budget } })
        }
    }

    @Test func `eight workers that leak alike are begun early enough for the last of them`() async throws {
        let keeper = KeeperModel(seed: 1) { _, _ in
            var behaviour = KeeperModel.Behaviour()
            behaviour.growthPerSecond = 2 * Self.mebibyte
            behaviour.readyAfter = 4
            behaviour.drainSeconds = 6
            return behaviour
        }
        try await EngineSimulation.run(keepers: ["web": keeper]) { (oakum) throws in
            oakum.start(.web(workers: 8, floor: 8, budget: 512))
            oakum.advance(330)
            let budget = 512 * Self.mebibyte
            let over = oakum.world.with { $0.peaks.values.filter { $0 >= budget }.count }
            #expect(over == 0)
            #expect(oakum.journal.events(.recycleFinished).count >= 8)
        }
    }

    @Test func `what a recycle was expected to buy is close to what it bought`() async throws {
        try await EngineSimulation.run(keepers: ["web": Self.leaky(1)]) { (oakum) throws in
            oakum.start(.web(budget: 512))
            oakum.advance(3_000)
            let lasted = oakum.journal.events(.slopeAfterwards).filter { $0.facts["observed_s"] != nil }
            #expect(lasted.count >= 4)
            for event in lasted {
                let predicted = try #require(event.facts["predicted_s"].flatMap(Double.init))
                let observed = try #require(event.facts["observed_s"].flatMap(Double.init))
                #expect(abs(predicted / observed - 1) < 0.25, "\(event.message)")
                #expect(event.message.contains("bought time"))
            }
            #expect(oakum.journal.messages(.recycleFinished).allSatisfy { $0.contains("does not fix the leak") })
            // Told once a successor: that it leaks like the one before.
            let judged = oakum.journal.events(.slopeAfterwards).filter { $0.facts["slope_after_bytes_per_s"] != nil }
            #expect(Set(judged.compactMap(\.worker)).count == judged.count)
            #expect(!judged.isEmpty)
        }
    }

    @Test func `a taken-over worker's recycle promises no less than is true`() async throws {
        try await EngineSimulation.run(keepers: ["web": Self.leaky(1)]) { (oakum) throws in
            oakum.start(.web(budget: 512))
            try oakum.advance(until: "300 MiB") { oakum.now > 250 }
            try oakum.killOakum()
            oakum.start(.web(budget: 512))
            try oakum.advance(until: "a recycle") { !oakum.journal.events(.recycleFinished).isEmpty }
            let predicted = oakum.journal.events(.recycleFinished)[0].facts["predicted_s"].flatMap(Double.init) ?? 0
            #expect((300...500).contains(predicted))
        }
    }

    @Test func `a successor replaced by hand proves nothing about what was bought`() async throws {
        try await EngineSimulation.run(keepers: ["web": Self.leaky(1)]) { (oakum) throws in
            oakum.start(.web(workers: 1, budget: 512))
            try oakum.advance(until: "a recycle") { oakum.journal.events(.recycleFinished).count == 1 }
            oakum.advance(60)
            _ = try oakum.perform(.recycle(service: "web", worker: nil))
            oakum.advance(20)
            let told = oakum.journal.events(.slopeAfterwards).filter { $0.worker == 2 && $0.facts["at_least_s"] != nil }
            #expect(told.count == 1)
            #expect(told.allSatisfy { $0.facts["observed_s"] == nil && $0.message.contains("by hand") })
            #expect(!oakum.journal.events.contains { $0.facts["observed_s"] != nil })
        }
    }

    @Test func `a worker replaced by hand in good health has bought nothing`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(workers: 1))
            oakum.advance(10)
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            oakum.advance(60)
            oakum.world.with { $0.extraBytes[2] = 175 * Self.mebibyte }
            oakum.advance(30)
            #expect(oakum.journal.events(.recycleFinished).count == 2)
            #expect(oakum.journal.events(.slopeAfterwards).isEmpty)
        }
    }

    @Test func `a crash ends what a recycle had bought`() async throws {
        try await EngineSimulation.run(keepers: ["web": Self.leaky(1)]) { (oakum) throws in
            oakum.start(.web(workers: 1, budget: 512))
            try oakum.advance(until: "a recycle") { oakum.journal.events(.recycleFinished).count == 1 }
            oakum.advance(100)
            oakum.world.kill(2)
            try oakum.advance(until: "the next") { oakum.journal.events(.recycleFinished).count == 2 }
            #expect(!oakum.journal.events.contains { $0.facts["observed_s"] != nil })
        }
    }

    @Test func `a recycle that fails again and again tells once how long the last one lasted`() async throws {
        let keeper = KeeperModel(seed: 1) { number, _ in
            var behaviour = KeeperModel.Behaviour()
            behaviour.growthPerSecond = Self.mebibyte
            if number >= 3 { behaviour.diesAfter = 0.2 }
            return behaviour
        }
        try await EngineSimulation.run(keepers: ["web": keeper]) { (oakum) throws in
            oakum.start(.web(workers: 1, budget: 512))
            try oakum.advance(until: "three failures", limit: 2_000) {
                oakum.journal.events(.recycleFailed).count == 3
            }
            #expect(oakum.journal.events.filter { $0.facts["observed_s"] != nil }.count == 1)
            #expect(try oakum.serving() == [2])
            #expect(oakum.journal.messages(.recycleFailed).allSatisfy { $0.contains("It stays; tried again in") })
        }
    }

    @Test func `observe-only tells once a process what it would do, and does it by hand alone`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(observeOnly: true))
            oakum.advance(5)
            oakum.world.with { $0.extraBytes[1] = 190 * Self.mebibyte }
            oakum.advance(60)
            #expect(oakum.journal.events(.recycleWithheld).map(\.worker) == [1])
            #expect(oakum.journal.messages(.recycleWithheld)[0].contains("observe-only"))
            #expect(oakum.journal.events(.recycleStarted).isEmpty)
            oakum.world.kill(1)
            oakum.advance(60)
            #expect(oakum.journal.events(.recycleWithheld).map(\.worker) == [1, 1])
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            oakum.advance(10)
            #expect(try oakum.serving() == [2, 3])
        }
    }

    @Test func `a pause withholds, and when it is over the act follows`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            _ = try oakum.perform(.pause(true))
            oakum.world.with { $0.extraBytes[1] = 190 * Self.mebibyte }
            oakum.advance(60)
            #expect(oakum.journal.events(.recycleWithheld).count == 1)
            #expect(oakum.journal.messages(.recycleWithheld)[0].contains("paused"))
            #expect(oakum.order() == [1, 2])
            _ = try oakum.perform(.pause(false))
            oakum.advance(10)
            #expect(try oakum.serving() == [2, 3])
            #expect(oakum.journal.events(.paused, .resumed).map(\.kind) == [.paused, .resumed])
        }
    }

    @Test func `a verdict that wavers is told at most twice in five seconds, a new leak at once`() async throws {
        try await forAll(seeds: 50) { generator in
            var news = VerdictNews()
            var told: [(at: Double, code: VerdictCode)] = []
            for second in 0..<500 {
                let code = generator.pick(VerdictCode.allCases) ?? .steady
                let isNews = news.isNews(code, at: Uptime(seconds: Double(second)))
                if code == .leak, told.last?.code != .leak { #expect(isNews) }
                if isNews {
                    #expect(told.last?.code != code)
                    told.append((Double(second), code))
                }
            }
            for (first, third) in zip(told, told.dropFirst(2)) { #expect(third.at - first.at >= 5) }
        }
    }
}
