import LeakTesting
import OakumTestKit
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(4)))
struct AsyncGrowthTests {
    @Test func `an actor that keeps what it makes is a leak`() async {
        let counter = Counter()
        let report = await measureGrowth { await counter.keepOne() }
        #expect(report.verdict == .leak)
        #expect(report.sites.contains { $0.type == "Item" && $0.place.contains("keepOne") }, "\(report)")
    }

    @Test func `an actor that lets go is clean`() async {
        let counter = Counter()
        let report = await measureGrowth { _ = await counter.makeOne() }
        #expect(report.verdict == .clean, "\(report)")
    }

    @Test func `a leak in child tasks is found`() async {
        let report = await measureGrowth {
            await withTaskGroup { group in
                for _ in 0..<2 { group.addTask { Hoard.shared.keep(Item()) } }
            }
        }
        #expect(report.verdict == .leak)
        #expect(report.blocksPerCall.estimate > 1.9 && report.blocksPerCall.estimate < 2.1)
    }

    @Test func `child tasks that keep nothing are clean`() async {
        let report = await measureGrowth {
            await withTaskGroup { group in
                for _ in 0..<3 { group.addTask { Item().first } }
                for await _ in group {}
            }
        }
        #expect(report.verdict == .clean, "\(report)")
    }

    @Test func `a leak in a task that is started and waited for is found`() async {
        let report = await measureGrowth { await Task { Hoard.shared.keep(Item()) }.value }
        #expect(report.verdict == .leak)
    }

    @Test func `tasks that nobody waits for are given the time to end`() async {
        let report = measureGrowth { Task { Item().first } }
        #expect(report.verdict == .clean, "\(report)")
    }

    @Test func `a stream that is left open is a leak`() async {
        let open = Open()
        let report = await measureGrowth {
            let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
            await open.add(continuation)
            _ = stream
        }
        #expect(report.verdict == .leak)
    }

    private actor Open {
        private var continuations: [AsyncStream<Int>.Continuation] = []

        func add(_ continuation: AsyncStream<Int>.Continuation) { continuations.append(continuation) }
    }

    @Test func `on the main actor calls stay there`() async {
        let report = await MainThread.measure()
        #expect(report.verdict == .clean)
        #expect(await MainThread.calls == report.calls + 10)
    }

    @MainActor private enum MainThread {
        static var calls = 0

        static func measure() async -> GrowthReport {
            await measureGrowth {
                await Task.yield()
                calls += 1
            }
        }
    }
}
