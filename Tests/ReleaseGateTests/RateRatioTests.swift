import Glibc
import OakumTestKit
import ReleaseGate
import Testing

@Suite struct RateRatioTests {
    /// FULL=1: as many as it takes to see a chance of one in a thousand.
    private static let isFull = getenv("FULL") != nil

    /// An hour of looks every five seconds at arms that both fail `failing` of their requests. How often the test, and a plain
    /// test of two proportions, told them apart at any look.
    private func falseAlarms(
        runs: Int, looks: Int, alpha: Double, rate: Double, share: Double, failing: (Int) -> Double
    ) -> (sequential: Int, plain: Int) {
        var draws = SeededGenerator(seed: 11)
        // One-sided, like the other.
        let sigmas = alpha == 0.05 ? 1.645 : 3.09
        var (sequential, plain) = (0, 0)
        for _ in 0..<runs {
            var test = RateRatioTest()
            var isAlarmed = false
            for look in 0..<looks {
                let (new, old) = (draws.poisson(5 * rate * share), draws.poisson(5 * rate * (1 - share)))
                test.add(
                    candidate: .init(requests: new, failed: min(new, draws.poisson(new * failing(look)))),
                    baseline: .init(requests: old, failed: min(old, draws.poisson(old * failing(look)))))
                isAlarmed = isAlarmed || plainTest(test) > sigmas
            }
            if test.strongest >= -log(alpha) { sequential += 1 }
            if isAlarmed { plain += 1 }
        }
        return (sequential, plain)
    }

    private func plainTest(_ test: RateRatioTest) -> Double {
        let (new, old) = (test.candidate, test.baseline)
        guard new.requests >= 200, old.requests >= 200 else { return 0 }
        let pooled = (new.failed + old.failed) / (new.requests + old.requests)
        let error = (pooled * (1 - pooled) * (1 / new.requests + 1 / old.requests)).squareRoot()
        return error > 0 ? ((new.share ?? 0) - (old.share ?? 0)) / error : 0
    }

    @Test func `looking every five seconds does not raise the chance of a false alarm`() {
        let runs = Self.isFull ? 4_000 : 120
        let alarms = falseAlarms(runs: runs, looks: 720, alpha: 0.05, rate: 50, share: 0.5) { _ in 0.004 }
        // At most alpha, and three standard errors for so few runs; the plain test, looked at as often, is at a quarter or more.
        #expect(Double(alarms.sequential) <= 0.05 * Double(runs) + 3 * (0.0475 * Double(runs)).squareRoot())
        #expect(Double(alarms.plain) >= 0.2 * Double(runs))
    }

    @Test func `nor do uneven shares, common outages, and arms that mostly fail`() {
        let runs = Self.isFull ? 4_000 : 60
        let most = 0.05 * Double(runs) + 3 * (0.0475 * Double(runs)).squareRoot()
        let outages = falseAlarms(runs: runs, looks: 360, alpha: 0.05, rate: 40, share: 0.2) { look in
            look % 60 < 5 ? 0.5 : 0.001
        }
        #expect(Double(outages.sequential) <= most)
        let often = falseAlarms(runs: runs / 2, looks: 200, alpha: 0.05, rate: 20, share: 0.5) { _ in 0.6 }
        #expect(Double(often.sequential) <= most)
    }

    @Test(.enabled(if: isFull, "FULL=1")) func `at the default alpha one canary in a thousand is wrong at most`() {
        let alarms = falseAlarms(runs: 20_000, looks: 720, alpha: 0.001, rate: 50, share: 0.5) { _ in 0.004 }
        #expect(alarms.sequential <= 33)
    }

    @Test(arguments: [(0.001, 0.05, 600.0), (0.01, 0.04, 3_000.0), (0.2, 0.5, 400.0)])
    func `a rise is told within so many requests an arm`(before: Double, after: Double, requests: Double) {
        var draws = SeededGenerator(seed: 5)
        var found = 0
        for _ in 0..<20 {
            var test = RateRatioTest()
            for _ in 0..<20 {
                let each = requests / 20
                test.add(
                    candidate: .init(requests: each, failed: min(each, draws.poisson(each * after))),
                    baseline: .init(requests: each, failed: min(each, draws.poisson(each * before))))
            }
            if test.strongest >= -log(0.001) { found += 1 }
        }
        #expect(found >= 18)
    }

    @Test func `a rise of a tenth is not told, however long it lasts`() {
        var test = RateRatioTest()
        for _ in 0..<500 {
            test.add(
                candidate: .init(requests: 20_000, failed: 220), baseline: .init(requests: 20_000, failed: 200))
        }
        #expect(test.evidence < 0)
    }

    @Test func `fewer failures than before are no failure`() {
        var test = RateRatioTest()
        test.add(candidate: .init(requests: 5_000, failed: 1), baseline: .init(requests: 5_000, failed: 900))
        #expect(test.strongest == 0)
        let high = test.interval(alpha: 0.001).high
        #expect(high.map { $0 < 0.1 } == true)
    }

    @Test func `the interval holds the true ratio`() async throws {
        try await forAll(seeds: 30) { draws in
            let ratio = exp2(draws.double(-2..<3))
            let failing = 0.01
            var test = RateRatioTest()
            for _ in 0..<30 {
                let (new, old) = (Double(draws.int(20...400)), Double(draws.int(20...400)))
                test.add(
                    candidate: .init(requests: new, failed: draws.poisson(new * failing * ratio)),
                    baseline: .init(requests: old, failed: draws.poisson(old * failing)))
            }
            let interval = test.interval(alpha: 0.001)
            // The grid of ratios is a fourth of an octave wide.
            #expect(interval.low <= ratio * 1.19)
            #expect((interval.high ?? .infinity) >= ratio / 1.19)
        }
    }

    @Test func `the smallest share that is named is the smallest that is told`() async throws {
        try await forAll(seeds: 20) { draws in
            let (new, old) = (Double(draws.int(300...5_000)), Double(draws.int(300...5_000)))
            let failed = Double(draws.int(0...20))
            var test = RateRatioTest()
            test.add(candidate: .init(requests: new), baseline: .init(requests: old, failed: failed))
            guard let smallest = test.smallestShare(alpha: 0.001) else { return }
            for (count, isTold) in [(smallest * new, true), (smallest * new - 1, false)] {
                var other = RateRatioTest()
                other.add(
                    candidate: .init(requests: new, failed: count.rounded()),
                    baseline: .init(requests: old, failed: failed))
                #expect((other.strongest >= -log(0.001)) == isTold)
            }
        }
    }

    @Test func `what only one arm served is not compared`() {
        var test = RateRatioTest()
        test.add(candidate: .init(requests: 1_000, failed: 900), baseline: .init())
        #expect(test.strongest == 0)
    }
}
