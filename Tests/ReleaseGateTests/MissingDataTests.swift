import OakumModel
import OakumTestKit
import ReleaseGate
import Testing

/// What is not known never passes.
@Suite struct MissingDataTests {
    private static let hours = 1.5

    /// An hour and a half of workers without a fault, everything asked for.
    private static let whole: SimulatedCanary = {
        var draws = SeededGenerator(seed: 21)
        var shape = WorkerShape()
        shape.hasLatency = true
        shape.noiseMiB = 0.5
        return SimulatedCanary(
            candidate: shape, baseline: shape, seconds: hours * 3_600, step: 15, using: &draws)
    }()

    private func play(_ change: (inout GateReading, Arm) -> Void) -> GateReport {
        var canary = Self.whole
        for index in canary.candidate[0].indices { change(&canary.candidate[0][index], .candidate) }
        for index in canary.baseline[0].indices { change(&canary.baseline[0][index], .baseline) }
        return canary.play()
    }

    @Test func `with everything known it passes`() {
        let report = play { _, _ in }
        #expect(report.verdict == .pass, "\(report.lines)")
        #expect(report.reasons.isEmpty)
    }

    @Test(arguments: [Arm.candidate, .baseline])
    func `a field that one arm does not tell leaves its signals open`(arm: Arm) {
        let fields: [(GateSignal, (inout GateReading) -> Void)] = [
            (.errors, { $0.failed = nil }), (.latency, { $0.latency = nil }), (.cpu, { $0.cpuSeconds = nil }),
            (
                .memory,
                {
                    $0.bytesInUse = nil
                    $0.residentBytes = nil
                }
            ), (.errors, { $0.requests = nil }), (.memory, { $0.requests = nil }), (.cpu, { $0.requests = .nan }),
        ]
        for (signal, forget) in fields {
            let report = play { reading, owner in if owner == arm { forget(&reading) } }
            #expect(report.verdict == .needMoreData, "\(signal): \(report.lines)")
            #expect(report.verdict(of: signal) == .needMoreData, "\(signal): \(report.lines)")
        }
    }

    @Test(arguments: [Arm.candidate, .baseline])
    func `a worker that falls silent does not pass`(arm: Arm) {
        var canary = Self.whole
        let cut = canary.candidate[0].count - 5
        if arm == .candidate {
            canary.candidate[0].removeSubrange(cut...)
        } else {
            canary.baseline[0].removeSubrange(cut...)
        }
        let report = canary.play()
        #expect(report.verdict == .needMoreData)
        #expect(report.reasons.contains { $0.contains("has told nothing for") }, "\(report.reasons)")
        for signal in GateSignal.allCases { #expect(report.verdict(of: signal) != .fail) }
    }

    @Test func `a worker that never told anything does not pass`() {
        var gate = ReleaseGate(.canary(startedAt: Uptime(seconds: 0), candidate: [1, 2], baseline: [3]))
        let report = Self.whole.play(&gate)
        #expect(report.verdict == .needMoreData)
    }

    @Test func `no workers, no pass`() {
        for (candidate, baseline) in [([], [UInt32(1)]), ([UInt32(1)], []), ([], [])] as [([UInt32], [UInt32])] {
            var gate = ReleaseGate(
                .canary(startedAt: Uptime(seconds: 0), candidate: candidate, baseline: baseline))
            let report = gate.look(at: Uptime(seconds: 9_000))
            #expect(report.verdict == .needMoreData)
        }
    }

    @Test func `readings with holes at random never pass what they do not show, and never crash`() async throws {
        try await forAll(seeds: 3) { draws in
            let dropped = draws.double(0.3..<1)
            var canary = Self.whole
            for index in canary.candidate[0].indices where draws.chance(dropped) {
                switch draws.int(0...3) {
                case 0: canary.candidate[0][index].requests = nil
                case 1: canary.candidate[0][index].bytesInUse = nil
                case 2: canary.candidate[0][index].cpuSeconds = -.infinity
                default: canary.candidate[0][index].failed = nil
                }
            }
            let report = canary.play()
            #expect(report.verdict != .fail, "\(report.lines)")
        }
    }

    @Test func `a reading older than the last, or of a stranger, is refused`() {
        var gate = ReleaseGate(.canary(startedAt: Uptime(seconds: 100), candidate: [1], baseline: [2]))
        let worker = GateWorker(.candidate, 1)
        let other = GateWorker(.baseline, 2)
        let taken = [
            gate.add(GateReading(at: Uptime(seconds: 110)), of: worker),
            gate.add(GateReading(at: Uptime(seconds: 110)), of: worker),
            gate.add(GateReading(at: Uptime(seconds: 99)), of: other),
            gate.add(GateReading(at: Uptime(seconds: .nan)), of: other),
            gate.add(GateReading(at: Uptime(seconds: 120)), of: GateWorker(.baseline, 1)),
        ]
        #expect(taken == [true, false, false, false, false])
    }
}
