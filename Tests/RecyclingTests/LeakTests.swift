import LeakTesting
import OakumModel
import OakumTestKit
import Recycling
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `a pool whose workers crash and are recycled for hours does not grow`() {
        var generator = SeededGenerator(seed: 21)
        var simulation = PoolSimulation(generator: &generator, weather: PoolSimulation.Weather())
        simulation.run(until: 4_000)
        expectNoGrowth(calls: 40, warmUp: 40, toleratingBytesPerCall: 16) { simulation.run(until: simulation.now + 10) }
    }
}
