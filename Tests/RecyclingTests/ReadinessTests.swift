import OakumModel
import OakumTestKit
import Recycling
import Testing

struct ReadinessTests {
    @Test func `a new pool orders as many workers as are desired`() {
        var driver = PoolDriver(desired: 3)
        #expect(driver.begin().orders == [[1, 2, 3]])
    }

    @Test func `a worker serves after it said so, one good probe and its minimum healthy time`() {
        var driver = PoolDriver(desired: 1, minimumHealthy: 2)
        _ = driver.begin()
        let process = driver.start(1)
        #expect(driver.wait(5).isEmpty)
        #expect(driver.send(.saidReady(1, process)).probes == [1])
        driver.send(.probed(1, process, healthy: true))
        #expect(driver.wait(1.9).isEmpty)
        #expect(driver.wait(0.2).notes == [.serving(1, after: driver.now)])
        #expect(driver.servingNumbers == [1])
    }

    @Test func `a bad probe is repeated, never at once and never two at a time`() {
        var driver = PoolDriver(desired: 1)
        _ = driver.begin()
        let process = driver.start(1)
        #expect(driver.send(.saidReady(1, process)).probes == [1])
        #expect(driver.wait(1).probes.isEmpty)
        #expect(driver.send(.probed(1, process, healthy: false)).probes.isEmpty)
        #expect(driver.send(.tick).probes.isEmpty)
        #expect(driver.wait(0.3).probes == [1])
        #expect(driver.wait(60).probes.isEmpty)
    }

    @Test func `the answer to a probe of a former process says nothing about the present one`() {
        var driver = PoolDriver(desired: 1)
        _ = driver.begin()
        let former = driver.start(1, ready: true)
        driver.exit(1, restart: true)
        let present = driver.start(1)
        driver.send(.probed(1, former, healthy: true))
        driver.wait(10)
        #expect(driver.servingNumbers.isEmpty)
        #expect(driver.send(.saidReady(1, former)).isEmpty)
        #expect(driver.send(.saidReady(1, present)).probes == [1])
    }

    @Test func `a worker that never serves is told once, and stays`() {
        var driver = PoolDriver(desired: 1, readyWithin: 10)
        _ = driver.begin()
        driver.start(1)
        let told = driver.waitStepwise(60).notes
        #expect(told == [.overdue(1, after: 11)])
        #expect(driver.pool.ordered == [1])
    }

    @Test func `a start that is told twice changes nothing`() {
        var driver = PoolDriver(desired: 1)
        _ = driver.begin()
        let process = driver.serve(1)
        #expect(driver.send(.started(1, process, adminSocket: "/run/1.sock", saidReady: true)).isEmpty)
        #expect(driver.servingNumbers == [1])
    }

    @Test func `a start told again brings the readiness that was missed`() {
        var driver = PoolDriver(desired: 1)
        _ = driver.begin()
        let process = driver.start(1)
        let actions = driver.send(.started(1, process, adminSocket: "/run/1.sock", saidReady: true))
        #expect(actions.probes == [1])
    }

    @Test func `a start of an older process than the known one is stale`() {
        var driver = PoolDriver(desired: 1)
        _ = driver.begin()
        driver.now = 100
        driver.serve(1)
        let older = ProcessIdentity(pid: 77, startTicks: 5)
        driver.send(.started(1, older, adminSocket: "/run/1.sock", saidReady: false))
        #expect(driver.servingNumbers == [1])
        driver.send(.exited(1, older, willRestart: true))
        #expect(driver.servingNumbers == [1])
    }

    @Test func `a crashed worker is down until its next process serves, under the same number`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.exit(1, restart: true)
        #expect(driver.pool.workers[1]?.phase == .down)
        #expect(driver.servingNumbers == [2])
        driver.serve(1)
        #expect(driver.servingNumbers == [1, 2])
        #expect(driver.pool.ordered == [1, 2])
    }

    @Test func `a worker that stops of itself does not count as serving any more`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        let process = driver.pool.workers[1]?.process ?? driver.freshProcess()
        driver.send(.saidStopping(1, process))
        #expect(driver.servingNumbers == [2])
        driver.waitStepwise(3).probes.forEach { Issue.record("probed \($0) while it stops") }
        driver.exit(1, restart: true)
        driver.serve(1)
        #expect(driver.servingNumbers == [1, 2])
    }

    @Test func `events of workers and processes nobody knows change nothing`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        let before = driver.pool.workers
        let nobody = ProcessIdentity(pid: 9, startTicks: 9)
        for number: UInt32 in [1, 2, 77] {
            #expect(driver.send(.saidReady(number, nobody)).isEmpty)
            #expect(driver.send(.saidStopping(number, nobody)).isEmpty)
            #expect(driver.send(.probed(number, nobody, healthy: false)).isEmpty)
            #expect(driver.send(.exited(number, nobody, willRestart: false)).isEmpty)
        }
        #expect(driver.request(77).isEmpty)
        #expect(driver.pool.workers == before)
    }
}
