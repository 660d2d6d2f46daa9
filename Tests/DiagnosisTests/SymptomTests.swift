import Diagnosis
import Foundation  // exp and sin
import OakumModel
import OakumTestKit
import Testing

/// A service under an ordinary load: it wanders, follows the hour, has bursts, and answers with a heavy tail.
private struct OrdinaryService {
    var generator: SeededGenerator
    /// Requests a second on average, core seconds a request, seconds an answer takes.
    var rate: Double
    var cost: Double
    var latency: Double
    var idleCores: Double
    /// The load of the quietest and the busiest hour differ by this factor.
    var day: Double
    private var walk = 0.0
    private var free: Double
    private let begin: Double

    init(_ generator: SeededGenerator) {
        var generator = generator
        rate = exp(generator.double(0.7..<6))
        // At its busiest it uses no more than half of four cores.
        cost = generator.double(0.05..<0.5) / rate
        latency = exp(generator.double(-6..<(-1)))
        idleCores = generator.double(0..<0.1)
        day = generator.double(1..<6)
        free = generator.double(0.1..<0.9)
        begin = generator.double(0..<86_400)
        self.generator = generator
    }

    /// What is read `seconds` after the one before, with trouble where it is asked for.
    mutating func reading(
        at seconds: Double, over span: Double, load: Double = 1, dear: Double = 1, slow: Double = 1, failing: Double = 0
    ) -> SymptomReading {
        walk = 0.97 * walk + generator.normal(deviation: 0.04)
        let hour = sin(2 * .pi * (seconds + begin) / 86_400)
        let wanted = rate * load * exp(0.5 * log(day) * hour + walk)
        let count = max(0, wanted * span + generator.normal() * (wanted * span).squareRoot()).rounded()
        var reading = SymptomReading(seconds: seconds)
        reading.requestsPerSecond = count / span
        let cores = idleCores + count / span * cost * dear
        reading[.cpu] = cores * exp(generator.normal(deviation: 0.08))
        let queue = 1 / (1 - min(0.8, cores / 4))
        let answer = latency * slow * queue * exp(generator.normal(deviation: 0.1 + 1 / max(1, count).squareRoot()))
        if count >= 20 { reading[.latency] = answer * (generator.chance(0.02) ? 3 : 1) }
        reading[.inFlight] = (count / span * answer + generator.double(0..<3)).rounded()
        let share = failing + 0.002
        let failures = (count * share + generator.normal() * (count * share).squareRoot()).rounded()
        if count >= 50 { reading[.errors] = min(1, max(0, failures) / count) }
        reading[.memoryPressure] = generator.double(0..<2)
        reading[.ioPressure] = generator.chance(0.02) ? generator.double(0..<50) : generator.double(0..<8)
        free = min(0.95, max(0.08, free + generator.normal(deviation: 0.001)))
        reading[.diskFree, name: "/"] = free
        return reading
    }
}

@Suite struct SymptomWatchTests {
    /// Hours without trouble, at ten seconds a reading.
    @Test func `a healthy service under an ordinary load has no symptoms`() async throws {
        try await forAll(seeds: 16) { generator in
            var service = OrdinaryService(generator)
            var watch = SymptomWatch()
            var seconds = 0.0
            while seconds < 4 * 3_600 {
                let span = watch.isSuspicious ? 4.0 : 10
                seconds += span
                let changes = watch.add(service.reading(at: seconds, over: span))
                #expect(changes.isEmpty, "\(changes)")
                guard changes.isEmpty else { return }
            }
        }
    }

    @Test func `short bursts of load are none`() async throws {
        try await forAll(seeds: 12) { generator in
            var service = OrdinaryService(generator)
            var watch = SymptomWatch()
            var seconds = 0.0
            while seconds < 7_200 {
                let span = watch.isSuspicious ? 4.0 : 10
                seconds += span
                let load = seconds.truncatingRemainder(dividingBy: 900) > 885 ? 2.5 : 1
                let changes = watch.add(service.reading(at: seconds, over: span, load: load))
                #expect(changes.isEmpty, "\(changes)")
                guard changes.isEmpty else { return }
            }
        }
    }

    struct Trouble: CustomTestStringConvertible {
        var testDescription: String
        var kind: SignalKind
        var load = 1.0
        var dear = 1.0
        var slow = 1.0
        var failing = 0.0
        /// Whether this service is one where it can be seen.
        var fits: @Sendable (Double, Double, Double) -> Bool = { _, _, _ in true }
    }

    static let troubles: [Trouble] = [
        Trouble(
            testDescription: "dearer requests", kind: .cpu, dear: 3, fits: { rate, cost, _ in rate * cost > 0.2 }),
        Trouble(testDescription: "a surge", kind: .cpu, load: 4, fits: { rate, cost, _ in rate * cost > 0.15 }),
        Trouble(
            testDescription: "slow answers", kind: .latency, slow: 5,
            fits: { rate, _, latency in rate > 5 && latency > 0.01 }),
        Trouble(testDescription: "failures", kind: .errors, failing: 0.2, fits: { rate, _, _ in rate > 15 }),
    ]

    @Test(arguments: troubles)
    func `trouble is noticed within a minute, once, and so is its end`(trouble: Trouble) async throws {
        try await forAll(seeds: 16) { generator in
            var service = OrdinaryService(generator)
            service.day = 1
            guard trouble.fits(service.rate, service.cost, service.latency) else { return }
            var watch = SymptomWatch()
            var events: [(seconds: Double, change: SymptomWatch.Change)] = []
            var seconds = 0.0
            while seconds < 2_400 {
                // Looked at more closely while something may be wrong.
                let span = watch.isSuspicious ? 4.0 : 10
                seconds += span
                let isOn = (1_000..<1_400).contains(seconds)
                let reading = service.reading(
                    at: seconds, over: span, load: isOn ? trouble.load : 1, dear: isOn ? trouble.dear : 1,
                    slow: isOn ? trouble.slow : 1, failing: isOn ? trouble.failing : 0)
                events += watch.add(reading).map { (seconds, $0) }
            }
            let own = events.filter { event in
                switch event.change {
                case .began(let symptom), .ended(let symptom), .becameUsual(let symptom): symptom.kind == trouble.kind
                }
            }
            #expect(own.count == 2, "\(events)")
            guard own.count == 2, case .began(let symptom) = own[0].change, case .ended(let same) = own[1].change else {
                return
            }
            #expect(own[0].seconds <= 1_070 && abs(symptom.since - 1_005) <= 30 && same == symptom, "\(events)")
            #expect(own[1].seconds > 1_400 && own[1].seconds <= 1_500, "\(events)")
            #expect(events.allSatisfy { $0.seconds >= 1_000 }, "\(events)")
        }
    }

    @Test func `a volume that is nearly full is told with its name, until there is room again`() {
        var watch = SymptomWatch()
        func look(_ seconds: Double, _ free: Double) -> [SymptomWatch.Change] {
            var reading = SymptomReading(seconds: seconds)
            reading[.diskFree, name: "/data"] = free
            return watch.add(reading)
        }
        var changes: [SymptomWatch.Change] = []
        for step in 0..<20 { changes += look(Double(step) * 10, 0.2 - 0.01 * Double(step)) }
        #expect(changes.isEmpty)
        for step in 20..<30 { changes += look(Double(step) * 10, 0.005) }
        #expect(watch.symptoms.map(\.sentence) == ["Free disk space of /data is down to 1.0 %"])
        for step in 30..<40 { changes += look(Double(step) * 10, 0.04) }
        #expect(changes.count == 1)
        for step in 40..<50 { changes += look(Double(step) * 10, 0.3) }
        #expect(changes.count == 2 && watch.symptoms.isEmpty)
    }

    @Test func `what lasts for half an hour becomes usual`() throws {
        var watch = SymptomWatch()
        var changes: [SymptomWatch.Change] = []
        for step in 0..<600 {
            var reading = SymptomReading(seconds: Double(step) * 10)
            reading.requestsPerSecond = 10
            reading[.cpu] = step < 100 ? 0.5 : 1.5
            changes += watch.add(reading)
        }
        #expect(changes.count == 2 && watch.symptoms.isEmpty)
        guard case .becameUsual(let symptom) = try #require(changes.last) else {
            Issue.record("\(changes)")
            return
        }
        #expect(symptom.usual == 0.5 && symptom.level == 1.5)
        #expect(symptom.sentence == "CPU is at 1.50 cores, usual is 0.50 cores")
    }

    @Test func `from idle to in use nothing is wrong, nor while workers set up`() {
        var watch = SymptomWatch()
        for step in 0..<400 {
            var reading = SymptomReading(seconds: Double(step) * 10)
            reading.requestsPerSecond = step < 200 ? 0 : 100
            reading[.cpu] = step < 200 ? 0.01 : 0.9
            reading[.latency] = step < 200 ? nil : 0.02
            reading.isSettling = (300..<303).contains(step)
            if reading.isSettling { reading[.cpu] = 2.5 }
            #expect(watch.add(reading).isEmpty, "step \(step)")
        }
    }

    @Test func `readings out of order and absurd ones do no harm`() async throws {
        try await forAll(seeds: 100) { generator in
            var watch = SymptomWatch()
            for _ in 0..<300 {
                var reading = SymptomReading(seconds: generator.double(-100..<1_000))
                for kind in SignalKind.allCases where generator.chance(0.5) {
                    let value = generator.pick([0, -1, 1e300, .infinity, .nan, 0.5]) ?? 0
                    reading[kind, name: generator.chance(0.3) ? "\(generator.int(0...100))" : nil] = value
                }
                _ = watch.add(reading)
            }
            #expect(watch.symptoms.count <= 64)
        }
    }
}
