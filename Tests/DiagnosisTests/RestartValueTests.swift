import Diagnosis
import OakumModel
import OakumTestKit
import Testing

@Suite struct RestartValueTests {
    @Test(arguments: [Trouble.leak, .cacheLeak])
    func `what a restart buys is told within a quarter`(_ trouble: Trouble) {
        var near = Tally()
        var covered = Tally()
        for seed in Scale.seeds(8) {
            var generator = SeededGenerator(seed: seed &* 40_503)
            var incident = SimulatedIncident(trouble, generator: SeededGenerator(seed: seed &* 982_451))
            let left = Double(incident.seconds) - incident.onset
            incident.restart = incident.onset + left * generator.double(0.4..<0.6)
            incident.run()
            // To grow to where it is takes it as long as it has lived: the drill sees the same.
            let lived = Double(incident.seconds) - (incident.restart ?? 0)
            guard let buys = Diagnosis(incident.observations()).restartBuys else {
                near.add(false, "nothing told (seed \(seed))")
                continue
            }
            let ratio = buys.estimate / lived
            near.add((0.75...1.25).contains(ratio), "\(Int(100 * ratio)) % (seed \(seed))")
            covered.add((buys.low...buys.high).contains(lived), "outside (seed \(seed))")
        }
        print("a restart buys, \(trouble.rawValue): within 25 % \(near.words); in the interval \(covered.words)")
        #expect(near.share >= 0.8)
    }

    @Test func `memory that does not grow is not worth a restart`() {
        var incident = SimulatedIncident(.surge, generator: SeededGenerator(seed: 4))
        incident.run()
        #expect(Diagnosis(incident.observations()).restartBuys == nil)
    }
}
