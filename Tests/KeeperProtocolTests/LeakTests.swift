import KeeperCore
import KeeperProtocol
import LeakTesting
import OakumTestKit
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `a keeper does not grow with orders, nor with workers that crash, cannot start or are stopped`() throws {
        let keeper = Simulation()
        var number: UInt32 = 0
        var pid: Int32 = 100
        try expectNoGrowth {
            number += 1
            let key = WorkerKey(service: "web", number: number)
            let actions = try keeper.apply([.web([number])])
            #expect(actions.contains(.spawn(key)))
            // The one before was told to stop.
            _ = keeper.exited(pid, .code(0))
            if number % 3 == 0 {
                _ = keeper.startFailed(key, "no such file")
                keeper.now += 1_000
                #expect(keeper.tick() == [.spawn(key)])
            }
            pid += 1
            keeper.start(key, pid: pid)
            _ = keeper.saidReady(pid)
            if number % 2 == 0 {
                let pause = keeper.exit(pid, after: 5)
                keeper.now += UInt64(pause ?? 0)
                #expect(keeper.tick() == [.spawn(key)])
                pid += 1
                keeper.start(key, pid: pid)
            }
            #expect(keeper.state.livingProcesses == [pid])
        }
    }
}
