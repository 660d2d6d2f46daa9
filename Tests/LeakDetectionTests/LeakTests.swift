import LeakDetection
import LeakTesting
import OakumModel
import OakumTestKit
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `a detector that has seen hours does not grow with the next ones`() {
        var detector = LeakDetector(settings: .worker, limit: 256e6)
        var generator = SeededGenerator(seed: 8)
        var second = 0.0
        func add() {
            second += 1
            detector.add(SeriesPoint(seconds: second, value: 100e6 + generator.normal(mean: 0, deviation: 1e5)))
        }
        // Every level of its pyramid is in use.
        for _ in 0..<40_000 { add() }
        expectNoGrowth(warmUp: 100, toleratingBytesPerCall: 4) {
            add()
            _ = detector.verdict()
        }
    }
}
