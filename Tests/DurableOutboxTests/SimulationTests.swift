import DurableOutbox
import OakumTestKit
import Testing

/// Whole days of random traffic against random receivers, on a virtual clock.
@Suite(.timeLimit(.minutes(3)))
struct SimulationTests {
    /// How a destination behaves, chosen anew for each run.
    private enum Manner: CaseIterable {
        case works, hangs, fails, limits, flaky
    }

    private static func rule(
        _ manners: [String: Manner], _ seed: UInt64
    ) -> @Sendable (OutboxMessage, Int) -> OutboxAnswer? {
        { message, attempt in
            var generator = SeededGenerator(
                seed: message.id.utf8.reduce(seed &+ UInt64(attempt)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 })
            switch manners[message.destination] ?? .works {
            case .works: return .delivered(receipt: nil)
            case .hangs: return nil
            case .fails: return .again(after: nil, words: "503")
            case .limits: return attempt < 3 ? .again(after: .seconds(20), words: "429") : .delivered(receipt: nil)
            case .flaky:
                if generator.chance(0.1) { return .refused(words: "400") }
                return generator.chance(0.5) ? .delivered(receipt: nil) : .again(after: nil, words: "reset")
            }
        }
    }

    @Test func `nothing is lost, nothing is delivered twice, first messages go at once, and limits hold`() async throws
    {
        try await forAll(seeds: often(2)) { generator in
            let machine = Machine()
            let bench = try Bench(clock: machine.clock)
            let names = (0..<6).map { "d\($0)" }
            var manners: [String: Manner] = [:]
            for name in names { manners[name] = generator.pick(Manner.allCases) }
            let receiver = FakeReceiver(machine.virtual, rule: Self.rule(manners, generator.next()))
            let limits = OutboxLimits(inFlight: 3, firstInFlight: 40, ratePerSecond: 2, burst: 4)
            let settings = OutboxSettings(traffic: OutboxTraffic(limits: limits, maximumInFlight: 12))
            var enqueued: [String: Duration] = [:]
            var firsts: Set<String> = []
            try await bench.delivering(to: receiver, settings: settings, machine: machine, seed: generator.next()) {
                stepper in
                for step in 0..<40 {
                    for number in 0..<generator.int(0...5) {
                        let isFirst = generator.chance(0.2)
                        let id = "m\(step)-\(number)"
                        try bench.enqueue(
                            message(
                                id, to: generator.pick(names) ?? "d0", priority: isFirst ? .first : .normal,
                                thread: generator.chance(0.5) ? "t\(generator.int(0...5))" : nil,
                                giveUpAfter: .seconds(generator.int(60...600))))
                        enqueued[id] = machine.virtual.now.offset
                        if isFirst { firsts.insert(id) }
                    }
                    if generator.chance(0.1) { machine.setWall(by: .seconds(generator.int(-3600...3600))) }
                    try stepper.advance(by: .milliseconds(generator.int(0...20_000)))
                    let current = receiver.most.values.max() ?? 0
                    #expect(current <= limits.inFlight + limits.firstInFlight)
                }
                try stepper.advance(by: .seconds(2000))
            }
            let outcomes = try bench.unheard()
            #expect(Set(outcomes.map(\.id)) == Set(enqueued.keys), "every message has ended")
            #expect(outcomes.count == enqueued.count)
            for outcome in outcomes {
                let attempts = receiver.sent.filter { $0.id == outcome.id }
                // Each attempt was made once, in order, and an end is an end.
                #expect(attempts.map(\.attempt) == Array(1...max(outcome.attempts, 1)))
                let manner = manners[outcome.destination] ?? .works
                if manner == .works { #expect(outcome.state == .delivered) }
                if manner == .hangs || manner == .fails { #expect(outcome.cause == .gaveUp) }
                if firsts.contains(outcome.id) { #expect(attempts.first?.at == enqueued[outcome.id]) }
            }
        }
    }
}
