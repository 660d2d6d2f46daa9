import LeakTesting
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(10)))
struct LeakTests {
    @Test func `a whole life of the engine leaves nothing behind`() async throws {
        try await expectNoGrowth(calls: 10, warmUp: 4) {
            try await EngineSimulation.run { (oakum) throws in
                oakum.start(.web())
                oakum.advance(30)
                _ = try oakum.end(.detached)
            }
        }
    }
}
