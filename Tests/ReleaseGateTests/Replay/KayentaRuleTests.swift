import Glibc
import OakumTestKit
import Testing

@Suite struct KayentaRuleTests {
    private let rule = KayentaRule()

    @Test func `data that are equal or all the same pass, and none are no data`() {
        #expect(rule.judge(baseline: [3, 1, 2], candidate: [1, 2, 3]) == .pass)
        #expect(rule.judge(baseline: [5, 5], candidate: [5, 5, 5]) == .pass)
        #expect(rule.judge(baseline: [.nan], candidate: [1]) == .noData)
        #expect(rule.judge(baseline: [1], candidate: []) == .noData)
    }

    @Test func `a clear shift is high or low, unless the ratio of means is too small`() {
        let old = (0..<60).map { 100 + Double($0 % 7) }
        let new = old.map { $0 + 8 }
        #expect(rule.judge(baseline: old, candidate: new) == .high)
        #expect(rule.judge(baseline: new, candidate: old) == .low)
        #expect(!rule.fails(baseline: new, candidate: old))
        #expect(KayentaRule(allowedIncrease: 1.1).judge(baseline: old, candidate: new) == .pass)
        #expect(KayentaRule(allowedIncrease: 1.05).judge(baseline: old, candidate: new) == .high)
    }

    @Test func `the shift lies between the differences of its ranks`() async throws {
        try await forAll(seeds: 20) { draws in
            let old = (0..<draws.int(5...30)).map { _ in draws.normal() }.sorted()
            let new = (0..<draws.int(5...30)).map { _ in draws.normal(mean: 1) }.sorted()
            let differences = new.flatMap { value in old.map { value - $0 } }.sorted()
            let shift = KayentaRule.shift(old, new)
            let middle = differences[(differences.count - 1) / 2]
            #expect(abs(shift.estimate - middle) < 1e-4)
            #expect(shift.low <= shift.estimate && shift.estimate <= shift.high)
            #expect(shift.low >= differences[0] - 1e-4 && shift.high <= differences[differences.count - 1] + 1e-4)
        }
    }

    @Test func `it fails independent readings by chance in two of a hundred, and readings with memory far more often`()
    {
        var draws = SeededGenerator(seed: 4)
        func share(memory: Double) -> Int {
            (0..<300).count { _ in
                func series() -> [Double] {
                    var drift = draws.normal()
                    return (0..<60).map { _ in
                        drift = memory * drift + (1 - memory * memory).squareRoot() * draws.normal()
                        return 400 + drift
                    }
                }
                return rule.judge(baseline: series(), candidate: series()) != .pass
            }
        }
        #expect(share(memory: 0) <= 12)
        #expect(share(memory: 0.9) >= 90)
    }
}
