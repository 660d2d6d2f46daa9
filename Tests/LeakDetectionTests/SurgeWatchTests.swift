import LeakDetection
import OakumModel
import OakumTestKit
import Testing

/// Memory of requests that wait, told from a leak.
@Suite struct SurgeWatchTests {
    private static let mebibyte = 1_048_576.0

    /// A worker and its detector, second by second.
    private struct Worker {
        var detector = LeakDetector(settings: .worker, limit: 256 * SurgeWatchTests.mebibyte)
        var surge = SurgeWatch()
        var generator: SeededGenerator
        var seconds = 1_000.0
        var kept = 60 * SurgeWatchTests.mebibyte
        var underWay = 4.0
        var bytesEach = 65_536.0
        var verdict = Verdict(code: .notEnoughData)

        init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

        /// - Returns: the codes that were told, without repetitions.
        mutating func run(_ length: Int, more: Double = 0, leak: Double = 0) -> [VerdictCode] {
            var codes: [VerdictCode] = []
            for _ in 0..<length {
                seconds += 1
                underWay = max(0, underWay + more)
                kept += leak
                let short = generator.chance(0.3) ? generator.double(0..<7) * SurgeWatchTests.mebibyte : 0
                let memory = kept + underWay * bytesEach + short
                surge.add(memory: memory)
                if Int(seconds).isMultiple(of: 2) {
                    surge.add(underWay: (underWay * generator.double(0.9..<1.1)).rounded(), at: seconds)
                }
                detector.add(SeriesPoint(seconds: seconds, value: memory))
                verdict = surge.judge(detector.verdict(), at: seconds)
                if codes.last != verdict.code { codes.append(verdict.code) }
            }
            return codes
        }
    }

    @Test func `requests that pile up are load, whether they are answered in the end or stay`() async throws {
        try await forAll(seeds: 12) { generator in
            var worker = Worker(seed: generator.next())
            _ = worker.run(900)
            let rising = worker.run(120, more: generator.double(8..<16))
            #expect(!rising.contains(.leak), "\(rising) \(worker.verdict.evidence)")
            let after = worker.run(900, more: generator.chance(0.5) ? -20 : 0)
            #expect(!after.contains(.leak), "\(after) \(worker.verdict.evidence)")
        }
    }

    @Test func `without it they would be called a leak`() {
        var worker = Worker(seed: 3)
        _ = worker.run(900)
        worker.surge = SurgeWatch()
        for _ in 0..<120 {
            _ = worker.run(1, more: 12)
            // Nobody tells of requests.
            worker.surge = SurgeWatch()
        }
        #expect(worker.verdict.code == .leak)
    }

    @Test func `what is held back says so, with numbers`() throws {
        var worker = Worker(seed: 4)
        _ = worker.run(900)
        var codes: [VerdictCode] = []
        for _ in 0..<180 where worker.verdict.code != .load { codes += worker.run(1, more: 12) }
        #expect(worker.verdict.code == .load, "\(codes)")
        let first = try #require(worker.verdict.evidence.first)
        #expect(
            first.contains(" while requests under way rose from ") && first.hasSuffix(" for each of them"), "\(first)")
        #expect(worker.verdict.timeToLimit == nil && worker.verdict.slope != nil)
    }

    @Test func `a leak beneath a surge is told when requests no longer rise`() async throws {
        try await forAll(seeds: 8) { generator in
            var worker = Worker(seed: generator.next())
            _ = worker.run(900)
            _ = worker.run(60, more: 12, leak: 0.4 * Self.mebibyte)
            let after = worker.run(90, leak: 0.4 * Self.mebibyte)
            #expect(after.contains(.leak), "\(after) \(worker.verdict.evidence)")
        }
    }

    @Test func `a leak whose requests pile up is held back for five minutes at most`() {
        var worker = Worker(seed: 6)
        worker.bytesEach = 16_384
        _ = worker.run(900)
        let codes = worker.run(500, more: 12, leak: 0.2 * Self.mebibyte)
        #expect(codes.contains(.leak), "\(codes)")
    }

    @Test func `a leak that takes more than a request can hold is no surge`() async throws {
        try await forAll(seeds: 8) { generator in
            var worker = Worker(seed: generator.next())
            _ = worker.run(900)
            let codes = worker.run(90, more: 2, leak: 0.8 * Self.mebibyte)
            #expect(codes.contains(.leak) && !codes.contains(.load), "\(codes)")
        }
    }

    @Test func `no readings break it, and a verdict that was told is not taken back for a surge`() async throws {
        try await forAll(seeds: 200) { generator in
            var surge = SurgeWatch()
            var told = false
            for second in 0..<300 {
                let odd = [0, -1, .nan, .infinity, 1e300, 5, 1e6]
                surge.add(memory: generator.pick(odd) ?? 0)
                surge.add(underWay: generator.pick(odd) ?? 0, at: generator.chance(0.9) ? Double(second) : .nan)
                let leak = Verdict(code: .leak, onsetSeconds: Double(second) - generator.double(0..<100))
                let verdict = surge.judge(leak, at: Double(second))
                #expect([.leak, .load].contains(verdict.code))
                if told { #expect(verdict == leak) }
                told = told || verdict.code == .leak
            }
        }
    }
}
