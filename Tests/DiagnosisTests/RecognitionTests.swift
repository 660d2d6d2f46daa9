import Diagnosis
import OakumModel
import OakumTestKit
import Testing

@Suite struct RecognitionTests {
    /// Simulated incidents of one kind, changed as told, and what was made of them.
    static func recognise(
        _ trouble: Trouble, seeds: ClosedRange<UInt64>, label: String = "",
        _ alter: (inout SimulatedIncident, inout SeededGenerator) -> Void = { _, _ in }
    ) -> Tally {
        var tally = Tally()
        for seed in seeds {
            var generator = SeededGenerator(seed: seed &* 7_919 &+ 17)
            var incident = SimulatedIncident(trouble, generator: SeededGenerator(seed: seed &* 7_919))
            alter(&incident, &generator)
            incident.run()
            if trouble == .randomWalks { incident.wander() }
            let diagnosis = Diagnosis(incident.observations())
            let isRight =
                trouble.causes.isEmpty
                ? diagnosis.outcome != .cause : diagnosis.firstCause.map(trouble.causes.contains) ?? false
            tally.add(isRight, "\(diagnosis.firstCause?.rawValue ?? "none") (seed \(seed))")
        }
        print("first cause\(label), \(trouble.rawValue): \(tally.words)")
        return tally
    }

    @Test(arguments: Trouble.allCases)
    func `the first cause is named`(_ trouble: Trouble) {
        let tally = Self.recognise(trouble, seeds: Scale.seeds(6))
        #expect(tally.share >= 0.94)
    }

    @Test(arguments: Trouble.allCases)
    func `what is not measured costs at most the name`(_ trouble: Trouble) {
        var tally = Tally()
        for seed in Scale.seeds(3) {
            var generator = SeededGenerator(seed: seed &* 104_729)
            var incident = SimulatedIncident(trouble, generator: SeededGenerator(seed: seed &* 15_485_863))
            for kind in SignalKind.allCases where kind != .cpuPerRequest && generator.chance(0.35) {
                incident.missing.insert(kind)
            }
            if generator.chance(0.3) { incident.hasVerdict = false }
            incident.run()
            if trouble == .randomWalks { incident.wander() }
            let diagnosis = Diagnosis(incident.observations())
            let named = diagnosis.outcome == .cause ? diagnosis.firstCause : nil
            // Whatever it says must not rest on what nobody measured.
            let causes = trouble.isDearDeploy ? trouble.causes.union([.deploy]) : trouble.causes
            tally.add(named == nil || causes.contains(named ?? .unknown), "\(named?.rawValue ?? "") (seed \(seed))")
            let missing = incident.missing
            #expect(diagnosis.onsets.allSatisfy { !missing.contains($0.signal) })
            if missing.contains(.network) {
                #expect(!diagnosis.ruledOut.contains { $0.what == "network" })
                #expect(diagnosis.notKnown.contains { $0.contains("network") })
            }
        }
        print("with a third of the series missing, \(trouble.rawValue): no wrong name in \(tally.words)")
        #expect(tally.share >= 0.7)
    }

    @Test(arguments: Trouble.allCases)
    func `what happens beside it misleads nobody`(_ trouble: Trouble) {
        let tally = Self.recognise(trouble, seeds: Scale.seeds(3), label: " among red herrings") { incident, _ in
            incident.addHerrings()
        }
        #expect(tally.share >= 0.8)
    }

    @Test(arguments: Trouble.allCases)
    func `faint trouble is named or called unknown`(_ trouble: Trouble) {
        var tally = Tally()
        for seed in Scale.seeds(3) {
            var incident = SimulatedIncident(trouble, generator: SeededGenerator(seed: seed &* 27_644_437))
            incident.makeFaint()
            incident.run()
            if trouble == .randomWalks { incident.wander() }
            let diagnosis = Diagnosis(incident.observations())
            let named = diagnosis.outcome == .cause ? diagnosis.firstCause : nil
            tally.add(
                named == nil || trouble.causes.contains(named ?? .unknown), "\(named?.rawValue ?? "") (seed \(seed))")
        }
        print("faint, \(trouble.rawValue): no wrong name in \(tally.words)")
        #expect(tally.share >= 0.8)
    }

    @Test(arguments: Trouble.allCases)
    func `an incident over hours is told like one over minutes`(_ trouble: Trouble) {
        let tally = Self.recognise(trouble, seeds: Scale.seeds(3), label: " over hours") { incident, _ in
            incident.stretch = 10
            // `LeakDetector` has its own tests; here its settings for one reading a second would be wrong.
            incident.hasVerdict = false
        }
        #expect(tally.share >= 0.8)
    }

    @Test(arguments: [Trouble.leak, .cacheLeak, .surge, .slowDependency, .cpuDeploy, .diskFull, .nothing])
    func `a gap in all readings does no harm`(_ trouble: Trouble) {
        let tally = Self.recognise(trouble, seeds: Scale.seeds(3), label: " across a gap") { incident, generator in
            let start = Double(incident.seconds) * generator.double(0.1..<0.8)
            incident.gap = start...(start + Double(incident.seconds) * generator.double(0.05..<0.2))
        }
        #expect(tally.share >= 0.9)
    }

    @Test(arguments: [Trouble.leak, .cacheLeak, .surge, .slowDependency, .diskFull, .nothing])
    func `a restart in the middle misleads nobody`(_ trouble: Trouble) {
        let tally = Self.recognise(trouble, seeds: Scale.seeds(3), label: " across a restart") { incident, generator in
            let left = Double(incident.seconds) - incident.onset
            incident.restart = incident.onset + left * generator.double(0.35..<0.6)
        }
        #expect(tally.share >= 0.9)
    }
}
