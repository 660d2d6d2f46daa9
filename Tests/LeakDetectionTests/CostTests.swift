import Foundation  // clock_gettime
import LeakDetection
import OakumModel
import Testing

@Suite struct CostTests {
    /// What watching 100 workers at one reading a second costs, verdicts included.
    @Test func `a hundred workers a second cost little`() {
        let seconds = BenchScale.isFull ? 7_200 : 600
        var workers = (0..<(BenchScale.isFull ? 100 : 5)).map { seed in
            var worker = SimulatedWorker(seed: UInt64(seed) &+ 12_000)
            worker.warmUp()
            if seed.isMultiple(of: 10) {
                worker.leakStart = 300
                worker.leakRate = 0.005
            }
            return worker
        }
        let points = workers.indices.map { index in (0..<seconds).map { workers[index].point(at: Double($0)) } }
        var detectors = points.map { _ in
            LeakDetector(settings: .worker, limit: 110 * SimulatedWorker.mebibyte)
        }
        var sentences = 0
        let start = Self.processorSeconds()
        for second in 0..<seconds {
            for index in detectors.indices {
                detectors[index].add(points[index][second])
                sentences += detectors[index].verdict().evidence.count
            }
        }
        let readings = Double(seconds * detectors.count)
        let microseconds = (Self.processorSeconds() - start) * 1e6 / readings
        print(
            "cost: \(microseconds) µs a reading with its verdict; 100 workers at 1 Hz: \(microseconds / 100) % of a core"
        )
        #expect(sentences > 0)
        // Generous: a debug build on a busy machine. The figure that counts is printed by `make bench-detect`.
        #expect(microseconds < 1_000)
    }

    /// Of this thread alone: other tests run beside it.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
