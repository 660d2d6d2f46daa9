import Dispatch
import Foundation  // environment
import LeakTesting
import OakumTestKit
import Synchronization
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(4)))
struct NoiseTests {
    /// FULL=1: a thousand, which takes a minute and a half.
    private static let runs = ProcessInfo.processInfo.environment["FULL"] == nil ? 200 : 1_000

    @Test func `no false alarm in a thousand runs with both cores busy`() async {
        let neighbours = NoisyNeighbours(count: 2)
        defer { neighbours.stop() }
        let counter = Counter()
        let alarms = await withTaskGroup(of: [GrowthReport].self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var alarms: [GrowthReport] = []
                    var cache = SmallCache(bound: 50)
                    for run in 0..<Self.runs / 4 {
                        let report =
                            switch (run + worker) % 4 {
                            case 0: measureGrowth { _ = String(repeating: "request", count: 20) }
                            case 1: await measureGrowth { _ = await counter.makeOne() }
                            case 2: await measureGrowth { _ = await Task { Item().first }.value }
                            default: measureGrowth { for key in 0..<60 { _ = cache.value(for: key) } }
                            }
                        if report.verdict != .clean { alarms.append(report) }
                    }
                    return alarms
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(alarms.isEmpty, "\(alarms.map(\.description))")
    }

    @Test func `leaks are found while both cores are busy`() async {
        let neighbours = NoisyNeighbours(count: 2)
        defer { neighbours.stop() }
        for _ in 0..<5 {
            let registry = Registry()
            let begin = ContinuousClock.now
            let report = measureGrowth { registry.items.append(Item()) }
            #expect(report.verdict == .leak)
            #expect(report.blocksPerCall.estimate > 0.99 && report.blocksPerCall.estimate < 1.01)
            #expect(begin.duration(to: .now) < .seconds(6))
        }
    }

    @Test func `measurements side by side do not see each other`() async {
        let verdicts = await withTaskGroup(of: (Bool, GrowthVerdict).self) { group in
            for index in 0..<12 {
                group.addTask {
                    let counter = Counter()
                    let isLeaky = index % 2 == 0
                    let report = await measureGrowth {
                        if isLeaky { await counter.keepOne() } else { _ = await counter.makeOne() }
                    }
                    return (isLeaky, report.verdict)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts.count == 12)
        for (isLeaky, verdict) in verdicts { #expect(verdict == (isLeaky ? .leak : .clean)) }
    }

    @Test func `work on other threads counts when the whole process is measured`() {
        let queue = DispatchQueue(label: "work")
        func call() {
            queue.async { Hoard.shared.keep(Item()) }
            queue.sync {}
        }
        #expect(measureGrowth { call() }.sites.allSatisfy { $0.type != "Item" })
        let report = measureGrowth(GrowthLimits(of: .process, inspection: .seconds(10))) { call() }
        #expect(report.verdict == .leak, "\(report)")
        #expect(report.sites.contains { $0.type == "Item" }, "\(report)")
        #expect(measureGrowth(GrowthLimits(of: .process)) { queue.sync {} }.verdict == .clean)
    }

    @Test func `a process that grows by itself is not blamed on the calls`() {
        let neighbours = NoisyNeighbours(count: 1)
        defer { neighbours.stop() }
        let report = measureGrowth(GrowthLimits(of: .process)) { _ = String(repeating: "request", count: 20) }
        #expect(report.verdict != .leak, "\(report)")
    }

    @Test func `more measurements at once than there is room for say so`() async {
        let most = Mutex(0)
        func nest(_ depth: Int) -> GrowthReport? {
            most.withLock { $0 = max($0, depth) }
            guard depth < 70 else { return nil }
            var inner: GrowthReport?
            var isFirst = true
            let own = measureGrowth {
                guard isFirst else { return }
                isFirst = false
                inner = nest(depth + 1)
            }
            if case .notMeasured = own.verdict { return own }
            return inner
        }
        let report = nest(0)
        guard case .notMeasured(let why)? = report?.verdict else {
            Issue.record("all \(most.withLock { $0 }) were measured")
            return
        }
        #expect(why.contains("64 measurements"))
    }
}
