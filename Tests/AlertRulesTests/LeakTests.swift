import AlertRules
import LeakTesting
import OakumModel
import OakumTestKit
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `rules that hear of workers that come and go do not grow`() {
        var service = SimulatedService(seed: 6)
        var book = RuleBook(service: "registrar", settings: AlertSettings())
        var steps = 0
        func step() {
            steps += 1
            service.load.failing = steps % 600 < 60 ? 0.5 : 0
            if steps % 50 == 0 { service.replace() }
            _ = book.add(service.step())
        }
        // Longer than the longest window that is kept.
        for _ in 0..<4_000 { step() }
        expectNoGrowth(calls: 50) { step() }
    }
}
