import LeakDetection
import OakumModel
import Testing

@Suite struct WorkerTests {
    private let limit = 110 * SimulatedWorker.mebibyte

    @Test(arguments: 0..<20)
    func `a leak of 0.8 MiB a second is called within a minute and the same worker without it never`(
        seed: UInt64
    ) {
        var healthy = SimulatedWorker(seed: seed)
        var leaky = healthy
        leaky.leakStart = 60
        leaky.leakRate = 0.8
        var quiet = LeakDetector(settings: .worker, limit: limit)
        var alarmed = LeakDetector(settings: .worker, limit: limit)
        var found: Double?
        for second in 0..<600 {
            quiet.add(healthy.point(at: Double(second)))
            #expect(quiet.verdict().code != .leak)
            if found == nil {
                alarmed.add(leaky.point(at: Double(second)))
                if alarmed.verdict().code == .leak { found = Double(second) }
            }
        }
        #expect(found.map { $0 > 60 && $0 < 120 } == true)
        let verdict = alarmed.verdict()
        #expect(verdict.slope.map { $0.low > 0.4 * 1_048_576 && $0.high < 1.2 * 1_048_576 } == true)
        #expect(verdict.timeToLimit != nil)
        #expect(verdict.evidence.count >= 3)
    }

    @Test func `nothing is claimed before there is data`() {
        var detector = LeakDetector(settings: .worker, limit: limit)
        #expect(detector.verdict().code == .notEnoughData)
        for second in 0..<5 { detector.add(SeriesPoint(seconds: Double(second), value: 1_000_000)) }
        #expect(detector.verdict().code == .notEnoughData)
    }
}
