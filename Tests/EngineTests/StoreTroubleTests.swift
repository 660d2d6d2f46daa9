import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

@Suite(.timeLimit(.minutes(10)))
struct StoreTroubleTests {
    @Test func `a full disk keeps the events and writes them in order when there is room again`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            let before = oakum.journal.events.count
            oakum.journal.fail(.diskFull("no room"))
            oakum.world.kill(1)
            oakum.advance(10)
            oakum.world.kill(2)
            oakum.advance(10)
            #expect(oakum.journal.events.count == before)
            #expect(try oakum.problems().contains { $0.hasPrefix("journal") && $0.contains("no room") })
            oakum.journal.fail(nil)
            oakum.advance(2)
            #expect(try oakum.problems().isEmpty)
            let uptimes = oakum.journal.events.map(\.at.uptime)
            #expect(uptimes == uptimes.sorted())
            #expect(oakum.journal.events(.workerExited).map(\.worker) == [1, 2])
            #expect(oakum.journal.events(.problem).map(\.message).contains { $0.contains("no room") })
        }
    }

    @Test func `what does not fit into memory while the journal fails is counted, and told afterwards`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.journal.fail(.diskFull("no room"))
            for round in 0..<10_500 { _ = try oakum.perform(.pause(round.isMultiple(of: 2))) }
            oakum.journal.fail(nil)
            oakum.advance(2)
            #expect(oakum.journal.events(.paused, .resumed).count <= 10_000)
            let told = oakum.journal.messages(.problem).filter { $0.contains("lost") }
            #expect(told.count == 1)
            #expect(oakum.journal.with { $0.biggestBatch } <= 500)
            #expect(try oakum.problems().isEmpty)
        }
    }

    @Test func `a journal that hangs holds up neither samples nor recycles`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.journal.gate.close()
            oakum.world.kill(1)
            let appends = oakum.history.with { $0.appends }
            oakum.advance(20)
            #expect(oakum.history.with { $0.appends } - appends >= 19)
            _ = try oakum.perform(.recycle(service: "web", worker: 2))
            oakum.advance(10)
            #expect(try oakum.serving() == [1, 3])
            oakum.journal.gate.open()
            oakum.advance(1)
            #expect(oakum.journal.events(.recycleFinished).count == 1)
        }
    }

    @Test func `a journal that hangs in its cleaning does not hold up the samples`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.journal.gate.close()
            let appends = oakum.history.with { $0.appends }
            oakum.advance(650)
            #expect(oakum.history.with { $0.appends } - appends >= 640)
        }
    }

    @Test func `a history store that hangs does not hold up the sampling, and the gap is said`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.advance(5)
            oakum.history.gate.close()
            oakum.world.with { $0.extraBytes[1] = 200 * 1_048_576 }
            oakum.advance(60)
            #expect(oakum.journal.events(.recycleFinished).map(\.worker) == [1])
            #expect(try oakum.problems().contains { $0.hasPrefix("history") })
            oakum.history.gate.open()
            oakum.advance(5)
            #expect(try oakum.problems().isEmpty)
        }
    }

    @Test func `a history store that fails is a problem until it works again`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web())
            oakum.history.fail(.diskFull("no room"))
            oakum.advance(30)
            #expect(try oakum.problems().contains { $0.hasPrefix("history") })
            oakum.history.fail(nil)
            oakum.advance(2)
            #expect(try oakum.problems().isEmpty)
            #expect(oakum.journal.events(.problem).count == 2)
        }
    }

    @Test func `incidents that cannot be stored are a problem until they can`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(), tells: true)
            oakum.advance(10)
            oakum.told.fail("incidents cannot be stored: make room")
            oakum.advance(3)
            #expect(try oakum.problems() == ["paging: incidents cannot be stored: make room"])
            #expect(oakum.journal.messages(.problem) == ["paging: incidents cannot be stored: make room"])
            oakum.told.fail(nil)
            oakum.advance(3)
            #expect(try oakum.problems().isEmpty)
        }
    }

    @Test func `a probe that never answers blocks nobody but its worker, and is asked again`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.world.with { $0.hungProbes = [1] }
            oakum.start(.web(workers: 3))
            oakum.advance(10)
            #expect(try oakum.serving() == [2, 3])
            oakum.advance(30)
            let read = try oakum.overview().services[0].workers.filter { $0.number != 1 }
            #expect(read.count == 2)
            #expect(
                oakum.history.with { state in
                    state.samples.values.filter { $0.contains { $0.requests != nil } }.count
                } == 2)
            oakum.world.with { $0.hungProbes = [] }
            oakum.advance(10)
            #expect(try oakum.serving() == [1, 2, 3])
        }
    }

    @Test func `a serving worker whose metrics hang does not starve the others of theirs`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(workers: 3))
            oakum.advance(5)
            oakum.world.with { $0.hungProbes = [1] }
            oakum.advance(55)
            let counts = oakum.history.with { state in
                state.owners.reduce(into: [UInt32: Int]()) { counts, owner in
                    counts[owner.value.number] = state.samples[owner.key]?.count { $0.fileDescriptors != nil }
                }
            }
            // Young workers are read every two seconds.
            for number: UInt32 in 1...3 { #expect((25...33).contains(counts[number] ?? 0), "\(counts)") }
        }
    }
}
