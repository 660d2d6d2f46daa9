import Foundation  // environment
import LeakDetection
import OakumModel
import Testing

/// Healthy workers of many kinds: how often is one called a leak? Run by `make bench-detect`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["OAKUM_DETECT_BENCH"] != nil), .serialized)
struct HealthyBench {
    @Test(arguments: HealthyKind.allCases)
    func `false alarms on healthy workers`(kind: HealthyKind) {
        let scale = Double(ProcessInfo.processInfo.environment["OAKUM_DETECT_SCALE"] ?? "") ?? 1
        let seeds = Int(Double(kind.seeds) * scale)
        var hours = 0.0
        var alarms: [(seed: UInt64, at: Double)] = []
        var example = ""
        for seed in 0..<UInt64(seeds) {
            var (worker, seconds) = kind.worker(seed: seed)
            var detector = LeakDetector(settings: .worker, limit: worker.limit)
            var second = 0.0
            while second < seconds {
                detector.add(worker.point(at: second))
                let verdict = detector.verdict()
                if verdict.code == .leak {
                    alarms.append((seed, second))
                    if example.isEmpty { example = verdict.evidence.joined(separator: "; ") }
                    break
                }
                second += 1
            }
            hours += second / 3_600
        }
        let places = alarms.prefix(8).map { "\($0.seed)@\(Int($0.at))" }.joined(separator: " ")
        print(
            "\(kind.rawValue.padding(toLength: 24, withPad: " ", startingAt: 0)) workers \(seeds) hours \(Int(hours))",
            "alarms \(alarms.count) \(places) \(example)")
    }
}
