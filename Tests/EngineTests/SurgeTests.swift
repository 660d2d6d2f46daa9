import EngineTestKit
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// A surge of requests that wait is no leak, in the whole engine.
@Suite(.timeLimit(.minutes(10)))
struct SurgeTests {
    /// Requests under way of worker 1 and what they hold, told second by second.
    private static func second(_ oakum: EngineSimulation, underWay: Double, leaked: Double = 0) {
        oakum.world.with { state in
            var measures = ServiceMeasures()
            measures.requests = oakum.now * 50
            measures.inFlight = underWay.rounded()
            state.measures[1] = measures
            state.extraBytes[1] = underWay * 65_536 + leaked
        }
        oakum.advance(1)
    }

    private static func verdicts(_ oakum: EngineSimulation) -> [VerdictCode] {
        oakum.journal.events(.verdict).filter { $0.worker == 1 }.compactMap { $0.verdict?.code }
    }

    @Test func `requests that pile up on a starved machine are told as load, and nobody is paged`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(), tells: true)
            for _ in 0..<300 { Self.second(oakum, underWay: 4) }
            for step in 0..<120 { Self.second(oakum, underWay: 4 + 12 * Double(step)) }
            let held = try #require(oakum.journal.events(.verdict).last { $0.verdict?.code == .load })
            #expect(held.verdict?.evidence.first?.contains("requests under way rose from ") == true)
            // Answered, but what was mapped stays.
            oakum.world.with { $0.measures[1]?.inFlight = 4 }
            oakum.advance(900)
            #expect(!Self.verdicts(oakum).contains(.leak), "\(Self.verdicts(oakum))")
            #expect(oakum.told.leaks(.firing).isEmpty)
        }
    }

    @Test func `a leak beneath it is told once requests no longer rise`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(), tells: true)
            for _ in 0..<300 { Self.second(oakum, underWay: 4) }
            var leaked = 0.0
            for step in 0..<60 {
                leaked += 419_430
                Self.second(oakum, underWay: 4 + 12 * Double(step), leaked: leaked)
            }
            for _ in 0..<120 where oakum.told.leaks(.firing).isEmpty {
                leaked += 419_430
                Self.second(oakum, underWay: 712, leaked: leaked)
            }
            #expect(!oakum.told.leaks(.firing).isEmpty, "\(Self.verdicts(oakum))")
        }
    }
}
