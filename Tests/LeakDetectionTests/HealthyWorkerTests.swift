import LeakDetection
import OakumModel
import Testing

/// Healthy workers of many kinds: none may be called a leak.
@Suite struct HealthyWorkerTests {
    @Test(arguments: HealthyKind.allCases) func `a healthy worker is not called a leak`(kind: HealthyKind) {
        let seeds = max(1, Int(kind.share * BenchScale.factor))
        var hours = 0.0
        var alarms: [String] = []
        for seed in 0..<UInt64(seeds) {
            var (worker, seconds) = kind.worker(seed: seed)
            if !BenchScale.isFull { seconds = min(seconds, 7_200) }
            var detector = LeakDetector(settings: .worker, limit: worker.limit)
            var second = 0.0
            while second < seconds, !detector.isLeaking {
                detector.add(worker.point(at: second))
                second += 1
            }
            if detector.isLeaking {
                alarms.append("\(seed)@\(Int(second)): \(detector.verdict().evidence.joined(separator: "; "))")
            }
            hours += second / 3_600
        }
        print(
            "healthy, \(BenchScale.column(kind.rawValue, 24)) \(seeds) workers, \(Int(hours)) h: \(alarms.count) alarms",
            alarms.first ?? "")
        // The full run measures the rate; the quick one has fixed seeds without an alarm.
        #expect(BenchScale.isFull || alarms.isEmpty)
        #expect(Double(alarms.count) <= 0.05 * Double(seeds))
    }
}
