import Diagnosis
import Foundation  // exp
import OakumModel
import OakumTestKit
import Testing

@Suite struct OnsetTests {
    enum Shape: String, CaseIterable {
        case step, ramp, growth = "growth that goes on"
    }

    private static func signal(
        _ shape: Shape, onset: Double, seconds: Int, generator: inout SeededGenerator
    ) -> Signal {
        let height = generator.double(0.3..<1.5)
        let noise = height * generator.double(0.02..<0.2)
        let memory = generator.double(0..<0.6)
        let width = Double(seconds) * generator.double(0.05..<0.2)
        var rest = 0.0
        let points = (0..<seconds).map { second in
            let time = Double(second)
            rest = memory * rest + generator.normal(deviation: noise * (1 - memory * memory).squareRoot())
            let since = max(0, time - onset)
            let rise: Double =
                switch shape {
                case .step: time >= onset ? 1 : 0
                case .ramp: min(1, since / width)
                case .growth: since / (Double(seconds) - onset)
                }
            return SeriesPoint(seconds: time, value: 0.4 + height * rise + rest)
        }
        return Signal(.cpu, points: points)
    }

    @Test(arguments: Shape.allCases)
    func `the onset lies in its interval`(_ shape: Shape) {
        var found = Tally()
        var covered = Tally()
        var errors: [Double] = []
        for seed in Scale.seeds(100) {
            var generator = SeededGenerator(seed: seed &* 31_337)
            let seconds = generator.int(60...400)
            let onset = Double(seconds) * generator.double(0.2..<0.7)
            let signal = Self.signal(shape, onset: onset, seconds: seconds, generator: &generator)
            let diagnosis = Diagnosis(Observations(from: 0, until: Double(seconds), signals: [signal]))
            found.add(!diagnosis.onsets.isEmpty, "not seen")
            guard let at = diagnosis.onsets.first?.at else { continue }
            covered.add((at.low...at.high).contains(onset), "outside")
            errors.append(abs(at.estimate - onset) / Double(seconds))
        }
        print(
            "onset of a \(shape.rawValue): seen \(found.words); in its interval \(covered.words); error, share of the "
                + "window: median \(quantile(errors, 0.5)), 90 % \(quantile(errors, 0.9))")
        #expect(found.share >= 0.9)
        #expect(covered.share >= 0.88)
        #expect(quantile(errors, 0.5) < 0.03)
    }

    @Test func `random walks seldom look like a change`() {
        var quiet = Tally()
        for seed in Scale.seeds(150) {
            var generator = SeededGenerator(seed: seed &* 2_654_435)
            let seconds = generator.int(60...400)
            let step = generator.double(0.1..<0.5) / Double(seconds).squareRoot()
            var walk = 0.0
            let points = (0..<seconds).map { second in
                walk += generator.normal(deviation: step)
                return SeriesPoint(seconds: Double(second), value: exp(walk))
            }
            let diagnosis = Diagnosis(
                Observations(from: 0, until: Double(seconds), signals: [Signal(.cpu, points: points)]))
            quiet.add(diagnosis.onsets.isEmpty, "seen")
        }
        print("random walks without a change: \(quiet.words)")
        #expect(quiet.share >= 0.8)
    }
}
