import EngineTestKit
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// What the rules are told of workers, in rounds of the engine.
@Suite(.timeLimit(.minutes(10)))
struct RuleRoundTests {
    private static func told(_ kind: AlertKind, _ oakum: EngineSimulation) -> [Alert] {
        oakum.told.alerts.values.filter { $0.kind == kind }
    }

    @Test func `descriptors near their limit are told, also of old workers that are read seldom`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(), tells: true)
            oakum.advance(120)
            #expect(Self.told(.fileDescriptors, oakum).isEmpty)
            oakum.world.with { $0.descriptors = DescriptorReading(open: 1_000, limit: 1_024) }
            try oakum.advance(until: "the alert", limit: 40) { !Self.told(.fileDescriptors, oakum).isEmpty }
            let alert = try #require(Self.told(.fileDescriptors, oakum).first)
            #expect(alert.summary == "web/1 has 1000 of at most 1024 file descriptors open (98 %)")
            oakum.world.with { $0.descriptors.open = 40 }
            try oakum.advance(until: "its end", limit: 120) {
                Self.told(.fileDescriptors, oakum).contains { $0.status == .resolved }
            }
        }
    }

    @Test func `without a limit many descriptors are no alert`() async throws {
        try await EngineSimulation.run { (oakum) throws in
            oakum.world.with { $0.descriptors = DescriptorReading(open: 100_000) }
            oakum.start(.web(), tells: true)
            oakum.advance(120)
            #expect(oakum.told.alerts.values.isEmpty, "\(oakum.told.alerts.values.map(\.summary))")
        }
    }
}
