import Dispatch
import Glibc
import LeakTesting
import OakumTestKit
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(4)))
struct GrowthTests {
    @Test func `one leaked object of 32 bytes per call is found in two seconds, with place and type`() {
        let registry = Registry()
        let begin = ContinuousClock.now
        let report = measureGrowth { registry.items.append(Item()) }
        let time = begin.duration(to: .now)
        #expect(report.verdict == .leak)
        #expect(time < .seconds(2))
        #expect(report.blocksPerCall.estimate > 0.99 && report.blocksPerCall.estimate < 1.01)
        // 32 of the object, and some 8 to 16 of the array, which doubles.
        #expect(report.bytesPerCall.estimate > 39 && report.bytesPerCall.estimate < 49)
        let site = report.sites.first
        #expect(site?.type == "Item")
        #expect(site?.place.contains("(GrowthTests.swift:") == true, "\(report)")
    }

    @Test func `who holds what remains is told`() {
        let report = measureGrowth(GrowthLimits(inspection: .seconds(20))) { Hoard.shared.keep(Item()) }
        let holders = report.sites.first { $0.type == "Item" }?.holders
        #expect(holders?.first?.contains("Hoard.shared") == true, "\(report)")
        #expect(holders?.last == "Item")
    }

    @Test func `the issue says bytes, blocks, type and place`() {
        let registry = Registry()
        withKnownIssue {
            expectNoGrowth { registry.items.append(Item()) }
        } matching: { issue in
            let text = issue.comments.map(\.rawValue).joined()
            return ["memory grows by", "× Item", "GrowthTests.swift:"].allSatisfy(text.contains)
        }
    }

    @Test func `a leak in every tenth call is found`() {
        var calls = 0
        let registry = Registry()
        let report = measureGrowth {
            calls += 1
            if calls % 10 == 0 { registry.items.append(Item()) }
        }
        #expect(report.verdict == .leak)
        #expect(abs(report.blocksPerCall.estimate - 0.1) < 0.02)
    }

    @Test func `numbers that are added to an array for ever are a leak`() {
        var numbers: [Int] = []
        let report = measureGrowth { numbers.append(numbers.count) }
        #expect(report.verdict == .leak, "\(report)")
    }

    @Test func `memory of C that is never freed is a leak without a type`() {
        var last: UnsafeMutableRawPointer?
        let report = measureGrowth { last = malloc(16) }
        #expect(last != nil)
        #expect(report.verdict == .leak)
        #expect(report.bytesPerCall.estimate == 16)
        #expect(report.sites.first?.type == nil)
    }

    @Test func `a cycle of two objects is a leak`() {
        let report = measureGrowth(GrowthLimits(inspection: .seconds(20))) {
            let parent = Parent()
            parent.child = Child()
            parent.child?.parent = parent
        }
        #expect(report.verdict == .leak)
        #expect(report.blocksPerCall.estimate == 2)
        #expect(report.sites.contains { $0.holders.first == "a cycle, no root" }, "\(report)")
    }

    @Test func `a dictionary with a new key for each call is a leak`() {
        var sessions: [Int: String] = [:]
        let report = measureGrowth { sessions[sessions.count] = String(repeating: "session", count: 5) }
        #expect(report.verdict == .leak, "\(report)")
    }

    @Test func `calls that keep nothing are clean, and that is soon known`() {
        let begin = ContinuousClock.now
        let report = measureGrowth { _ = (0..<10).map { "\($0)" + String(repeating: "x", count: 40) } }
        #expect(report.verdict == .clean)
        #expect(report.rounds.count == 4)
        #expect(begin.duration(to: .now) < .seconds(2))
    }

    @Test(arguments: [10, 150, 1_000, 5_000])
    func `a cache that fills up is clean`(bound: Int) {
        var cache = SmallCache(bound: bound)
        var key = 0
        let report = measureGrowth {
            key += 1
            _ = cache.value(for: key)
        }
        #expect(report.verdict == .clean, "\(report)")
    }

    @Test func `what is made once is clean`() {
        var table: [Int]?
        let report = measureGrowth {
            if table == nil { table = Array(0..<100_000) }
        }
        #expect(report.verdict == .clean)
    }

    @Test func `a buffer that is flushed now and then is clean`() {
        var lines: [String] = []
        let report = measureGrowth {
            lines.append(String(repeating: "line", count: 10))
            if lines.count == 333 { lines.removeAll() }
        }
        #expect(report.verdict == .clean, "\(report.rounds)")
    }

    @Test func `a ring of the last hundred values is clean`() {
        var ring = [Item?](repeating: nil, count: 100)
        var next = 0
        let report = measureGrowth {
            ring[next % 100] = Item()
            next += 1
        }
        #expect(report.verdict == .clean)
    }

    @Test func `slow calls get fewer of them`() {
        let begin = ContinuousClock.now
        let registry = Registry()
        let report = measureGrowth {
            let end = ContinuousClock.now + .milliseconds(3)
            while .now < end {}
            registry.items.append(Item())
        }
        #expect(report.verdict == .leak)
        #expect(report.calls < 1_500)
        #expect(begin.duration(to: .now) < .seconds(20))
    }

    @Test func `errors that are thrown and caught leave nothing behind`() {
        struct Failure: Error { let number: Int }
        func call(_ number: Int) throws { throw Failure(number: number) }
        var number = 0
        let report = measureGrowth {
            number += 1
            // That the test library keeps a trace of each is not the calls' growth.
            #expect(throws: Failure.self) { try call(number) }
            do { try call(number) } catch { number += 1 }
        }
        #expect(report.verdict == .clean, "\(report)")
    }

    @Test func `an error of the body ends it`() {
        struct Failure: Error {}
        var calls = 0
        #expect(throws: Failure.self) {
            try measureGrowth {
                calls += 1
                if calls == 25 { throw Failure() }
            }
        }
        #expect(calls == 25)
    }

    @Test func `blocks that another thread frees are not held to remain`() {
        let queue = DispatchQueue(label: "frees")
        let report = measureGrowth {
            nonisolated(unsafe) let block = malloc(64)  // Handed over: nobody else touches it.
            queue.async { free(block) }
        }
        #expect(report.verdict == .clean, "\(report)")
    }

    @Test func `allocations are counted exactly`() async throws {
        var kept: [Item] = []
        kept.reserveCapacity(10)
        let (count, sum) = countAllocations {
            for _ in 0..<10 { kept.append(Item()) }
            for _ in 0..<7 { free(malloc(100)) }
            return kept.reduce(0) { $0 + $1.first }
        }
        #expect(sum == 10)
        // The first run of generic code leaves its metadata behind.
        #expect(try #require(count).remainingBlocks >= 10)
        #expect(try #require(count).allocations >= 17)
        let (one, _) = countAllocations { free(malloc(100)) }
        #expect(one == AllocationCount(allocations: 1, bytes: 100, remainingBlocks: 0, remainingBytes: 0))
        let (inTask, _) = await countAllocations { await Task { Item().first }.value }
        #expect(try #require(inTask).allocations >= 2)
    }
}
