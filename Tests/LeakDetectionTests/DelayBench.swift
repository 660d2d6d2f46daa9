import Foundation  // environment and String(format:)
import LeakDetection
import OakumModel
import Testing

/// Large simulations, run by `make bench-detect` (OAKUM_DETECT_BENCH=1): print tables, assert nothing but sanity.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["OAKUM_DETECT_BENCH"] != nil), .serialized)
struct DelayBench {
    static let limit = 110 * SimulatedWorker.mebibyte

    /// Seconds from the onset to the first leak verdict, and the first reading at or above the limit.
    static func delay(_ worker: SimulatedWorker, limit: Double? = limit, seconds: Double) -> (Double?, Double?) {
        var worker = worker
        var detector = LeakDetector(settings: .worker, limit: limit)
        var overLimit: Double?
        for second in 0..<Int(seconds) {
            let jitter = worker.generator.within(0, 0.02)
            let point = worker.point(at: Double(second) + jitter)
            if let limit, point.value >= limit, overLimit == nil { overLimit = point.seconds }
            detector.add(point)
            if detector.verdict().code == .leak { return (point.seconds, overLimit) }
        }
        return (nil, overLimit)
    }

    static func summary(_ values: [Double]) -> String {
        guard !values.isEmpty else { return "none" }
        let sorted = values.sorted()
        func at(_ share: Double) -> Double { sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))] }
        return String(
            format: "min %.0f  p10 %.0f  median %.0f  p90 %.0f  p99 %.0f  max %.0f", sorted[0], at(0.1), at(0.5),
            at(0.9), at(0.99), sorted[sorted.count - 1])
    }

    @Test func `delay of the drill's leak`() {
        for (name, onset, block, slots, duty) in [
            ("from start, quiet", 3.0, 19.0, 2, 0.05), ("from start, 19 MiB, 0.35", 3, 19, 2, 0.35),
            ("from start, 19 MiB, one slot 0.6", 3, 19, 1, 0.6), ("from start, 7 MiB x2 0.37", 3, 7, 2, 0.37),
            ("after 2 min, 0.35", 120, 19, 2, 0.35), ("after 1 h, 0.35", 3_600, 19, 2, 0.35),
            ("after 1 h, one slot 0.6", 3_600, 19, 1, 0.6), ("after 6 h, 0.35", 21_600, 19, 2, 0.35),
        ] {
            var delays: [Double] = []
            var missed = 0
            var afterLimit = 0
            let seeds = onset > 10_000 ? 50 : 500
            for seed in 0..<seeds {
                var worker = SimulatedWorker(seed: UInt64(seed))
                worker.base = worker.generator.within(40, 50)
                worker.fills = [.init(start: 3, size: 60 - worker.base, tau: worker.generator.within(5, 20))]
                worker.hashBlock = block
                worker.hashSlots = slots
                worker.duty = duty
                worker.leakStart = onset
                worker.leakRate = 0.78
                let (found, over) = Self.delay(worker, seconds: onset + 120)
                if let found { delays.append(found - onset) } else { missed += 1 }
                if let over, over < found ?? .infinity { afterLimit += 1 }
            }
            print(
                name.padding(toLength: 36, withPad: " ", startingAt: 0), Self.summary(delays),
                " missed \(missed) of \(seeds), a reading over the limit first: \(afterLimit), before onset:",
                delays.filter { $0 < 0 }.count)
        }
    }
}
