import Diagnosis
import LeakTesting
import OakumModel
import OakumTestKit
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `a miner of logs does not grow with lines, of statements it knows or of new ones`() {
        var miner = TemplateMiner()
        var generator = SeededGenerator(seed: 4)
        var line = 0
        func add() {
            line += 1
            let isNew = line % 5 == 0
            let word = String((0..<8).map { _ in "abcdefghijkl".randomElement(using: &generator) ?? "a" })
            miner.add(
                isNew ? "\(word) \(word) came as number \(line)" : "request \(line) was answered in \(line % 90) ms",
                at: Double(line))
        }
        for _ in 0..<20_000 { add() }
        expectNoGrowth { add() }
    }
}
