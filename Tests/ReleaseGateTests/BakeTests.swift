import Glibc
import OakumModel
import OakumTestKit
import ReleaseGate
import Testing

@Suite struct BakeTests {
    private static let isFull = getenv("FULL") != nil

    /// A day of a worker, recorded by a gate as it is in service.
    private static func record(seed: UInt64, hours: Double = 24, swing: Double = 10) -> MemoryRecord {
        var draws = SeededGenerator(seed: seed)
        var shape = WorkerShape()
        shape.swingMiB = swing
        let day = SimulatedCanary(
            candidate: [shape.readings(seconds: hours * 3_600, step: 120, using: &draws)], baseline: [])
        var gate = day.gate()
        _ = day.play(&gate, lookEvery: 1e9)
        return gate.record(of: .candidate, release: "1")
    }

    private func bake(
        _ shape: WorkerShape, against record: MemoryRecord?, hours: Double = 24, seed: UInt64 = 77, phase: Double = 0
    ) -> GateReport {
        var draws = SeededGenerator(seed: seed)
        let candidate = shape.readings(seconds: hours * 3_600, step: 60, phase: phase, using: &draws)
        var settings = GateSettings()
        settings.staleSeconds = 180
        var gate = ReleaseGate(
            .bake(
                startedAt: Uptime(seconds: 0), candidate: [1], recorded: record, limit: .mebibytes(1_024)),
            settings: settings)
        return SimulatedCanary(candidate: [candidate], baseline: []).play(&gate)
    }

    @Test func `a day as good as the one that was recorded passes, whatever the time of day it began`() {
        for seed in 0..<UInt64(Self.isFull ? 200 : 2) {
            var shape = WorkerShape()
            shape.swingMiB = 10
            let report = bake(
                shape, against: Self.record(seed: seed), seed: 1_000 + seed, phase: 21_600 * Double(seed % 4))
            #expect(report.verdict == .pass, "\(report.lines)")
            #expect(report.errors == nil && report.latency == nil && report.cpu == nil)
        }
    }

    @Test func `a leak of twelve MiB an hour fails before the day is over, at the second look in a row`() throws {
        var shape = WorkerShape()
        shape.leakMiBPerHour = 12
        shape.swingMiB = 10
        let report = bake(shape, against: Self.record(seed: 1))
        #expect(report.verdict == .fail && report.elapsedSeconds < 43_200, "\(report.lines)")
        #expect(try #require(report.memory.evidence).looksInARow == 2)
    }

    @Test func `it does not pass before its time, nor beyond what was recorded, nor without a record`() {
        let early = bake(WorkerShape(), against: Self.record(seed: 3), hours: 20)
        #expect(early.verdict == .needMoreData)
        #expect(early.memory.verdict == .pass, "\(early.lines)")
        let short = bake(WorkerShape(), against: Self.record(seed: 3, hours: 0.3))
        #expect(short.verdict == .needMoreData && short.isTimeOver, "\(short.lines)")
        #expect(bake(WorkerShape(), against: nil, hours: 1).memory.verdict == .needMoreData)
        let empty = bake(WorkerShape(), against: MemoryRecord(release: "0", workers: []), hours: 1)
        #expect(empty.memory.verdict == .needMoreData)
    }
}
