import Foundation  // environment, JSON, files
import OakumModel
import OakumTestKit
import ReleaseGate
import Testing

@Suite struct ReplayTests {
    /// Workers by the model of `WorkerShape`, two minutes short of nothing: what recordings look like.
    private static func simulated(_ count: Int, hours: Double, step: Double, seed: UInt64 = 31) -> [RecordedWorker] {
        var draws = SeededGenerator(seed: seed)
        return (0..<count).map { index in
            RecordedWorker(
                name: "worker-\(index)",
                readings: WorkerShape().readings(seconds: hours * 3_600, step: step, using: &draws))
        }
    }

    /// With GATE_RECORDINGS=FOLDER it is done with the workers recorded there (one `.jsonl` each), as GATE_CANARIES canaries of
    /// GATE_WORKERS workers an arm; the report goes to GATE_RESULT=FILE. Best in a release build.
    @Test func `recorded workers are replayed for both rules`() throws {
        let environment = ProcessInfo.processInfo.environment
        let folder = environment["GATE_RECORDINGS"]
        let isLarge = folder != nil || environment["FULL"] != nil
        let workers =
            try folder.map(RecordedWorker.folder)
            ?? Self.simulated(isLarge ? 40 : 8, hours: isLarge ? 3 : 2, step: isLarge ? 15 : 30)
        var replay = Replay(workers: workers)
        replay.workersPerArm = environment["GATE_WORKERS"].flatMap(Int.init) ?? 1
        replay.canaries = environment["GATE_CANARIES"].flatMap(Int.init) ?? (isLarge ? 400 : 4)
        if !isLarge {
            replay.minutes = [60, 120]
            replay.leaksMiBPerHour = [120]
            replay.lookEvery = 600
        }
        let json = try replay.json()
        if let path = environment["GATE_RESULT"] { try Data(json.utf8).write(to: URL(fileURLWithPath: path)) }
        if isLarge { print(json) }
        let report = try JSONDecoder().decode(Replay.Report.self, from: Data(json.utf8))
        #expect(report.rows.count == replay.minutes.count * (replay.leaksMiBPerHour.count + 1))
        #expect(report.independentCanaries == workers.count / (2 * replay.workersPerArm))
        for row in report.rows {
            for share in [row.gateFails, row.memoryOpen, row.kayentaFails, row.kayentaFiltered] {
                #expect(share.low <= share.percent && share.percent <= share.high && share.high <= 100)
            }
            let sum = row.memoryFails.percent + row.memoryPasses.percent + row.memoryOpen.percent
            #expect(abs(sum - 100) < 1e-6)
        }
        guard folder == nil else { return }
        let equal = report.rows.filter { $0.leakMiBPerHour == 0 }
        #expect(equal.allSatisfy { $0.gateFails.percent <= 1 })
        let worst = try #require(report.rows.last)
        #expect(worst.memoryFails.percent >= 75)
    }

    @Test func `a recording is read as it was written, and a bad line is named`() throws {
        let worker = try #require(Self.simulated(1, hours: 0.1, step: 30).first)
        let text = try worker.jsonLines()
        #expect(text.contains("\"bytes_in_use\"") && text.contains("\"t_s\"") && text.contains("\"cpu_s\""))
        let again = try RecordedWorker(name: "worker-0", jsonLines: text)
        #expect(try again.jsonLines() == text)
        #expect(again.lines.count == 12)
        #expect(throws: RecordingProblem.self) {
            try RecordedWorker(name: "bad", jsonLines: text + "{\"t_s\": \"soon\"}\n")
        }
        #expect(throws: RecordingProblem.self) {
            try RecordedWorker(name: "backwards", jsonLines: "{\"t_s\":5}\n{\"t_s\":4}\n")
        }
    }

    @Test func `a folder of recordings is read by name`() async throws {
        let workers = Self.simulated(3, hours: 0.05, step: 30)
        try await withTemporaryFolder { folder in
            for worker in workers {
                try Data(worker.jsonLines().utf8).write(
                    to: URL(fileURLWithPath: folder.file("\(worker.name).jsonl")))
            }
            try Data("not one of them".utf8).write(to: URL(fileURLWithPath: folder.file("README")))
            let read = try RecordedWorker.folder(folder.path)
            #expect(read.map(\.name) == ["worker-0.jsonl", "worker-1.jsonl", "worker-2.jsonl"])
        }
    }

    @Test func `a ramp adds what each request keeps`() throws {
        let worker = try #require(Self.simulated(1, hours: 0.1, step: 30).first)
        let plain = worker.readings(leakBytesPerRequest: 0)
        let leaking = worker.readings(leakBytesPerRequest: 100)
        for (left, right) in zip(plain, leaking) {
            let before = try #require(left.bytesInUse)
            let after = try #require(right.bytesInUse)
            #expect(abs(Double(after.bytes - before.bytes) - 100 * (left.requests ?? 0)) <= 1)
        }
    }

    @Test func `intervals come from the workers, not from the canaries`() {
        var draws = SeededGenerator(seed: 1)
        // One worker of ten makes all its canaries fail: a thousand canaries are no more certain than ten workers.
        let outcomes = (0..<1_000).map { _ in
            let members = Array(Array(0..<10).shuffled(using: &draws).prefix(2))
            return (members: members, isTrue: members.contains(0))
        }
        let share = Replay.share(outcomes, workers: 10, independent: 5, using: &draws)
        #expect(abs(share.percent - 20) < 5)
        #expect(share.low < 2 && share.high > 30)
        // Nothing seen in five that are independent: up to 45 % would have shown nothing too.
        let none = Replay.share(outcomes.map { ($0.members, false) }, workers: 10, independent: 5, using: &draws)
        #expect(none.percent == 0 && abs(none.high - 45) < 1)
    }

    @Test func `too few workers, or idle ones, are refused`() {
        #expect(throws: RecordingProblem.self) { try Replay(workers: []).run() }
        let idle = RecordedWorker(name: "idle", readings: [GateReading(at: .init(seconds: 5), requests: 0)])
        #expect(throws: RecordingProblem.self) { try Replay(workers: [idle, idle]).run() }
    }
}
