import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// Whole engines in bad weather, seeded: thousands of virtual seconds. One after the other: each takes a core.
@Suite(.serialized, .timeLimit(.minutes(8)))
struct FaultSimulationTests {
    private static let mebibyte = 1_048_576.0

    @Test func `leaking workers are replaced before their budget is exceeded, several at once too`() async throws {
        try await forAll(seeds: 3) { generator in
            let workers = generator.int(1...5)
            let budget = generator.int(200...1_000)
            // A life of two to twelve minutes.
            let growth = Double(budget - 50) / generator.double(120..<700)
            let (readyAfter, drain) = (generator.double(0.1..<4), generator.double(0.1..<5))
            let keeper = KeeperModel(seed: generator.next()) { _, generator in
                var behaviour = KeeperModel.Behaviour()
                behaviour.growthPerSecond = growth * Self.mebibyte * generator.double(0.9..<1.1)
                behaviour.readyAfter = readyAfter
                behaviour.drainSeconds = drain
                return behaviour
            }
            try await EngineSimulation.run(keepers: ["web": keeper]) { (oakum) throws in
                oakum.world.with { $0.floor = workers }
                oakum.start(.web(workers: workers, floor: workers, budget: Int64(budget)))
                oakum.advance(1_500)
                let limit = Double(budget) * Self.mebibyte
                let over = oakum.world.with { $0.peaks.values.filter { $0 > limit }.count }
                #expect(over == 0, "\(workers) workers, \(growth) MiB/s of \(budget) MiB")
                #expect(oakum.journal.events(.recycleFinished).count >= workers)
                #expect(oakum.journal.events(.recycleFailed).isEmpty)
                #expect(oakum.world.with { $0.violations }.isEmpty)
                expectOrdered(oakum)
            }
        }
    }

    @Test func `whatever fails, the floor holds, the journal is complete, and all is well afterwards`() async throws {
        try await forAll(seeds: 3) { generator in
            let workers = generator.int(2...4)
            let floor = generator.chance(0.7) ? workers : generator.int(0...workers)
            let keeper = KeeperModel(seed: generator.next()) { _, generator in
                var behaviour = KeeperModel.Behaviour()
                behaviour.readyAfter = generator.chance(0.05) ? nil : generator.double(0.1..<8)
                behaviour.diesAfter = generator.chance(0.3) ? generator.double(0..<300) : nil
                behaviour.startFails = generator.chance(0.05)
                behaviour.drainSeconds = generator.double(0..<15)
                behaviour.growthPerSecond = generator.chance(0.5) ? generator.double(0..<2) * Self.mebibyte : 0
                return behaviour
            }
            var weather = Weather(generator: SeededGenerator(seed: generator.next()))
            try await EngineSimulation.run(keepers: ["web": keeper]) { (oakum) throws in
                oakum.world.with { $0.floor = floor }
                let configuration = EngineConfiguration.web(
                    workers: workers, floor: floor, budget: 300, readyWithin: 15, failureBackoff: 5)
                oakum.start(configuration)
                while oakum.now < 1_000 {
                    oakum.advance(1)
                    try weather.strike(oakum, configuration)
                }
                try weather.clear(oakum, configuration)
                try expectWell(oakum, workers: workers)
                #expect(oakum.world.with { $0.violations }.isEmpty)
                expectOrdered(oakum)
                expectComplete(oakum)
            }
        }
    }

    private func expectWell(_ oakum: EngineSimulation, workers: Int) throws {
        let now = oakum.now
        oakum.world.with { $0.keepers["web"]?.calm(at: now) }
        try oakum.advance(until: "all serve", limit: 3_000) {
            let overview = try oakum.overview()
            return try oakum.serving().count == workers && !overview.services[0].recycling
                && overview.oakum.problems.isEmpty && overview.services[0].workers.count == workers
        }
    }

    /// Numbers rise by one, times never fall.
    private func expectOrdered(_ oakum: EngineSimulation) {
        let records = oakum.journal.with { $0.records }
        #expect(records.map(\.id) == (0..<records.count).map { Int64($0 + 1) })
        #expect(zip(records, records.dropFirst()).allSatisfy { $0.event.at.uptime <= $1.event.at.uptime })
    }

    /// Nothing is told twice: a process starts at most once a life of oakum, ends at most once, and serves only between.
    private func expectComplete(_ oakum: EngineSimulation) {
        var known: Set<ProcessIdentity> = []
        var ended: Set<ProcessIdentity> = []
        for event in oakum.journal.events {
            guard let process = event.process else { continue }
            switch event.kind {
            case .workerStarted:
                known.insert(process)
                #expect(!ended.contains(process))
            case .workerExited:
                #expect(known.contains(process))
                #expect(ended.insert(process).inserted, "an end was told twice")
            case .workerReady: #expect(known.contains(process) && !ended.contains(process))
            default: break
            }
        }
        let living = oakum.world.with { $0.keepers["web"]?.living.map(\.identity) ?? [] }
        #expect(living.allSatisfy { known.contains($0) && !ended.contains($0) })
    }
}

/// What strikes an engine from outside.
private struct Weather {
    var generator: SeededGenerator
    private var keeperBackAt: Double?
    private var journalBackAt: Double?
    private var historyBackAt: Double?

    init(generator: SeededGenerator) {
        self.generator = generator
    }

    mutating func strike(_ oakum: EngineSimulation, _ configuration: EngineConfiguration) throws {
        try recover(oakum, at: oakum.now)
        if generator.chance(0.03), let number = generator.pick(oakum.order()?.sorted() ?? []) {
            oakum.world.kill(number)
        }
        if generator.chance(0.004), keeperBackAt == nil {
            oakum.world.loseKeeper()
            keeperBackAt = oakum.now + generator.double(1..<40)
        }
        if generator.chance(0.004), journalBackAt == nil {
            oakum.journal.fail(.diskFull("no room"))
            journalBackAt = oakum.now + generator.double(1..<60)
        }
        if generator.chance(0.004), historyBackAt == nil {
            oakum.history.gate.close()
            historyBackAt = oakum.now + generator.double(1..<60)
        }
        if generator.chance(0.02) { _ = try oakum.perform(.recycle(service: "web", worker: nil)) }
        // A dying oakum takes what it could not write with it: only one whose journal and keeper work dies here.
        if generator.chance(0.003), keeperBackAt == nil, journalBackAt == nil {
            try oakum.killOakum()
            oakum.advance(generator.double(0..<20))
            oakum.start(configuration)
        }
    }

    mutating func clear(_ oakum: EngineSimulation, _ configuration: EngineConfiguration) throws {
        try recover(oakum, at: .infinity)
    }

    private mutating func recover(_ oakum: EngineSimulation, at now: Double) throws {
        if let time = keeperBackAt, time <= now {
            oakum.world.with { $0.trouble = nil }
            keeperBackAt = nil
        }
        if let time = journalBackAt, time <= now {
            oakum.journal.fail(nil)
            journalBackAt = nil
        }
        if let time = historyBackAt, time <= now {
            oakum.history.gate.open()
            historyBackAt = nil
        }
    }
}
