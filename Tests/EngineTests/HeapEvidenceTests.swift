import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Synchronization
import Testing

/// A leaking worker's heap is looked into before the worker is gone.
@Suite(.timeLimit(.minutes(10)))
struct HeapEvidenceTests {
    private static let leaky = [
        "web": KeeperModel(seed: 1) { number, _ in
            var behaviour = KeeperModel.Behaviour()
            behaviour.growthPerSecond = number == 1 ? 1_048_576 : 0
            return behaviour
        }
    ]

    private static func order(_ oakum: EngineSimulation) -> [EventKind] {
        oakum.journal.events(.verdict, .leakNamed, .leakNotNamed, .recycleStarted)
            .filter { $0.worker == 1 && ($0.kind != .verdict || $0.verdict?.code == .leak) }.map(\.kind)
    }

    @Test func `verdict, name, recycle: in this order, and once`() async throws {
        try await EngineSimulation.run(keepers: Self.leaky) { (oakum) throws in
            oakum.start(.web(samplesHeap: true))
            try oakum.advance(until: "a recycle") { !oakum.journal.events(.recycleFinished).isEmpty }
            #expect(Self.order(oakum) == [.verdict, .leakNamed, .recycleStarted])
            #expect(oakum.witness.state.withLock { $0.asked } == [WorkerID(service: "web", number: 1)])
            let named = try #require(oakum.journal.events(.leakNamed).first)
            #expect(try oakum.overview().services[0].workers.allSatisfy { $0.leaks == nil }, "the leaking one is gone")
            #expect(named.heap == [FakeWitness.finding])
            #expect(
                named.message == """
                    web/1: 24.0 MiB (81 % of what lives) from keep(_:) (Fault.swift:31), 98 % of it never freed: \
                    [UInt8] held by Store held by static Store.shared
                    """)
        }
    }

    @Test func `a cache that holds it is named with what it published last`() async throws {
        try await EngineSimulation.run(keepers: Self.leaky) { (oakum) throws in
            var finding = FakeWitness.finding
            finding.cache = HoldingCache(name: "profiles", boundBytes: 1 << 28)
            oakum.witness.state.withLock { $0.answer = .named([finding]) }
            var measures = ServiceMeasures()
            measures.caches = ["profiles": CacheMeasures(bytes: 0.63 * 268_435_456, bound: 268_435_456)]
            oakum.world.with { $0.measures[1] = measures }
            oakum.start(.web(budget: 4_096, samplesHeap: true))
            try oakum.advance(until: "a name", limit: 4_000) { !oakum.journal.events(.leakNamed).isEmpty }
            let named = try #require(oakum.journal.events(.leakNamed).first)
            #expect(
                named.message.contains("never freed, held by cache `profiles`, 63 % of its 256.0 MiB: [UInt8] held by"))
            #expect(named.heap?.first?.cache?.heldBytes == 169_114_337)
            #expect(try oakum.overview().services[0].workers.first?.leaks == named.heap)
        }
    }

    @Test func `what was named is shown with the worker for as long as it lives`() async throws {
        try await EngineSimulation.run(keepers: Self.leaky) { (oakum) throws in
            oakum.start(.web(budget: 4_096, samplesHeap: true))
            try oakum.advance(until: "a name", limit: 4_000) { !oakum.journal.events(.leakNamed).isEmpty }
            let worker = try #require(try oakum.overview().services[0].workers.first)
            #expect(worker.leaks == [FakeWitness.finding])
            #expect(worker.verdict.evidence.last?.contains("static Store.shared") == true)
        }
    }

    @Test func `a worker that fills its budget without a verdict is looked into as well`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(samplesHeap: true))
            oakum.advance(30)
            oakum.world.with { $0.extraBytes[1] = 175 * 1_048_576 }
            try oakum.advance(until: "a recycle") { !oakum.journal.events(.recycleFinished).isEmpty }
            #expect(Self.order(oakum) == [.leakNamed, .recycleStarted])
        }
    }

    @Test func `a look that hangs holds up a recycle for ten seconds, not for ever`() async throws {
        try await EngineSimulation.run(keepers: Self.leaky) { (oakum) throws in
            oakum.witness.gate.close()
            oakum.start(.web(budget: 4_096, lead: 100_000, samplesHeap: true))
            try oakum.advance(until: "a leak", limit: 4_000) { Self.order(oakum) == [.verdict] }
            oakum.advance(8)
            #expect(Self.order(oakum) == [.verdict])
            oakum.advance(4)
            #expect(Self.order(oakum) == [.verdict, .recycleStarted])
            oakum.advance(30)
            oakum.witness.gate.open()
            oakum.advance(30)
            #expect(Self.order(oakum).last == .leakNotNamed)
        }
    }

    @Test func `just below the budget nothing waits`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.witness.gate.close()
            oakum.start(.web(samplesHeap: true))
            oakum.advance(30)
            oakum.world.with { $0.extraBytes[1] = 201 * 1_048_576 }
            oakum.advance(5)
            #expect(Self.order(oakum) == [.recycleStarted])
        }
    }

    @Test func `what cannot be named is told with the reason, and the recycle goes on`() async throws {
        try await EngineSimulation.run(keepers: Self.leaky) { (oakum) throws in
            oakum.witness.state.withLock { $0.answer = .nothing("the worker carries no sampler") }
            oakum.start(.web(samplesHeap: true))
            try oakum.advance(until: "a recycle") { !oakum.journal.events(.recycleFinished).isEmpty }
            #expect(Self.order(oakum) == [.verdict, .leakNotNamed, .recycleStarted])
            #expect(
                oakum.journal.messages(.leakNotNamed) == [
                    "web/1: what grows could not be named: the worker carries no sampler"
                ])
        }
    }

    @Test func `what dead workers left is tidied up once a minute, leak or not`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(samplesHeap: true))
            oakum.advance(601)
            #expect(oakum.witness.state.withLock { $0.tidied } == 10)
        }
    }

    @Test func `without a sampler nobody looks`() async throws {
        try await EngineSimulation.run(keepers: Self.leaky) { (oakum) throws in
            oakum.start(.web())
            try oakum.advance(until: "a recycle") { !oakum.journal.events(.recycleFinished).isEmpty }
            #expect(oakum.witness.state.withLock { $0.asked }.isEmpty)
        }
    }
}
