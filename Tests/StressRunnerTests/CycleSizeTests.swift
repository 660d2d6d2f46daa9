import OakumTestKit
@testable import StressRunner
import Testing

/// How many operations make a cycle, and when evidence is too weak.
@Suite struct CycleSizeTests {
    @Test(arguments: [20.0, 300, 5_000, 60_000, 3e6])
    func `a cycle lasts about eighty milliseconds, within bounds`(perSecond: Double) {
        var size = CycleSize()
        var rounds = 0
        while !size.warmed(seconds: Double(size.count) / perSecond) { rounds += 1 }
        #expect(rounds <= 12)
        let wanted = min(max(perSecond * CycleSize.aimSeconds, 10), 50_000)
        #expect(Double(size.count) > wanted * 0.3 && Double(size.count) < wanted * 3, "\(size.count)")
    }

    @Test func `one slow first cycle does not make the rest small`() {
        var size = CycleSize()
        _ = size.warmed(seconds: 3)
        while !size.warmed(seconds: Double(size.count) / 10_000) {}
        #expect((400...1_600).contains(size.count), "\(size.count)")
    }

    @Test func `cycles of fresh keys are larger where that helps, and bounded by the speed`() {
        var size = CycleSize()
        while !size.warmed(seconds: Double(size.count) / 1_000) {}
        #expect(size.forFreshKeys(20_000) == 250)
        #expect(size.forFreshKeys(0) == size.count)
    }

    @Test func `evidence is doubted when answers were wrong, processes changed, or nothing came to rest`() {
        var audit = TrialAudit()
        audit.add(sent: 1_000, expected: 995, notes: [])
        for _ in 0..<10 { audit.add(isQuiet: true, members: [1]) }
        #expect(audit.doubts.isEmpty)
        var wrong = audit
        wrong.add(sent: 100, expected: 50, notes: ["status 500"])
        #expect(wrong.doubts.count == 1)
        #expect(wrong.doubts[0].contains("status 500"))
        var changed = audit
        changed.add(isQuiet: true, members: [2])
        #expect(changed.doubts == ["processes came or went while it was measured"])
        var restless = audit
        for _ in 0..<5 { restless.add(isQuiet: false, members: [1]) }
        #expect(restless.doubts.count == 1)
        #expect(TrialAudit().isEmpty)
    }
}
