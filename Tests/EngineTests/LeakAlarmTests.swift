import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// A leak is told while it lasts, over the recycles it needs, and is over when nothing has leaked for a while.
@Suite(.timeLimit(.minutes(10)))
struct LeakAlarmTests {
    private static func leaking(_ workers: Set<UInt32>) -> [String: KeeperModel] {
        [
            "web": KeeperModel(seed: 1) { number, _ in
                var behaviour = KeeperModel.Behaviour()
                behaviour.growthPerSecond = workers.contains(number) ? 1_048_576 : 0
                return behaviour
            }
        ]
    }

    @Test func `a leak is told at once, waits for its name, and is told with it`() async throws {
        try await EngineSimulation.run(keepers: Self.leaking([1])) { (oakum) throws in
            oakum.start(.web(samplesHeap: true), tells: true)
            try oakum.advance(until: "a verdict") { !oakum.told.leaks(.firing).isEmpty }
            let verdict = try #require(oakum.journal.events(.verdict).first { $0.verdict?.code == .leak })
            let first = try #require(oakum.told.leaks(.firing).first)
            #expect(first.at == verdict.at)
            #expect(first.fingerprint == "leak/web" && first.severity == .critical)
            #expect(first.since.uptime < first.at.uptime)
            #expect(first.evidence?.worker == 1)
            #expect(first.evidence?.acts.first?.contains("replaced without losing a request") == true)
            try oakum.advance(until: "its name") {
                oakum.told.leaks(.firing).contains { !($0.evidence?.heap ?? []).isEmpty }
            }
            let named = try #require(oakum.told.leaks(.firing).first { !($0.evidence?.heap ?? []).isEmpty })
            #expect(!named.awaitsEvidence)
            #expect(named.evidence?.heap == [FakeWitness.finding])
        }
    }

    @Test func `it is over ten minutes after the last leaking worker, and not before`() async throws {
        try await EngineSimulation.run(keepers: Self.leaking([1])) { (oakum) throws in
            oakum.start(.web(), tells: true)
            try oakum.advance(until: "a recycle") { !oakum.journal.events(.recycleFinished).isEmpty }
            let last = try #require(oakum.told.leaks(.firing).last).at.uptime
            oakum.advance(590)
            #expect(oakum.told.leaks(.resolved).isEmpty)
            oakum.advance(30)
            #expect(oakum.told.leaks(.resolved).count == 1)
            #expect(oakum.told.leaks(.firing).allSatisfy { $0.at.uptime - last < 5 })
        }
    }

    @Test func `a leak that took long to be found is over after twice that time`() async throws {
        let keepers = [
            "web": KeeperModel(seed: 1) { number, _ in
                var behaviour = KeeperModel.Behaviour()
                behaviour.growthPerSecond = number == 1 ? 65_536 : 0
                return behaviour
            }
        ]
        try await EngineSimulation.run(keepers: keepers) { (oakum) throws in
            oakum.start(.web(), tells: true)
            try oakum.advance(until: "a verdict", limit: 3_000) { !oakum.told.leaks(.firing).isEmpty }
            let verdict = try #require(oakum.told.leaks(.firing).first?.evidence?.verdict)
            let found = try #require(verdict.decidedSeconds) - (try #require(verdict.onsetSeconds))
            #expect(found > 600)
            _ = try oakum.perform(.recycle(service: "web", worker: 1))
            try oakum.advance(until: "its end") { try !oakum.serving().contains(1) }
            oakum.advance(30)
            let last = try #require(oakum.told.leaks(.firing).last).at.uptime
            let start = oakum.now
            oakum.advance(2 * found - 60)
            #expect(oakum.told.leaks(.resolved).isEmpty)
            oakum.advance(60)
            let over = try #require(oakum.told.leaks(.resolved).first)
            #expect(over.at.uptime - last >= 2 * found - 2)
            #expect(over.summary.hasSuffix(", twice as long as the leak took to be found"))
            #expect(oakum.now - start <= 2 * found + 1)
        }
    }

    @Test func `how long a leak took to be found is not forgotten by a restart of oakum`() async throws {
        try await EngineSimulation.run(keepers: Self.leaking([])) { (oakum) throws in
            let before = Moment(uptime: Uptime(seconds: 0), wall: WallTime(milliseconds: 0))
            let verdict = Verdict(code: .leak, onsetSeconds: 100, decidedSeconds: 700)
            oakum.told.fired.record(
                Alert(
                    source: .verdict, status: .firing, fingerprint: "leak/web", kind: .memoryLeak, service: "web",
                    severity: .critical, summary: "it leaked", since: before, at: before,
                    evidence: Evidence(verdict: verdict)))
            oakum.start(.web(), tells: true)
            oakum.advance(1_190)
            #expect(oakum.told.leaks(.resolved).isEmpty)
            oakum.advance(30)
            #expect(oakum.told.leaks(.resolved).map(\.fingerprint) == ["leak/web"])
        }
    }

    @Test func `a leak that goes on in successors is one condition`() async throws {
        try await EngineSimulation.run(keepers: Self.leaking(Set(1...100))) { (oakum) throws in
            oakum.start(.web(), tells: true)
            oakum.advance(1_200)
            #expect(oakum.journal.events(.recycleFinished).count > 2)
            #expect(oakum.told.leaks(.resolved).isEmpty)
            #expect(Set(oakum.told.leaks(.firing).map(\.fingerprint)) == ["leak/web"])
            #expect(Set(oakum.told.leaks(.firing).map(\.since)).count == 1)
            let acts = oakum.told.events.values.filter { $0.kind == .recycleFinished }
            #expect(acts == oakum.journal.events(.recycleFinished))
        }
    }

    @Test func `nothing is told of workers that do not leak`() async throws {
        try await EngineSimulation.run(keepers: Self.leaking([])) { (oakum) throws in
            oakum.start(.web(), tells: true)
            oakum.advance(900)
            #expect(oakum.told.alerts.values.isEmpty)
        }
    }

    @Test func `a leak that ended while oakum was away is over after a while`() async throws {
        try await EngineSimulation.run(keepers: Self.leaking([])) { (oakum) throws in
            let before = Moment(uptime: Uptime(seconds: 0), wall: WallTime(milliseconds: 0))
            oakum.told.fired.record(
                Alert(
                    source: .verdict, status: .firing, fingerprint: "leak/web", kind: .memoryLeak, service: "web",
                    severity: .critical, summary: "it leaked", since: before, at: before))
            oakum.start(.web(), tells: true)
            oakum.advance(590)
            #expect(oakum.told.leaks(.resolved).isEmpty)
            oakum.advance(30)
            #expect(oakum.told.leaks(.resolved).map(\.fingerprint) == ["leak/web"])
        }
    }
}
