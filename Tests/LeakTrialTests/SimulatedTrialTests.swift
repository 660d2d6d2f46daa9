import Foundation  // environment, text formatting
import LeakTrial
import OakumTestKit
import Testing

/// How often an arm calls innocent growth a leak, and how soon it finds a real one.
@Suite struct SimulatedTrialTests {
    /// 20 in the suite, which must be quick in a debug build; `make bench-stress` sets 1000.
    static let runs = ProcessInfo.processInfo.environment["OAKUM_TRIAL_RUNS"].flatMap(UInt64.init) ?? 20

    @Test(arguments: CycleShape.innocent)
    func `at most one innocent run in a hundred is called a leak`(_ shape: CycleShape) {
        var tally = Tally()
        for seed in 0..<Self.runs { tally.add(shape.run(seed: 7_000 + seed)) }
        print("trial innocent | \(shape) | \(tally)")
        #expect(tally.leaks * 100 <= max(tally.runs, 100), "\(shape): \(tally), seeds from 7000")
    }

    @Test(arguments: CycleShape.leaky)
    func `nearly every leak is found, and none is called clean`(_ shape: CycleShape) {
        var tally = Tally()
        for seed in 0..<Self.runs { tally.add(shape.run(seed: 9_000 + seed)) }
        print("trial leaky | \(shape) | \(tally)")
        #expect(tally.leaks * 100 >= tally.runs * 95, "\(shape): \(tally), seeds from 9000")
        #expect(tally.clean * 100 <= tally.runs, "\(shape): \(tally)")
    }

    struct Tally: CustomStringConvertible {
        var runs = 0
        var leaks = 0
        var clean = 0
        var undecided: [Doubt: Int] = [:]

        mutating func add(_ finding: ArmFinding) {
            runs += 1
            switch finding {
            case .leak: leaks += 1
            case .clean: clean += 1
            case .undecided(_, let doubt): undecided[doubt, default: 0] += 1
            }
        }

        var description: String {
            let doubts = undecided.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
            return "\(leaks) leak, \(clean) clean, \(runs - leaks - clean) undecided of \(runs) [\(doubts)]"
        }
    }
}
