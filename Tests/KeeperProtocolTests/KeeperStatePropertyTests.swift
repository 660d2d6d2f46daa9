import KeeperCore
import KeeperProtocol
import OakumTestKit
import Testing

struct KeeperStatePropertyTests {
    @Test func `whatever happens, the keeper holds to its order and loses no process`() async throws {
        try await forAll(seeds: 200) { random in
            var world = World()
            for _ in 0..<random.int(10...120) { try world.step(&random) }
            try world.settle()
        }
    }
}

/// A keeper's surroundings: processes that start, die, hang and are killed, in any order.
private struct World {
    let simulation = Simulation()
    var living: [Int32: WorkerKey] = [:]
    var wanted: Set<WorkerKey> = []
    var nextPID: Int32 = 100
    var spawnsFail = false

    mutating func step(_ random: inout SeededGenerator) throws {
        spawnsFail = random.chance(0.2)
        switch random.int(0...5) {
        case 0:
            let numbers = Set((0..<random.int(0...5)).map { _ in UInt32(random.int(1...8)) }).sorted()
            let services = random.chance(0.9) ? [ServiceOrder.web(numbers)] : []
            wanted = Set(services.flatMap { $0.workers.map { WorkerKey(service: "web", number: $0.number) } })
            carryOut(try simulation.apply(services))
        case 1, 2:
            guard let pid = random.pick(living.keys.sorted()) else { return }
            die(pid, .code(1))
        case 3:
            guard let pid = random.pick(living.keys.sorted()) else { return }
            carryOut(simulation.state.saidReady(pid: pid))
        default:
            simulation.now += UInt64(random.int(1...700))
            carryOut(simulation.tick())
        }
        check()
    }

    /// Lets time pass with processes that obey and live: in the end exactly the order stands.
    mutating func settle() throws {
        spawnsFail = false
        for _ in 0..<200 {
            for pid in living.keys.sorted() where !wanted.contains(living[pid] ?? WorkerKey(service: "", number: 0)) {
                die(pid, .code(0))
            }
            // Workers that were asked to stop and then ordered back obey as well.
            for worker in simulation.state.inventory(keeperPID: 1, listeners: []).workers where worker.stopping {
                die(worker.process.pid, .code(0))
            }
            simulation.now += 100
            carryOut(simulation.tick())
            check()
        }
        #expect(Set(living.values) == wanted && living.count == wanted.count)
        #expect(simulation.state.nextDeadline() == nil)
    }

    private mutating func die(_ pid: Int32, _ status: KeeperProtocol.ExitStatus) {
        guard living.removeValue(forKey: pid) != nil else { return }
        carryOut(simulation.state.exited(pid: pid, status: status, at: simulation.now))
    }

    private mutating func carryOut(_ actions: [KeeperAction]) {
        for action in actions {
            switch action {
            case .spawn(let key):
                if spawnsFail {
                    carryOut(simulation.state.startFailed(key, text: "no", at: simulation.now))
                } else {
                    #expect(!living.values.contains(key), "one process a worker")
                    nextPID += 1
                    living[nextPID] = key
                    carryOut(
                        simulation.state.started(
                            key, process: KeptProcess(pid: nextPID, startTicks: 1), adminSocket: "x",
                            at: simulation.now))
                }
            case .kill(let pid): die(pid, .signal(9))
            case .terminate(let pid): #expect(living[pid] != nil, "only the living are asked to stop")
            case .closeListener: #expect(living.isEmpty, "a socket stays while a worker lives")
            case .announce, .forget, .finish: break
            }
        }
    }

    private func check() {
        #expect(simulation.state.livingProcesses == living.keys.sorted())
        let inventory = simulation.state.inventory(keeperPID: 1, listeners: [])
        #expect(Set(inventory.ordered.map(\.key)) == wanted)
        #expect(inventory.workers.count == living.count)
    }
}
