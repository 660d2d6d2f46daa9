import KeeperCore
import KeeperProtocol
import OakumTestKit
import Testing

private let one = WorkerKey(service: "web", number: 1)
private let two = WorkerKey(service: "web", number: 2)

struct KeeperStateTests {
    @Test func `an order starts its workers, and the same order again changes nothing`() throws {
        let keeper = Simulation()
        #expect(try keeper.apply([.web([1, 2])]) == [.spawn(one), .spawn(two)])
        keeper.start(one, pid: 10)
        keeper.start(two, pid: 11)
        #expect(try keeper.apply([.web([1, 2])]).isEmpty)
        #expect(keeper.state.nextDeadline() == nil)
        let inventory = keeper.state.inventory(keeperPID: 1, listeners: [])
        #expect(inventory.ordered.map(\.key) == [one, two] && inventory.workers.map(\.key) == [one, two])
    }

    @Test func `pauses between restarts double up to the maximum and start over after a long life`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1])])
        var pauses: [UInt32] = []
        for pid in Int32(10)..<16 {
            keeper.start(one, pid: pid)
            pauses.append(try #require(keeper.exit(pid, after: 5)))
            keeper.now += UInt64(pauses.last ?? 0) - 1
            #expect(keeper.tick().isEmpty)
            keeper.now += 1
            #expect(keeper.tick() == [.spawn(one)])
        }
        #expect(pauses == [100, 200, 400, 800, 1_000, 1_000])
        keeper.start(one, pid: 20)
        #expect(keeper.exit(20, after: 1_000) == 100)
    }

    @Test func `a worker that cannot be started is tried again with the same pauses`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1])])
        var pauses: [UInt32?] = []
        for _ in 0..<3 {
            let actions = keeper.startFailed(one, "no such file")
            guard case .announce(.startFailed(one, "no such file", let pause))? = actions.first else {
                Issue.record("not announced")
                return
            }
            pauses.append(pause)
            keeper.now += UInt64(pause ?? 0)
            #expect(keeper.tick() == [.spawn(one)])
        }
        #expect(pauses == [100, 200, 400])
    }

    @Test func `a removed worker gets SIGTERM, then after its deadline SIGKILL, and is not started again`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1, 2])])
        keeper.start(one, pid: 10)
        keeper.start(two, pid: 11)
        #expect(try keeper.apply([.web([2])]) == [.terminate(10)])
        #expect(try keeper.apply([.web([2])]).isEmpty)
        keeper.now += 499
        #expect(keeper.tick().isEmpty)
        keeper.now += 1
        #expect(keeper.tick() == [.kill(10)])
        #expect(keeper.tick().isEmpty)
        let actions = keeper.exited(10, .signal(9))
        #expect(actions.contains(.forget(one)) && keeper.state.nextDeadline() == nil)
        #expect(keeper.state.livingProcesses == [11])
    }

    @Test func `a worker that waits for its restart is dropped at once when it is removed`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1, 2])])
        keeper.start(one, pid: 10)
        keeper.start(two, pid: 11)
        keeper.exit(10, after: 0)
        #expect(try keeper.apply([.web([2])]) == [.forget(one)])
        keeper.now += 10_000
        #expect(keeper.tick().isEmpty)
    }

    @Test func `a worker ordered back while it stops is started again at once when it has stopped`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1])])
        keeper.start(one, pid: 10)
        _ = try keeper.apply([.web([])])
        #expect(try keeper.apply([.web([1])]).isEmpty)
        let actions = keeper.exited(10, .code(0))
        #expect(actions.last == .spawn(one))
    }

    @Test func `a removed service keeps its socket until its last worker is gone`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1])])
        keeper.start(one, pid: 10)
        #expect(try keeper.apply([]) == [.terminate(10)])
        let actions = keeper.exited(10, .code(0))
        #expect(actions.suffix(2) == [.forget(one), .closeListener("web")])
    }

    @Test func `a command or environment changed later is for workers started from then on`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1])])
        keeper.start(one, pid: 10)
        var changed = ServiceOrder.web([1])
        changed.builds[0].command = ["/bin/other"]
        #expect(try keeper.apply([changed]).isEmpty)
        #expect(keeper.state.order(of: "web")?.build(of: 1)?.command == ["/bin/other"])
    }

    @Test func `a second release runs beside the first, and each number keeps its own`() throws {
        let keeper = Simulation()
        var order = ServiceOrder.web([1])
        _ = try keeper.apply([order])
        keeper.start(one, pid: 10)
        order.builds.append(BuildOrder(release: "r2", command: ["/srv/r2/web"]))
        order.workers.append(WorkerOrder(number: 2, release: "r2"))
        #expect(try keeper.apply([order]) == [.spawn(two)])
        keeper.start(two, pid: 11)
        let inventory = keeper.state.inventory(keeperPID: 1, listeners: [])
        #expect(inventory.workers.map(\.release) == ["", "r2"])
        #expect(inventory.ordered.map(\.release) == ["", "r2"])
        #expect(keeper.state.order(of: "web")?.build(of: 2)?.command == ["/srv/r2/web"])
        keeper.exit(11, after: 0)
        #expect(keeper.state.order(of: "web")?.build(of: 2)?.release == "r2")
    }

    @Test func `a listening address changes only while no worker lives`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1])])
        keeper.start(one, pid: 10)
        let elsewhere = ServiceOrder.web([1], listen: "127.0.0.1:81")
        #expect(throws: Refusal.self) { try keeper.apply([elsewhere]) }
        #expect(keeper.state.order(of: "web")?.listen == "127.0.0.1:80")
        keeper.exit(10, after: 0)
        _ = try keeper.apply([elsewhere])
        #expect(keeper.state.order(of: "web")?.listen == "127.0.0.1:81")
    }

    @Test func `an order that is not above the standing one is refused`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1])])
        let refusal = #expect(throws: Refusal.self) {
            try keeper.state.check(Order(generation: keeper.generation, services: []))
        }
        #expect(refusal?.code == .stale)
    }

    @Test func `stopping everything ends when the last worker is gone; asked twice, it kills`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1, 2])])
        keeper.start(one, pid: 10)
        keeper.start(two, pid: 11)
        #expect(keeper.stopAll() == [.terminate(10), .terminate(11)])
        #expect(keeper.stopAll() == [.kill(10), .kill(11)])
        let refusal = #expect(throws: Refusal.self) { try keeper.apply([.web([1])]) }
        #expect(refusal?.code == .stopping)
        #expect(!keeper.exited(10, .signal(9)).contains(.finish))
        #expect(keeper.exited(11, .signal(9)).last == .finish)
    }

    @Test func `stopping everything without workers ends at once`() {
        var state = KeeperState()
        let actions = state.stopAll(at: 0)
        #expect(actions == [.finish])
    }

    @Test func `a large order starts a few workers a turn`() throws {
        let keeper = Simulation()
        let numbers = (1...20).map { UInt32($0) }
        var started = try keeper.apply([.web(numbers)])
        #expect(started.count == KeeperState.startsAtOnce)
        while started.count < 20 {
            let more = keeper.tick()
            #expect(more.count <= KeeperState.startsAtOnce && !more.isEmpty)
            started += more
        }
        #expect(Set(started) == Set(numbers.map { .spawn(WorkerKey(service: "web", number: $0)) }))
    }

    @Test func `notices change what the inventory says, and strangers' notices nothing`() throws {
        let keeper = Simulation()
        _ = try keeper.apply([.web([1])])
        keeper.start(one, pid: 10)
        #expect(keeper.saidReady(99).isEmpty)
        #expect(keeper.saidReady(10).count == 1)
        #expect(keeper.saidStopping(10).count == 1)
        let worker = try #require(keeper.state.inventory(keeperPID: 1, listeners: []).workers.first)
        #expect(worker.saidReady && worker.stopping)
    }
}

/// Runs a `KeeperState` on a clock that the test moves.
final class Simulation {
    var state = KeeperState()
    var now: UInt64 = 1_000
    var generation: UInt64 = 0

    func apply(_ services: [ServiceOrder]) throws -> [KeeperAction] {
        let order = Order(generation: generation + 1, services: services)
        try state.check(order)
        generation += 1
        return state.accept(order, at: now)
    }

    func start(_ key: WorkerKey, pid: Int32) {
        _ = state.started(key, process: KeptProcess(pid: pid, startTicks: 1), adminSocket: "x", at: now)
    }

    /// The pause until its restart.
    @discardableResult
    func exit(_ pid: Int32, after lifetime: UInt64) -> UInt32? {
        now += lifetime
        for action in state.exited(pid: pid, status: .code(1), at: now) {
            if case .announce(.exited(_, _, _, let pause)) = action { return pause }
        }
        return nil
    }

    func exited(_ pid: Int32, _ status: KeeperProtocol.ExitStatus) -> [KeeperAction] {
        state.exited(pid: pid, status: status, at: now)
    }

    func startFailed(_ key: WorkerKey, _ text: String) -> [KeeperAction] {
        state.startFailed(key, text: text, at: now)
    }

    func saidReady(_ pid: Int32) -> [KeeperAction] { state.saidReady(pid: pid) }
    func saidStopping(_ pid: Int32) -> [KeeperAction] { state.saidStopping(pid: pid) }
    func stopAll() -> [KeeperAction] { state.stopAll(at: now) }

    func tick() -> [KeeperAction] {
        state.tick(at: now)
    }
}
