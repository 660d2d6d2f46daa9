import LeakDetection
import OakumModel
import OakumTestKit
import Testing

/// What must hold for every series.
@Suite struct PropertyTests {
    private static let mebibyte = SimulatedWorker.mebibyte
    private static let limit = 110 * SimulatedWorker.mebibyte

    /// A leak after 200 s for even seeds, none for odd ones.
    private static func trace(_ seed: UInt64, seconds: Int = 400) -> [SeriesPoint] {
        var worker = SimulatedWorker(seed: seed &+ 31_000)
        worker.warmUp()
        if seed.isMultiple(of: 2) {
            worker.leakStart = 200
            worker.leakRate = worker.generator.within(0.4, 1.5)
        }
        return (0..<seconds).map { worker.point(at: Double($0)) }
    }

    private static func codes(
        _ points: [SeriesPoint], _ settings: DetectionSettings = .worker, limit: Double? = limit
    ) -> [VerdictCode] {
        var detector = LeakDetector(settings: settings, limit: limit)
        return points.map {
            detector.add($0)
            return detector.verdict().code
        }
    }

    @Test(arguments: 0..<6) func `a shift in time changes nothing`(seed: UInt64) {
        let points = Self.trace(seed)
        let shifted = points.map { SeriesPoint(seconds: $0.seconds + 1_048_576, value: $0.value) }
        #expect(Self.codes(points) == Self.codes(shifted))
    }

    @Test(arguments: 0..<6) func `another unit changes nothing`(seed: UInt64) {
        let points = Self.trace(seed)
        let kibibytes = points.map { SeriesPoint(seconds: $0.seconds, value: $0.value / 1_024) }
        let settings = DetectionSettings.worker.scaled(by: 1.0 / 1_024)
        #expect(Self.codes(points) == Self.codes(kibibytes, settings, limit: Self.limit / 1_024))
        var first = LeakDetector(settings: .worker, limit: Self.limit)
        var second = LeakDetector(settings: settings, limit: Self.limit / 1_024)
        points.forEach { first.add($0) }
        kibibytes.forEach { second.add($0) }
        #expect(first.verdict().evidence == second.verdict().evidence)
    }

    @Test(arguments: 0..<6) func `a constant added to values and limit changes nothing`(seed: UInt64) {
        let points = Self.trace(seed)
        let raised = points.map { SeriesPoint(seconds: $0.seconds, value: $0.value + 512 * Self.mebibyte) }
        #expect(Self.codes(points) == Self.codes(raised, limit: Self.limit + 512 * Self.mebibyte))
    }

    @Test func `a steeper leak is not found later`() {
        var previous = Double.infinity
        for rate in [0.2, 0.4, 0.8, 1.6] {
            var delays: [Double] = []
            for seed in 0..<5 as Range<UInt64> {
                var worker = SimulatedWorker(seed: seed)
                worker.leakStart = 200
                worker.leakRate = rate
                var detector = LeakDetector(settings: .worker, limit: Self.limit)
                var second = 0.0
                while !detector.isLeaking, second < 600 {
                    detector.add(worker.point(at: second))
                    second += 1
                }
                delays.append(second - 200)
            }
            let mean = delays.reduce(0, +) / 5
            #expect(mean <= previous + 2, "at \(rate) MiB/s after \(mean) s, at the slower rate after \(previous) s")
            previous = mean
        }
    }

    @Test(arguments: 0..<4) func `flat noise of any size is no leak`(seed: UInt64) {
        var generator = SeededGenerator(scrambling: seed &+ 5_500)
        let size = generator.within(0.1, 30)
        let points = (0..<4_000).map { second in
            SeriesPoint(seconds: Double(second), value: (60 + size * generator.boundedNormal()) * Self.mebibyte)
        }
        #expect(!Self.codes(points, limit: nil).contains(.leak))
    }

    @Test(arguments: 0..<8) func `one step is no leak`(seed: UInt64) {
        var generator = SeededGenerator(scrambling: seed &+ 6_500)
        let at = generator.within(30, 900)
        let size = generator.within(5, 35)
        let points = (0..<1_800).map { second in
            let level = 60 + (Double(second) >= at ? size : 0) + 0.3 * generator.boundedNormal()
            return SeriesPoint(seconds: Double(second), value: level * Self.mebibyte)
        }
        #expect(!Self.codes(points).contains(.leak))
    }

    @Test(arguments: 0..<60) func `no input makes it trap or talk nonsense`(seed: UInt64) {
        var generator = SeededGenerator(scrambling: seed &+ 8_500)
        let settings: DetectionSettings = seed.isMultiple(of: 2) ? .worker : .machine
        let odd: [Double] = [
            .nan, .infinity, -.infinity, 0, -0.0, -1, 1e308, -1e308, .leastNonzeroMagnitude, 1e18, -1e18,
            .greatestFiniteMagnitude,
        ]
        func any(_ sane: Double) -> Double {
            generator.unit() < 0.1 ? odd[Int(generator.within(0, Double(odd.count)))] : sane
        }
        var detector = LeakDetector(settings: settings, limit: any(100 * Self.mebibyte))
        var seconds = any(0)
        for _ in 0..<1_500 {
            if generator.unit() < 0.8 { seconds += generator.within(0, settings.baseWidth * 2) }
            if generator.unit() < 0.01 { seconds += generator.within(-1e4, 1e7) }
            let rise = generator.unit() < 0.5 ? seconds * 1_000 : 0
            let point = SeriesPoint(
                seconds: any(seconds), value: any(60 * Self.mebibyte + rise),
                work: generator.unit() < 0.5 ? any(seconds) : nil)
            detector.add(point)
            let verdict = detector.verdict()
            #expect(!verdict.evidence.isEmpty)
            if let forecast = verdict.timeToLimit { #expect(forecast.low >= 0) }
        }
    }

    @Test func `refused points are counted and change nothing`() {
        var clean = LeakDetector(settings: .worker, limit: Self.limit)
        var dirty = clean
        for point in Self.trace(2) {
            clean.add(point)
            dirty.add(point)
            dirty.add(SeriesPoint(seconds: point.seconds - 5, value: 0))
            dirty.add(SeriesPoint(seconds: point.seconds, value: .nan))
        }
        #expect(clean.verdict() == dirty.verdict())
        #expect(dirty.refusedPoints == 800)
    }

    @Test func `a leak that gives its memory back is taken back`() {
        var detector = LeakDetector(settings: .worker, limit: Self.limit)
        for second in 0..<400 {
            let level = second < 200 ? 50 : second < 240 ? 50 + Double(second - 200) : 52
            detector.add(SeriesPoint(seconds: Double(second), value: level * Self.mebibyte))
            if second == 238 { #expect(detector.isLeaking) }
        }
        #expect(!detector.isLeaking)
        #expect(detector.lastRetreat == .fell)
    }
}
