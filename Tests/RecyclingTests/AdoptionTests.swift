import OakumModel
import OakumTestKit
import Recycling
import Testing

struct AdoptionTests {
    @Test func `what already runs is taken over, and only what is missing is ordered`() {
        var driver = PoolDriver(desired: 3)
        #expect(driver.begin([4, 7]).orders == [[4, 7, 8]])
    }

    @Test func `numbers continue above everything that was ever seen`() {
        var driver = PoolDriver(desired: 2, nextNumber: 12)
        #expect(driver.begin([4]).orders == [[4, 12]])
        var second = PoolDriver(desired: 1)
        _ = second.begin([4])
        second.start(9)
        second.serve(4)
        #expect(second.request(4).startedRecycles.map(\.successor) == [10])
    }

    @Test func `a recycle cut short by the end of oakum is brought to its end: the oldest goes`() {
        var driver = PoolDriver(desired: 2)
        #expect(driver.begin([1, 2, 3]).orders.isEmpty)
        driver.serve(1)
        driver.serve(2)
        #expect(driver.pool.ordered == [1, 2, 3])
        driver.serve(3)
        #expect(driver.pool.ordered == [2, 3])
        driver.exit(1)
        #expect(driver.servingNumbers == [2, 3])
    }

    @Test func `recycles from before a restart of oakum count towards the limits`() {
        var driver = PoolDriver(desired: 1, atMostPerHour: 2)
        driver.now = 5_000
        _ = driver.begin([4], recycles: [1_000, 4_900, 4_000])
        driver.serve(4)
        #expect(driver.request(4).startedRecycles.isEmpty)
        #expect(driver.wait(2_000).startedRecycles.isEmpty)
        #expect(driver.wait(700).startedRecycles.count == 1)
    }

    @Test func `a leftover that never comes to serve goes instead, so that recycling is not blocked for ever`() {
        var driver = PoolDriver(desired: 2, readyWithin: 20)
        _ = driver.begin([1, 2, 3])
        driver.serve(1)
        driver.serve(2)
        for _ in 0..<3 {
            driver.start(3)
            driver.wait(2)
            driver.exit(3, restart: true)
            driver.wait(2)
        }
        #expect(driver.waitStepwise(20).orders == [[1, 2]])
        #expect(driver.servingNumbers == [1, 2])
        #expect(driver.request(1).startedRecycles.map(\.successor) == [4])
    }

    @Test func `while acts are stopped a leftover stays`() {
        var driver = PoolDriver(desired: 1, readyWithin: 5)
        driver.pool.mayAct = false
        _ = driver.begin([1, 2])
        driver.serve(1)
        driver.serve(2)
        #expect(driver.waitStepwise(20).orders.isEmpty)
        driver.pool.mayAct = true
        #expect(driver.wait(1).orders == [[2]])
    }

    @Test func `a smaller service sheds its workers oldest first, never below what is desired`() {
        var driver = PoolDriver(desired: 2)
        _ = driver.begin([1, 2, 3, 4])
        for number: UInt32 in 1...4 {
            driver.serve(number)
            #expect(driver.servingNumbers.count <= 3)
        }
        _ = driver.waitStepwise(3)
        #expect(driver.pool.ordered == [3, 4])
    }
}
