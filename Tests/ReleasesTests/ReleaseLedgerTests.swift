import OakumModel
import Releases
import Testing

struct ReleaseLedgerTests {
    private static func release(_ text: String) -> ReleaseID { ReleaseID(text) ?? .configured }

    /// r1 proven, r2 unproven, r3 rolled back, r4 is what runs.
    private static var ledger: ReleaseLedger {
        var ledger = ReleaseLedger(current: release("r4"))
        for (index, outcome) in ([.proven, .unproven, .undone, nil] as [DeployOutcome?]).enumerated() {
            var record = ReleaseRecord(
                release: release("r\(index + 1)"), version: "1.\(index)", unpackedAt: 0, by: "ada")
            record.outcome = outcome
            record.promotedAt = Double(index) * 1_000
            ledger.add(record)
        }
        return ledger
    }

    @Test func `the way back leads to the last that was proven`() {
        #expect(Self.ledger.wayBack?.release == Self.release("r1"))
        var none = Self.ledger
        none[Self.release("r1")]?.outcome = .undone
        #expect(none.wayBack?.release == Self.release("r2"))
    }

    @Test func `a leak takes a release back by itself only when it came with it, and once`() {
        var ledger = Self.ledger
        #expect(ledger.automaticWayBack(leakBegan: 3_500).release == Self.release("r1"))
        #expect(ledger.automaticWayBack(leakBegan: 2_900).release == nil)
        ledger[Self.release("r4")]?.automaticRollbacks = 1
        #expect(ledger.automaticWayBack(leakBegan: 3_500).release == nil)
        var oneWay = Self.ledger
        oneWay[Self.release("r4")]?.isOneWay = true
        #expect(oneWay.automaticWayBack(leakBegan: 3_500).release == nil)
        var unproven = Self.ledger
        unproven[Self.release("r1")]?.outcome = .unproven
        #expect(unproven.automaticWayBack(leakBegan: 3_500).release == nil)
    }

    @Test func `one deploy at a time, none while frozen, and not what runs already`() {
        var ledger = Self.ledger
        #expect(ledger.objection(to: Self.release("r5")) == nil)
        #expect(ledger.objection(to: Self.release("r4")) != nil)
        ledger.course = DeployCourse(
            plan: DeployPlan(service: "web", candidate: Self.release("r5"), base: Self.release("r4"), by: "ada"), at: 0)
        #expect(ledger.objection(to: Self.release("r6"))?.contains("r5 is being deployed") == true)
        ledger.course = nil
        ledger.frozen = "r4 failed twice"
        #expect(ledger.objection(to: Self.release("r5"))?.contains("frozen") == true)
    }

    @Test func `old folders go, but neither what runs nor the way back`() {
        #expect(Self.ledger.expendable(keep: 3) == [Self.release("r2")])
        #expect(Self.ledger.expendable(keep: 1) == [Self.release("r2"), Self.release("r3")])
        #expect(Self.ledger.expendable(keep: 9).isEmpty)
    }

    @Test(arguments: ["", "..", "../x", ".hidden", "a/b", "-x", "a b", String(repeating: "a", count: 65)])
    func `what could leave the folder names no release`(_ text: String) {
        #expect(ReleaseID(text) == nil)
    }
}
