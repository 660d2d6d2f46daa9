import AlertRules
import EngineTestKit
import LeakTesting
import OakumAPI
import OakumModel
import OakumTestKit
import Synchronization
import Testing

@testable import OakumEngine

@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(10)))
struct LeakTests {
    @Test func `a whole life of the engine leaves nothing behind`() async throws {
        try await expectNoGrowth(calls: 10, warmUp: 4) {
            try await EngineSimulation.run { (oakum) throws in
                oakum.start(.web())
                oakum.advance(30)
                _ = try oakum.end(.detached)
            }
        }
    }

    @Test func `an engine that has run for hours does not grow, while workers leak, crash and are replaced`()
        async throws
    {
        try await EngineSimulation.run { (oakum) throws in
            oakum.start(.web(samplesHeap: true))
            var round = 0
            func live() throws {
                round += 1
                oakum.logs.write(
                    "request \(round) was answered in 12 ms\nno room for \(round) bytes\n", of: .web(1))
                if round % 8 == 0, let newest = try oakum.serving().last { oakum.world.kill(newest) }
                oakum.advance(15)
                oakum.forget()
            }
            // Half an hour is kept of a service and of the machine.
            for _ in 0..<140 { try live() }
            oakum.world.with { state in
                state.keepers["web"]?.behaviour = { number, _ in
                    var behaviour = KeeperModel.Behaviour()
                    // All but the first leak, and have to go after a minute or two.
                    behaviour.growthPerSecond = number == 1 ? 0 : 2e6
                    return behaviour
                }
            }
            try expectNoGrowth(of: .process, calls: 4, warmUp: 16, toleratingBytesPerCall: 64) { try live() }
            #expect(try oakum.overview().services[0].recycles > 1, "workers were replaced")
        }
    }

    @Test func `logs of services are mined without growth, and no more services than there may be`() async {
        let mining = LogMining()
        var line = 0
        func add() async {
            line += 1
            let text = "request \(line) was answered in \(line % 90) ms\nword\(line % 1_000) came\n"
            var harvest = LogHarvest()
            let worker = WorkerID(service: "service \(line % 40)", number: UInt32(line))
            harvest.chunks = [LogChunk(worker: worker, bytes: Array(text.utf8))]
            await mining.add(harvest, at: Double(line))
        }
        // Every statement of every service is known by then.
        for _ in 0..<8_000 { await add() }
        await expectNoGrowth(toleratingBytesPerCall: 16) { await add() }
    }

    @Test func `what was counted is kept for half a day and no longer`() {
        var record = MeasureRecord()
        var second = 0.0
        func add() {
            second += 30
            let moment = FakeHost.moment(at: second)
            let counters = WorkerCounters(requests: second * 10, failures: second, business: ["sign-ups": second])
            let worker = WorkerReading(
                number: 1, process: ProcessIdentity(pid: 1, startTicks: 1), startedAt: FakeHost.moment(at: 0).uptime,
                probe: .answered, wasAsked: true, counters: counters)
            record.add(ServiceReading(at: moment, workers: [worker], desired: 1)) { _ in nil }
        }
        // 720 minutes and 600 slots of six seconds.
        for _ in 0..<1_500 { add() }
        expectNoGrowth { add() }
        #expect(record.series(since: FakeHost.moment(at: 0).wall).map(\.points.count) == [720, 720, 720])
    }

    @Test func `the desk of rules does not grow with deaths and kills, nor with readings of the machine`() {
        var desk = RuleDesk(services: EngineConfiguration.web().services, host: HostAlertSettings())
        var second = 0.0
        func step() {
            second += 2
            let now = FakeHost.moment(at: second)
            desk.take(
                Event(
                    kind: .workerExited, at: now, service: "web", worker: UInt32(second), message: "ended",
                    facts: ["asked": "false", "signal": "9"]))
            desk.noteKernelKills(second)
            var machine = MachineReading()
            (machine.memoryAvailable, machine.cpuPressure) = (Int(second) % 600 < 300 ? 0.01 : 0.6, 0.5)
            machine.diskFree = ["/": 0.5]
            _ = desk.add(machine, at: now)
        }
        // Longer than any window.
        for _ in 0..<2_000 { step() }
        expectNoGrowth { step() }
    }

    @Test func `events that cannot be written are kept up to their bound`() {
        var unwritten = UnwrittenEvents()
        func add(_ count: Int) {
            let event = Event(
                kind: .problem, at: FakeHost.moment(at: 0), message: "the disk is full, once more and again")
            unwritten.add(Array(repeating: event, count: count))
        }
        add(UnwrittenEvents.capacity)
        expectNoGrowth(calls: 30) {
            add(3)
            let batch = unwritten.take()
            add(1)
            unwritten.putBack(batch)
            #expect(unwritten.takeLost() == 4)
        }
    }
}

extension EngineSimulation {
    /// Drops what the fakes keep for tests to look at.
    fileprivate func forget() {
        journal.with { state in
            state.records = []
            state.prunes = []
        }
        history.with {
            $0.samples = [:]; $0.owners = [:]
        }
        witness.state.withLock { $0.asked = [] }
        world.with { state in
            state.orders = []
            state.peaks = [:]
        }
    }
}

extension WorkerID {
    fileprivate static func web(_ number: UInt32) -> WorkerID { WorkerID(service: "web", number: number) }
}
