import LeakDetection
import OakumModel
import OakumTestKit
import Testing

/// The registration leak on a live worker: 64 KiB at 12.5 sign-ups a second, on a floor of about 60 MiB with password
/// hashing, below a budget of 110 MiB.
@Suite struct WorkerDelayTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var onset: Double
        var hashBlock: Double
        var hashSlots: Int
        var duty: Double

        var testDescription: String { name }
    }

    static let limit = 110 * SimulatedWorker.mebibyte
    static let rate = 0.78

    static let cases = [
        Case(name: "from the start, hardly any hashing", onset: 3, hashBlock: 19, hashSlots: 2, duty: 0.05),
        Case(name: "from the start, 2 x 19 MiB at 35 %", onset: 3, hashBlock: 19, hashSlots: 2, duty: 0.35),
        Case(name: "from the start, 1 x 19 MiB at 60 %", onset: 3, hashBlock: 19, hashSlots: 1, duty: 0.6),
        Case(name: "from the start, 2 x 7 MiB at 37 %", onset: 3, hashBlock: 7, hashSlots: 2, duty: 0.37),
        Case(name: "after 2 min, 2 x 19 MiB at 35 %", onset: 120, hashBlock: 19, hashSlots: 2, duty: 0.35),
        Case(name: "after 1 h, 2 x 19 MiB at 35 %", onset: 3_600, hashBlock: 19, hashSlots: 2, duty: 0.35),
        Case(name: "after 1 h, 1 x 19 MiB at 60 %", onset: 3_600, hashBlock: 19, hashSlots: 1, duty: 0.6),
    ]

    static func worker(_ seed: UInt64, _ traits: Case) -> SimulatedWorker {
        var worker = SimulatedWorker(seed: seed &+ 900_000)
        worker.base = worker.generator.within(40, 50)
        worker.fills = [.init(start: 3, size: 60 - worker.base, tau: worker.generator.within(5, 20))]
        worker.hashBlock = traits.hashBlock
        worker.hashSlots = traits.hashSlots
        worker.duty = traits.duty
        worker.leakStart = traits.onset
        worker.leakRate = rate
        return worker
    }

    @Test(arguments: cases) func `the drill's leak is called within half a minute or so of its onset`(traits: Case) {
        let seeds = traits.onset > 1_000 ? max(4, Int(5 * BenchScale.factor)) : max(20, Int(10 * BenchScale.factor))
        var delays: [Double] = []
        var covered = 0
        var early = 0
        for seed in 0..<UInt64(seeds) {
            var worker = Self.worker(seed, traits)
            var detector = LeakDetector(settings: .worker, limit: Self.limit)
            for second in 0..<Int(traits.onset + 120) {
                detector.add(worker.point(at: Double(second) + worker.generator.within(0, 0.02)))
                guard detector.isLeaking else { continue }
                let delay = Double(second) - traits.onset
                if delay < 0 { early += 1 } else { delays.append(delay) }
                let slope = detector.verdict().slope
                let truth = Self.rate * SimulatedWorker.mebibyte
                if let slope, slope.low <= truth, truth <= slope.high { covered += 1 }
                break
            }
        }
        print(
            "delay s, \(BenchScale.column(traits.name, 36)) \(seeds) workers: \(BenchScale.summary(delays))"
                + "  missed \(seeds - delays.count - early)  early \(early)  slope in its interval \(covered)")
        #expect(early == 0)
        #expect(delays.count * 100 >= seeds * 98)
        #expect(BenchScale.at(delays.sorted(), 0.5) <= 42)
        #expect(covered * 10 >= seeds * 6)
    }

    @Test func `a verdict brings its numbers`() {
        var worker = Self.worker(3, Self.cases[4])
        var detector = LeakDetector(settings: .worker, limit: Self.limit)
        var second = 0.0
        while !detector.isLeaking, second < 300 {
            detector.add(worker.point(at: second))
            second += 1
        }
        let verdict = detector.verdict()
        #expect(verdict.code == .leak)
        #expect(verdict.onsetSeconds.map { abs($0 - 120) < 25 } == true)
        #expect(verdict.decidedSeconds.map { $0 > 130 && $0 < 180 } == true)
        #expect(verdict.timeToLimit.map { $0.low < 40 && ($0.high ?? .infinity) > 5 } == true)
        #expect(verdict.evidence.contains { $0.hasPrefix("floor rose from ") && $0.contains("MiB/s") })
        #expect(verdict.evidence.contains { $0.contains("no sign of saturation") })
        #expect(verdict.evidence.contains { $0.contains("the budget of 110.0 MiB is reached in") })
    }

    @Test func `nothing is claimed before there is data`() {
        var detector = LeakDetector(settings: .worker, limit: Self.limit)
        #expect(detector.verdict().code == .notEnoughData)
        for second in 0..<5 { detector.add(SeriesPoint(seconds: Double(second), value: 1_000_000)) }
        #expect(detector.verdict().code == .notEnoughData)
    }

    @Test(arguments: BenchScale.isFull ? [0.5, 2, 8, 32] : [8, 32])
    func `slow leaks are found too`(mebibytesPerHour: Double) {
        let floorHours = SlowLeak.leastDelayHours(mebibytesPerHour)
        let workers = BenchScale.isFull ? 12 : 1
        var delays: [Double] = []
        for seed in 0..<UInt64(workers) {
            guard let delay = SlowLeak.delayHours(seed: seed, mebibytesPerHour: mebibytesPerHour) else { continue }
            delays.append(delay)
        }
        let ratios = delays.map { $0 / floorHours }
        print(
            "slow leak \(mebibytesPerHour) MiB/h: found \(delays.count) of \(workers), hours "
                + "\(BenchScale.summary(delays, places: 1)); least possible \(floorHours), "
                + "ratio \(BenchScale.summary(ratios, places: 2))")
        #expect(delays.count == workers)
    }
}

/// A leak of MiB an hour on a worker with a noisy floor, read once in ten seconds to keep the test quick.
enum SlowLeak {
    static let deviation = 5.0
    static let correlation = 0.78

    /// Information floor with the noise below per five minutes, for one false alarm in ten years.
    static func leastDelayHours(_ rate: Double) -> Double {
        let slots = 12.0
        let perSlot = rate / slots
        let inflation = (1 + correlation) / (1 - correlation)
        let cubed = 6 * deviation * deviation * inflation * 13.87 / (perSlot * perSlot)
        var root = 1.0
        for _ in 0..<80 { root -= (root * root * root - cubed) / (3 * root * root) }
        return (root / slots * 100).rounded() / 100
    }

    /// Hours from the onset (after 6 h) to the verdict; limit 512 MiB, floor 100 MiB.
    static func delayHours(seed: UInt64, mebibytesPerHour: Double) -> Double? {
        var generator = SeededGenerator(scrambling: seed &+ 4_000)
        var detector = LeakDetector(settings: .worker, limit: 512 * SimulatedWorker.mebibyte)
        let onset = 6 * 3_600.0
        var noise = 0.0
        var second = 0.0
        while second < onset + 3_600 * 400 / mebibytesPerHour {
            if second.truncatingRemainder(dividingBy: 300) == 0 {
                noise =
                    correlation * noise + (1 - correlation * correlation).squareRoot() * deviation
                    * generator.boundedNormal()
            }
            let leak = max(0, second - onset) / 3_600 * mebibytesPerHour
            detector.add(
                SeriesPoint(seconds: second, value: (100 + noise + leak) * SimulatedWorker.mebibyte))
            if detector.isLeaking { return second < onset ? nil : (second - onset) / 3_600 }
            second += 10
        }
        return nil
    }
}
