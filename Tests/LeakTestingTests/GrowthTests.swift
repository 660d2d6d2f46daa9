import LeakTesting
import Testing

/// 16 bytes of payload behind the object header: 32 bytes of memory.
private final class Item {
    var first = 1
    var second = 2
}

private final class Registry {
    var items: [Item] = []
}

struct GrowthTests {
    @Test func `one leaked object per call is found, with place and type`() {
        let registry = Registry()
        let begin = ContinuousClock.now
        let report = measureGrowth { registry.items.append(Item()) }
        let seconds = begin.duration(to: .now)
        print(report, seconds)
        #expect(report.verdict == .leak)
        #expect(seconds < .seconds(2))
    }

    @Test func `calls that keep nothing are clean`() {
        let begin = ContinuousClock.now
        let report = measureGrowth { _ = (0..<10).map { "\($0)" + String(repeating: "x", count: 40) } }
        print(report, report.rounds, begin.duration(to: .now))
        #expect(report.verdict == .clean)
    }
}
