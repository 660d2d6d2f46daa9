import Diagnosis
import OakumModel
import OakumTestKit
import Testing

@Suite struct LogEvidenceTests {
    /// Lines as the service of an incident writes them: some with every request, some because of the trouble.
    private static func diagnosis(_ trouble: Trouble, seed: UInt64, trace: String?) -> (Diagnosis, onset: Double) {
        var generator = SeededGenerator(seed: seed &+ 1_000)
        var incident = SimulatedIncident(trouble, generator: SeededGenerator(seed: seed))
        incident.run()
        var miner = TemplateMiner()
        let memory = incident.recorded[.memory] ?? []
        let requests = Dictionary(
            uniqueKeysWithValues: (incident.recorded[.requests] ?? []).map { (Int($0.seconds), $0.value) })
        let lowest = memory.map(\.value).min() ?? 0
        let highest = memory.map(\.value).max() ?? 1
        var rate = 10.0
        for point in memory {
            rate = requests[Int(point.seconds)] ?? rate
            for _ in 0..<Int(rate / 4) where generator.chance(0.5) {
                miner.add(
                    "info registrar: answered \(generator.int(200...299)) in \(generator.int(1...99)) ms",
                    at: point.seconds)
            }
            if generator.chance(0.1) {
                miner.add("info registrar: pruned \(generator.int(1...9)) sessions", at: point.seconds)
            }
            let share = (point.value - lowest) / (highest - lowest)
            if let trace, point.seconds - 5_000 > incident.onset, generator.chance(0.7 * share) {
                miner.add("\(trace) \(generator.int(1...99_999))", at: point.seconds)
            }
        }
        var observations = incident.observations()
        observations.logs = miner.patterns
        return (Diagnosis(observations), incident.onset)
    }

    @Test func `the lines that come with the growth are shown, those that come with requests are not`() {
        var tally = Tally()
        for seed in Scale.seeds(10) {
            let (diagnosis, _) = Self.diagnosis(
                .cacheLeak, seed: seed &* 5_381, trace: "warning registrar: slow profile lookup, entries scanned:")
            let shown = diagnosis.logs.map(\.template)
            tally.add(
                shown == ["warning registrar: slow profile lookup, entries scanned: <*>"]
                    && (diagnosis.logs[0].withMemory ?? 0) > 0.3, "\(shown) (seed \(seed))")
        }
        print("log lines of incident B: \(tally.words)")
        #expect(tally.share >= 0.9)
    }

    @Test func `more lines because of more requests are no trouble`() {
        var tally = Tally()
        for seed in Scale.seeds(10) {
            let (diagnosis, _) = Self.diagnosis(.surge, seed: seed &* 9_311, trace: nil)
            let shown = diagnosis.logs.map(\.template)
            tally.add(shown.isEmpty, "\(shown) (seed \(seed))")
        }
        print("log lines of a surge left out: \(tally.words)")
        #expect(tally.share >= 0.9)
    }
}
