import LeakTrial
import Testing

/// The experiment with two arms, on programs whose memory follows a rule.
@Suite struct EndpointTrialTests {
    /// What a program holds after so many operations with the same keys and so many with fresh ones.
    typealias Program = (_ same: Double, _ fresh: Double) -> Double

    private func run(
        _ program: Program, hasKeys: Bool = true, cycles: Int = 200, perCycle: Double = 500
    ) -> (finding: EndpointFinding, cycles: Int) {
        var trial = EndpointTrial(settings: TrialSettings(), hasKeys: hasKeys)
        var sent: [Arm: Double] = [:]
        var arm = Arm.sameKeys
        for cycle in 1...cycles {
            sent[arm, default: 0] += perCycle
            let bytes = program(sent[.sameKeys] ?? 0, sent[.freshKeys] ?? 0)
            switch trial.add(operations: Double(cycle) * perCycle, bytes: 3e7 + bytes) {
            case .cycle(let next): arm = next
            case .done(let finding): return (finding, cycle)
            }
        }
        return (trial.stop(), cycles)
    }

    @Test func `what every request keeps is a leak per request, and no fresh key is needed to tell`() {
        let (finding, _) = run { same, fresh in 32 * (same + fresh) }
        #expect(finding.verdict == .leak)
        #expect(finding.kind == .perRequest)
        #expect(finding.arm == .sameKeys)
        #expect(finding.bytesPerOperation.map { abs($0.estimate - 32) < 0.5 } == true)
    }

    @Test func `what only fresh keys keep, for ever, is unbounded by key`() {
        let (finding, _) = run { same, fresh in 200 * min(same, 500) + 200 * fresh }
        #expect(finding.verdict == .leak)
        #expect(finding.kind == .unboundedByKey)
        #expect(finding.bytesPerOperation.map { abs($0.estimate - 200) < 2 } == true)
    }

    @Test func `a cache that fills to its bound is clean, and its ceiling is told`() {
        let (finding, _) = run { same, fresh in 200 * min(same, 500) + 200 * min(fresh, 4500) }
        #expect(finding.verdict == .clean)
        #expect(finding.kind == .boundedCache)
        #expect(finding.ceilingBytes.map { abs($0 - 900_000) < 100_000 } == true, "\(finding)")
    }

    @Test func `a cache with a bound above the first thousands of keys is not called unbounded before it is full`() {
        for bound in [6_000.0, 10_000, 15_000, 19_000] {
            let (finding, _) = run { _, fresh in 120 * min(fresh, bound) }
            #expect(finding.verdict == .clean, "bound \(bound): \(finding)")
            #expect(finding.kind == .boundedCache, "bound \(bound): \(finding)")
        }
    }

    @Test func `nothing kept in either arm is clean`() {
        let (finding, cycles) = run { _, _ in 0 }
        #expect(finding.verdict == .clean)
        #expect(finding.kind == nil)
        #expect(cycles <= 26)
    }

    @Test func `without a key to vary there is one arm`() {
        let (finding, cycles) = run({ _, _ in 0 }, hasKeys: false)
        #expect(finding.verdict == .clean)
        #expect(finding.arm == .sameKeys)
        #expect(cycles <= 13)
    }

    @Test func `when time is over, straight growth by key is called unbounded; little of it is not`() {
        let long = run({ _, fresh in 200 * fresh }, cycles: 48)
        #expect(long.finding.verdict == .leak)
        #expect(long.finding.kind == .unboundedByKey)
        let short = run({ _, fresh in 200 * fresh }, cycles: 16)
        #expect(short.finding.verdict == .inconclusive)
    }

    @Test(arguments: [8, 15, 30])
    func `when the arm of the same keys has had its time, fresh keys are tried only where it showed no growth`(
        _ cycles: Int
    ) {
        for leak in [0.0, 3_000] {
            var trial = EndpointTrial(settings: TrialSettings(mostCycles: 1_000, poolBytes: 1e12), hasKeys: true)
            for cycle in 1...cycles {
                _ = trial.add(
                    operations: Double(cycle) * 500,
                    bytes: 1e6 + leak * Double(cycle) * 500 + (leak == 0 ? 1e5 * Double(cycle * 7 % 3) : 0))
            }
            let step = trial.stopArm()
            if leak > 0 || cycles < 16 {
                guard case .done(let finding) = step else {
                    Issue.record("\(step) after \(cycles) cycles, leak \(leak)")
                    continue
                }
                #expect(finding.verdict == .inconclusive)
            } else {
                #expect(trial.arm == .freshKeys)
            }
        }
    }

    @Test func `a trial that was stopped early says what it could have seen`() {
        var trial = EndpointTrial(settings: TrialSettings(), hasKeys: false)
        for cycle in 1...11 {
            _ = trial.add(operations: Double(cycle) * 500, bytes: cycle.isMultiple(of: 2) ? 1e6 : 2e6)
        }
        let finding = trial.stop()
        #expect(finding.verdict == .inconclusive)
        #expect(finding.smallestDetectable.map { $0 > 16 && $0 < 10_000 } == true, "\(finding)")
    }

    @Test func `readings that are no numbers, or do not follow each other, are left out`() {
        var trial = ArmTrial()
        #expect(trial.add(operations: 1, bytes: .nan) == nil)
        #expect(trial.add(operations: 2, bytes: 5) == nil)
        #expect(trial.add(operations: 2, bytes: 6) == nil)
        #expect(trial.add(operations: .infinity, bytes: 6) == nil)
        #expect(trial.series.count == 1)
    }
}
