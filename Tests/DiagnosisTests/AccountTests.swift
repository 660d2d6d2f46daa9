import Diagnosis
import Foundation  // JSON
import OakumModel
import OakumTestKit
import Testing

/// What a diagnosis says, and that it says nothing it cannot know.
@Suite struct AccountTests {
    private static func cacheLeak() -> Observations {
        var incident = SimulatedIncident(.cacheLeak, generator: SeededGenerator(seed: 77))
        incident.run()
        var observations = incident.observations()
        observations.heap = [
            HeapFinding(
                site: "HandWrittenCache.store (HandWrittenCache.swift:31)", function: "HandWrittenCache.store",
                fingerprint: "f", type: "CachedProfile", chain: ["ProfileRoutes", "HandWrittenCache", "CachedProfile"],
                liveBytes: 60 << 20, share: 0.83, neverFreed: Estimate(estimate: 0.97, low: 0.94, high: 1),
                tookSeconds: 1)
        ]
        return observations
    }

    @Test func `incident B is told without a wrong lead`() {
        let diagnosis = Diagnosis(Self.cacheLeak())
        #expect(diagnosis.firstCause == .memory)
        #expect(diagnosis.summary.contains("in step with entries scanned; memory is the cause; a restart buys "))
        #expect(diagnosis.leading?.sentence.contains("HandWrittenCache.swift:31") == true)
        #expect(diagnosis.leading?.sentence.contains("CachedProfile") == true)
        let processor = diagnosis.hypotheses.first { $0.cause == .cpu }
        #expect((processor?.belief ?? 1) < 0.3)
        #expect(processor?.against.contains { $0.contains("CPU moves with memory") } == true)
        let consequences = diagnosis.consequences.map(\.symptom)
        #expect(consequences.contains(.cpu) && consequences.contains(.work))
        let cleared = Dictionary(uniqueKeysWithValues: diagnosis.ruledOut.map { ($0.what, $0.because) })
        #expect(cleared["host memory"]?.contains("% available at worst") == true)
        #expect(cleared["disk"]?.contains("% free at worst") == true)
        #expect(cleared["network"]?.contains("of segments lost") == true)
        #expect(cleared["traffic"]?.contains("/s in the first half") == true)
        #expect(cleared["deploys"] != nil)
        #expect(cleared["memory"] == nil)
        #expect(diagnosis.healthy?.hasPrefix("host memory, disk and network healthy: ") == true)
    }

    @Test func `what a bounded cache holds is no proof of a leak, and the cache is named`() {
        let bare = Diagnosis(Self.cacheLeak())
        var observations = Self.cacheLeak()
        observations.heap[0].cache = HoldingCache(name: "profiles", heldBytes: 63 << 20, boundBytes: 100 << 20)
        let diagnosis = Diagnosis(observations)
        let memory = diagnosis.hypotheses.first { $0.cause == .memory }
        #expect((memory?.belief ?? 0) < (bare.hypotheses.first { $0.cause == .memory }?.belief ?? 0))
        let words = "held by cache `profiles`, 63 % of its 100.0 MiB"
        #expect(memory?.against.contains { $0.contains(words) } == true)
        #expect(memory?.sentence.contains(words) == true)
    }

    @Test func `a bounded cache that fills is named with its level and bound`() {
        var incident = SimulatedIncident(.cacheFill, generator: SeededGenerator(seed: 5))
        incident.run()
        let diagnosis = Diagnosis(incident.observations())
        #expect(diagnosis.firstCause == .cacheFill)
        #expect(diagnosis.summary.contains("profile cache at "))
        #expect(diagnosis.summary.contains(" % of its "))
    }

    @Test func `nothing is said without readings`() {
        for observations in [
            Observations(from: 0, until: 100), Observations(from: 100, until: 0), Observations(from: .nan, until: 5),
            Observations(
                from: 0, until: 100,
                signals: [Signal(.memory, points: (0..<6).map { SeriesPoint(seconds: Double($0), value: 1e6) })]),
        ] {
            let diagnosis = Diagnosis(observations)
            #expect(diagnosis.outcome == .notEnoughData)
            #expect(diagnosis.firstCause == .unknown)
            #expect(diagnosis.ruledOut.isEmpty)
            #expect(diagnosis.restartBuys == nil)
        }
    }

    @Test func `what harms without an explanation is not known`() {
        var generator = SeededGenerator(seed: 8)
        let errors = (0..<200).map { second in
            SeriesPoint(seconds: Double(second), value: (second > 120 ? 0.2 : 0.001) * generator.double(0.8..<1.2))
        }
        let memory = (0..<200).map { SeriesPoint(seconds: Double($0), value: 5e7 + generator.normal(deviation: 1e5)) }
        let diagnosis = Diagnosis(
            Observations(
                from: 0, until: 200, signals: [Signal(.errors, points: errors), Signal(.memory, points: memory)]))
        #expect(diagnosis.outcome == .unknown)
        #expect(diagnosis.firstCause == .unknown)
        #expect(diagnosis.summary.contains("the cause is not known"))
        #expect(diagnosis.notKnown.contains { $0.contains("CPU") && $0.contains("network") })
    }

    @Test func `JSON has the names that readers rely on`() throws {
        let diagnosis = Diagnosis(Self.cacheLeak())
        let data = try JSONEncoder().encode(diagnosis)
        let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["first_cause"] as? String == "memory")
        #expect(object["outcome"] as? String == "cause")
        let buys = try #require(object["restart_buys_s"] as? [String: Any])
        #expect(buys["estimate"] is Double)
        for name in ["summary", "hypotheses", "onsets", "consequences", "ruled_out", "not_known", "logs", "from_s"] {
            #expect(object[name] != nil, "\(name)")
        }
        var decoded = try JSONDecoder().decode(Diagnosis.self, from: data)
        // The hint of a log line is for weighing alone.
        decoded.logs = diagnosis.logs
        #expect(decoded == diagnosis)
    }

    @Test func `rates come from counters, and a restart is no rate`() {
        let counter = [(0.0, 100.0), (10, 150), (20, 170), (30, 5), (40, 25), (40, 30), (60, .nan), (80, 65)].map {
            SeriesPoint(seconds: $0.0, value: $0.1)
        }
        let rate = Signal.rate(.requests, counter: counter)
        #expect(rate.points.map(\.seconds) == [5, 15, 35, 60])
        #expect(rate.points.map(\.value) == [5, 2, 2, 1])
    }

    @Test func `no observations are too odd`() async throws {
        try await forAll(seeds: 150) { generator in
            let diagnosis = Diagnosis(Self.odd(&generator))
            // JSON has no way to say "not a number": encoding fails if one is left.
            let data = try JSONEncoder().encode(diagnosis)
            #expect(!data.isEmpty)
            #expect(diagnosis.hypotheses.allSatisfy { (0...1).contains($0.belief) })
            #expect(diagnosis.onsets.allSatisfy { $0.at.low <= $0.at.estimate && $0.at.estimate <= $0.at.high })
            if let buys = diagnosis.restartBuys { #expect(buys.low >= 0 && buys.low <= buys.high) }
        }
    }

    private static func odd(_ generator: inout SeededGenerator) -> Observations {
        func value(_ generator: inout SeededGenerator) -> Double {
            switch generator.int(0...9) {
            case 0: generator.pick([.nan, .infinity, -.infinity, 0, -0.0, 1e308, -1e308, .leastNonzeroMagnitude]) ?? 0
            case 1: generator.double(-1e12..<1e12)
            default: generator.double(0..<1_000)
            }
        }
        func points(_ generator: inout SeededGenerator) -> [SeriesPoint] {
            var time = generator.double(-100..<100)
            let isConstant = generator.chance(0.2)
            let isLarge = generator.chance(0.2)
            return (0..<generator.int(0...120)).map { index in
                time += generator.chance(0.05) ? generator.double(-50..<5_000) : generator.double(0..<3)
                if generator.chance(0.01) { time = value(&generator) }
                let reading = isConstant ? 7 : isLarge ? value(&generator) : Double(index) * generator.double(0..<3)
                return SeriesPoint(seconds: time, value: reading)
            }
        }
        let kinds = SignalKind.allCases
        var observations = Observations(from: generator.double(-200..<0), until: generator.double(0..<2_000))
        observations.signals = (0..<generator.int(0...25)).map { _ in
            Signal(generator.pick(kinds) ?? .cpu, name: generator.chance(0.3) ? "odd" : nil, points: points(&generator))
        }
        if generator.chance(0.5) { observations.restarts = (0..<generator.int(0...5)).map { _ in value(&generator) } }
        if generator.chance(0.5) {
            observations.deploys = (0..<3).map { _ in Deploy(seconds: value(&generator), release: "r") }
        }
        if generator.chance(0.6) {
            let slope = Estimate(estimate: value(&generator), low: value(&generator), high: value(&generator))
            observations.verdict = Verdict(code: generator.pick(VerdictCode.allCases) ?? .leak, slope: slope)
        }
        if generator.chance(0.3) {
            observations.caches = [
                CacheFill(name: "c", points: points(&generator), bound: ByteCount(Int64(generator.int(-5...500))))
            ]
        }
        if generator.chance(0.4) {
            observations.logs = (0..<4).map { id in
                LogPattern(
                    id: UInt32(id), template: "timed out", firstSeen: value(&generator), lastSeen: 0, total: 0,
                    counts: points(&generator))
            }
        }
        observations.budget = generator.chance(0.5) ? ByteCount(Int64(generator.int(-10...1_000))) : nil
        observations.freshLevel = generator.chance(0.5) ? ByteCount(Int64(generator.int(-10...1_000))) : nil
        observations.descriptorLimit = generator.chance(0.5) ? generator.int(-1...2_000) : nil
        return observations
    }
}
