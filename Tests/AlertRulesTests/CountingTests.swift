import AlertRules
import OakumModel
import OakumTestKit
import Testing

/// So that expectations can call what mutates.
private final class Boxed {
    private var memory = CounterMemory()

    func increase(of process: ProcessIdentity, to value: Double, startedAt: Uptime?, at now: Uptime) -> Increase? {
        memory.increase(of: process, to: value, startedAt: startedAt, at: now)
    }

    func keep(_ processes: Set<ProcessIdentity>) { memory.keep(processes) }
}

@Suite struct CountingTests {
    private static let one = ProcessIdentity(pid: 1, startTicks: 1)
    private static let two = ProcessIdentity(pid: 1, startTicks: 2)

    @Test func `the first value of a process that ran before is where counting begins`() {
        let memory = Boxed()
        #expect(memory.increase(of: Self.one, to: 5_000, startedAt: nil, at: Uptime(seconds: 10)) == nil)
        let grown = memory.increase(of: Self.one, to: 5_007, startedAt: nil, at: Uptime(seconds: 12))
        #expect(grown == Increase(amount: 7, from: Uptime(seconds: 10), until: Uptime(seconds: 12)))
    }

    @Test func `a process that was seen to begin counts from zero, spread over its life`() {
        let memory = Boxed()
        let grown = memory.increase(of: Self.one, to: 30, startedAt: Uptime(seconds: 4), at: Uptime(seconds: 10))
        #expect(grown == Increase(amount: 30, from: Uptime(seconds: 4), until: Uptime(seconds: 10)))
    }

    @Test func `the same pid with another start is another process`() {
        let memory = Boxed()
        _ = memory.increase(of: Self.one, to: 1_000_000, startedAt: nil, at: Uptime(seconds: 10))
        memory.keep([Self.two])
        let grown = memory.increase(of: Self.two, to: 3, startedAt: Uptime(seconds: 11), at: Uptime(seconds: 12))
        #expect(grown?.amount == 3)
    }

    @Test func `a counter that has wrapped below zero is not known`() {
        let memory = Boxed()
        _ = memory.increase(of: Self.one, to: 3, startedAt: nil, at: Uptime(seconds: 10))
        #expect(memory.increase(of: Self.one, to: 1.8446744e19, startedAt: nil, at: Uptime(seconds: 12)) == nil)
        #expect(memory.increase(of: Self.one, to: .nan, startedAt: nil, at: Uptime(seconds: 14)) == nil)
        #expect(memory.increase(of: Self.one, to: 5, startedAt: nil, at: Uptime(seconds: 16))?.amount == 2)
    }

    @Test func `a counter that runs backwards is begun anew and makes no spike`() {
        let memory = Boxed()
        _ = memory.increase(of: Self.one, to: 1_000_000, startedAt: nil, at: Uptime(seconds: 10))
        #expect(memory.increase(of: Self.one, to: 999_990, startedAt: nil, at: Uptime(seconds: 12)) == nil)
        #expect(memory.increase(of: Self.one, to: 1_000_010, startedAt: nil, at: Uptime(seconds: 14))?.amount == 20)
        for nonsense in [Double.nan, .infinity, -1] {
            #expect(memory.increase(of: Self.one, to: nonsense, startedAt: nil, at: Uptime(seconds: 16)) == nil)
        }
        #expect(memory.increase(of: Self.one, to: 1_000_012, startedAt: nil, at: Uptime(seconds: 18))?.amount == 2)
    }

    @Test func `windows hold what lies in them, but for one bucket at the edge`() async throws {
        try await forAll(seeds: 30) { generator in
            var sums = WindowSums()
            var events: [(from: Double, until: Double, all: Double, bad: Double)] = []
            var now = generator.double(0..<1e6)
            for _ in 0..<400 {
                let from = now
                now += generator.chance(0.02) ? generator.double(60..<3_000) : generator.double(0.2..<6)
                let all = generator.double(0..<200)
                events.append((from, now, all, all * generator.double(0..<1)))
                let last = events[events.count - 1]
                sums.add(
                    WindowSums.Sums(all: all, bad: last.bad), from: Uptime(seconds: from), until: Uptime(seconds: now))
            }
            for (window, edge) in [(10.0, 1.0), (60, 1), (300, 10), (1_800, 10), (3_600, 10), (21_600, 60)] {
                func exact(_ length: Double) -> Double {
                    events.reduce(0) { sum, event in
                        let part = max(0, min(event.until, now) - max(event.from, now - length))
                        return sum + event.all * part / (event.until - event.from)
                    }
                }
                let measured = sums.sum(seconds: window, until: Uptime(seconds: now))
                #expect(measured.all >= exact(window - edge) - 1e-6)
                #expect(measured.all <= exact(window + edge) + 1e-6)
                #expect(measured.bad <= measured.all)
            }
        }
    }

    @Test func `a clock that stands still or a span without length breaks nothing`() {
        var sums = WindowSums()
        let now = Uptime(seconds: 100)
        sums.add(WindowSums.Sums(all: 5, bad: 1), from: now, until: now)
        sums.add(WindowSums.Sums(all: 5, bad: 1), from: Uptime(seconds: 101), until: now)
        #expect(sums.sum(seconds: 10, until: now).all == 5)
        #expect(sums.sum(seconds: 10, until: Uptime(seconds: 1e9)).all == 0)
        #expect(WindowSums().sum(seconds: 10, until: now).badShare == nil)
    }
}
