import Diagnosis
import OakumModel
import OakumTestKit
import Testing

@Suite struct RecognitionTests {
    /// Share of right first causes, and what was named instead.
    struct Score {
        var right = 0
        var count = 0
        var mistakes: [String: Int] = [:]

        mutating func add(_ named: CauseCode?, _ outcome: Diagnosis.Outcome, allowed: Set<CauseCode>, seed: UInt64) {
            count += 1
            let isRight = allowed.isEmpty ? outcome != .cause : named.map(allowed.contains) ?? false
            if isRight { right += 1 } else { mistakes["\(named?.rawValue ?? "-") \(outcome.rawValue)", default: 0] += 1 }
        }

        var share: Double { Double(right) / Double(max(1, count)) }
    }

    static let seeds: UInt64 = 60

    @Test(arguments: Trouble.allCases)
    func `the first cause is named`(_ trouble: Trouble) {
        var score = Score()
        for seed in 1...Self.seeds {
            var incident = SimulatedIncident(trouble, generator: SeededGenerator(seed: seed &* 7_919))
            incident.run()
            if trouble == .randomWalks { incident.wander() }
            let diagnosis = Diagnosis(incident.observations())
            score.add(diagnosis.firstCause, diagnosis.outcome, allowed: trouble.causes, seed: seed)
            if seed <= 2 { print(trouble.rawValue, "|", diagnosis.summary) }
        }
        print("first cause, \(trouble.rawValue): \(score.right) of \(score.count) \(score.mistakes)")
        #expect(score.share >= 0.0)
    }
}
