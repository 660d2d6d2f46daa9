import OakumModel
import OakumTestKit
import Recycling
import Testing

struct RecycleTests {
    @Test func `the successor serves before the old worker is told to stop`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        let begun = driver.request(1)
        #expect(begun.orders == [[1, 2, 3]])
        #expect(begun.startedRecycles.map(\.successor) == [3])
        driver.wait(5)
        #expect(driver.servingNumbers == [1, 2])
        driver.serve(3)
        #expect(driver.pool.ordered == [2, 3])
        #expect(driver.pool.workers[1]?.phase == .draining)
        #expect(driver.pool.current?.draining == true)
        #expect(driver.exit(1).finishedRecycles == [1])
        #expect(driver.pool.finished == 1)
        #expect(driver.pool.workers.keys.sorted() == [2, 3])
    }

    @Test func `recycles come one after the other, oldest wish first, one wish a worker`() {
        var driver = PoolDriver(desired: 3, minimumInterval: 0)
        driver.serveAll()
        #expect(driver.request(2).startedRecycles.map(\.worker) == [2])
        for number: UInt32 in [3, 1, 3, 2, 1] { #expect(driver.request(number).isEmpty) }
        #expect(driver.pool.waiting.map(\.worker) == [3, 1])
        driver.serve(4)
        #expect(driver.exit(2).startedRecycles.map(\.worker) == [3])
        driver.serve(5)
        #expect(driver.exit(3).startedRecycles.map(\.worker) == [1])
    }

    @Test func `all recycled by hand: every worker is replaced once, none twice`() {
        var driver = PoolDriver(desired: 4, floor: 4, minimumInterval: 2)
        driver.serveAll()
        for number: UInt32 in 1...4 { driver.request(number, .byHand) }
        var replaced: [UInt32] = []
        for _ in 0..<60 {
            if let current = driver.pool.current {
                if current.draining {
                    replaced += driver.exit(current.request.worker).finishedRecycles
                } else if driver.pool.workers[current.successor]?.process == nil {
                    driver.serve(current.successor)
                }
            }
            driver.wait(1)
            #expect(driver.servingNumbers.count >= 4)
        }
        #expect(replaced == [1, 2, 3, 4])
        #expect(driver.servingNumbers == [5, 6, 7, 8])
    }

    @Test func `a successor that dies leaves the old worker untouched`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.request(1)
        driver.start(3)
        let actions = driver.exit(3, restart: true)
        #expect(actions.retryWaits == [10])
        #expect(actions.orders == [[1, 2]])
        #expect(driver.servingNumbers == [1, 2])
        #expect(driver.pool.current == nil)
        #expect(driver.pool.workers[3] == nil)
    }

    @Test func `a successor that is not ready in time is given up and drained`() {
        var driver = PoolDriver(desired: 2, readyWithin: 20)
        driver.serveAll()
        driver.request(2)
        driver.start(3)
        #expect(driver.wait(20).isEmpty)
        #expect(driver.wait(1).retryWaits == [10])
        #expect(driver.pool.workers[3]?.phase == .draining)
        #expect(driver.servingNumbers == [1, 2])
        driver.exit(3)
        #expect(driver.pool.workers.keys.sorted() == [1, 2])
    }

    @Test func `a successor that never even started is given up too, and drains if it comes late`() {
        var driver = PoolDriver(desired: 1, readyWithin: 20)
        driver.serveAll()
        driver.request(1)
        #expect(driver.wait(21).orders == [[1]])
        driver.start(2, ready: true)
        #expect(driver.pool.workers[2]?.phase == .draining)
        driver.waitStepwise(5).notes.forEach { Issue.record("\($0)") }
        #expect(driver.servingNumbers == [1])
    }

    @Test func `failures double the wait up to the longest, and a success forgets them`() {
        var driver = PoolDriver(desired: 1, failureBackoff: 10, longestFailureBackoff: 60)
        driver.serveAll()
        var waits: [Double] = []
        for _ in 0..<5 {
            var begun = driver.request(1)
            var waited = 0.0
            while begun.startedRecycles.isEmpty, waited < 1_000 {
                begun = driver.wait(1)
                waited += 1
            }
            if let last = waits.last { #expect(waited == last) }
            let successor = begun.startedRecycles.first?.successor ?? 0
            driver.start(successor)
            waits += driver.exit(successor, restart: true).retryWaits
        }
        #expect(waits == [10, 20, 40, 60, 60])
        driver.request(1)
        driver.wait(60)
        driver.serve(driver.pool.current?.successor ?? 0)
        #expect(driver.exit(1).finishedRecycles == [1])
        let next = driver.servingNumbers[0]
        driver.wait(10)
        let successor = driver.request(next).startedRecycles.first?.successor ?? 0
        driver.start(successor)
        #expect(driver.exit(successor, restart: true).retryWaits == [10])
    }

    @Test func `recycles keep their least distance and their cap an hour`() {
        var driver = PoolDriver(desired: 2, minimumHealthy: 0, minimumInterval: 7, atMostPerHour: 5)
        driver.serveAll()
        var starts: [Double] = []
        for _ in 0..<7_300 {
            var actions = driver.wait(1)
            actions += driver.request(driver.servingNumbers[0])
            if let successor = actions.startedRecycles.first?.successor {
                starts.append(driver.now)
                driver.serve(successor)
                driver.exit(driver.pool.current?.request.worker ?? 0)
            }
        }
        #expect(starts.count == 15)
        for (earlier, later) in zip(starts, starts.dropFirst()) { #expect(later - earlier >= 7) }
        for (earlier, later) in zip(starts, starts.dropFirst(5)) { #expect(later - earlier >= 3_600) }
    }

    @Test func `while acts are stopped nothing begins, and what is under way is finished`() {
        var driver = PoolDriver(desired: 2, minimumInterval: 0)
        driver.serveAll()
        driver.request(1)
        driver.request(2)
        driver.pool.mayAct = false
        driver.serve(3)
        #expect(driver.pool.current?.draining == true)
        #expect(driver.exit(1).finishedRecycles == [1])
        #expect(driver.waitStepwise(30).isEmpty)
        driver.pool.mayAct = true
        #expect(driver.wait(1).startedRecycles.map(\.worker) == [2])
    }

    @Test func `the old worker does not drain while the floor would be undercut`() {
        var driver = PoolDriver(desired: 2, floor: 2)
        driver.serveAll()
        driver.request(1)
        driver.exit(2, restart: true)
        driver.serve(3)
        #expect(driver.servingNumbers == [1, 3])
        #expect(driver.pool.ordered == [1, 2, 3])
        driver.serve(2)
        #expect(driver.pool.ordered == [2, 3])
        #expect(driver.servingNumbers == [2, 3])
    }

    @Test func `while nobody tells what happens, nobody is dropped and nothing is begun`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.request(1)
        driver.pool.isBlind = true
        driver.serve(3)
        driver.waitStepwise(60).orders.forEach { Issue.record("ordered \($0)") }
        #expect(driver.servingNumbers == [1, 2, 3])
        // What is learned now counts, before anything is done.
        #expect(driver.exit(3, restart: true).retryWaits == [10])
        driver.exit(2, restart: true)
        driver.pool.isBlind = false
        driver.wait(1)
        #expect(driver.servingNumbers == [1])
        #expect(driver.pool.ordered == [1, 2])
    }

    @Test func `a dead old worker costs no capacity, so the floor does not keep it`() {
        var driver = PoolDriver(desired: 2, floor: 2)
        driver.serveAll()
        driver.request(1)
        driver.exit(2, restart: true)
        driver.exit(1, restart: true)
        let process = driver.start(3, ready: true)
        driver.send(.probed(3, process, healthy: true))
        #expect(driver.wait(1).finishedRecycles == [1])
        #expect(driver.pool.ordered == [2, 3])
    }

    @Test func `an old worker that dies and comes back while its successor starts still goes`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.request(1)
        driver.start(3)
        driver.exit(1, restart: true)
        driver.serve(1)
        #expect(driver.servingNumbers == [1, 2])
        let process = driver.pool.workers[3]?.process ?? driver.freshProcess()
        driver.send(.saidReady(3, process))
        driver.send(.probed(3, process, healthy: true))
        driver.wait(1)
        #expect(driver.pool.ordered == [2, 3])
        #expect(driver.exit(1).finishedRecycles == [1])
    }

    @Test func `a draining worker that crashes has finished its recycle`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.request(1)
        driver.serve(3)
        // The keeper had not seen the order yet: it means to start the worker again, and does.
        #expect(driver.exit(1, restart: true).finishedRecycles == [1])
        driver.start(1)
        #expect(driver.pool.workers[1]?.phase == .draining)
        #expect(driver.pool.ordered == [2, 3])
        #expect(driver.exit(1).notes.isEmpty)
        #expect(driver.pool.workers[1] == nil)
    }

    @Test func `the successor may crash while the old worker drains, and nothing is lost`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.request(1)
        driver.serve(3)
        driver.exit(3, restart: true)
        #expect(driver.exit(1).finishedRecycles == [1])
        driver.serve(3)
        #expect(driver.servingNumbers == [2, 3])
    }

    @Test func `a leak is forgotten when its worker dies before its turn, a wish by hand is not`() {
        var driver = PoolDriver(desired: 3, minimumInterval: 100)
        driver.serveAll()
        driver.request(1)
        driver.request(2, .leak)
        driver.request(3, .byHand)
        driver.exit(2, restart: true)
        driver.exit(3, restart: true)
        #expect(driver.pool.waiting.map(\.worker) == [3])
    }
}
