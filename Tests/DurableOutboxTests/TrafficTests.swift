import DurableOutbox
import OakumTestKit
import Testing

/// Who may go at once: slots, rates, and what holds nobody back.
@Suite(.timeLimit(.minutes(2)))
struct TrafficTests {
    private let start = OutboxInstant(milliseconds: 1_000_000)

    @Test func `no destination ever has more in flight than its slots, and all together no more than their bound`()
        async throws
    {
        try await forAll(seeds: often(20)) { generator in
            let limits = OutboxLimits(inFlight: generator.int(1...5), firstInFlight: generator.int(1...5))
            var traffic = OutboxTraffic(limits: limits, maximumInFlight: generator.int(1...20))
            let names = (0..<generator.int(1...200)).map { "d\($0)" }
            var flying: [(String, Bool)] = []
            var now = OutboxInstant(milliseconds: 0)
            for _ in 0..<500 {
                now = now.advanced(by: .milliseconds(generator.int(0...100)))
                let (name, isFirst) = (generator.pick(names) ?? "", generator.chance(0.3))
                if generator.chance(0.6), traffic.room(name, isFirst: isFirst, at: now) > 0 {
                    traffic.started(name, isFirst: isFirst, at: now)
                    flying.append((name, isFirst))
                } else if !flying.isEmpty {
                    let (name, isFirst) = flying.remove(at: generator.int(0...(flying.count - 1)))
                    traffic.ended(name, isFirst: isFirst, at: now)
                }
                let ordinary = flying.count { !$0.1 }
                holds(flying.count { $0 == (name, false) } <= limits.inFlight, "slots")
                holds(flying.count { $0 == (name, true) } <= limits.firstInFlight, "slots of first messages")
                holds(traffic.inFlight == flying.count, "the count")
                holds(ordinary <= traffic.maximumInFlight + names.count, "the bound of all")
            }
        }
    }

    @Test func `a first message goes whatever rate, pauses and others' slots say`() async throws {
        try await forAll(seeds: often(100)) { generator in
            let limits = OutboxLimits(inFlight: 2, firstInFlight: 8, ratePerSecond: 0.1, burst: 1)
            var traffic = OutboxTraffic(limits: limits, maximumInFlight: 4)
            let now = OutboxInstant(milliseconds: 0)
            // Everything that can be in the way.
            for name in ["a", "b", "c", "d"] {
                for _ in 0..<traffic.room(name, isFirst: false, at: now) {
                    traffic.started(name, isFirst: false, at: now)
                }
                traffic.hold(name, until: now.advanced(by: .seconds(generator.int(1...1000))), at: now)
            }
            let name = generator.pick(["a", "b", "c", "d", "e"]) ?? "a"
            #expect(traffic.room(name, isFirst: true, at: now) > 0)
            #expect(traffic.room("a", isFirst: false, at: now) == 0)
        }
    }

    @Test func `first messages count for the rate and are paid back by the others`() {
        var traffic = OutboxTraffic(limits: OutboxLimits(inFlight: 100, ratePerSecond: 1, burst: 3))
        for _ in 0..<30 { traffic.started("a", isFirst: true, at: start) }
        for _ in 0..<30 { traffic.ended("a", isFirst: true, at: start) }
        #expect(traffic.room("a", isFirst: false, at: start) == 0)
        // The debt is one burst at most: three, and one for the message itself.
        #expect(traffic.nextToken("a", at: start) == start.advanced(by: .seconds(4)))
        #expect(traffic.room("a", isFirst: false, at: start.advanced(by: .milliseconds(3999))) == 0)
        #expect(traffic.room("a", isFirst: false, at: start.advanced(by: .milliseconds(4000))) == 1)
    }

    @Test func `over any time a destination gets no more than burst and rate allow`() async throws {
        try await forAll(seeds: often(20)) { generator in
            let (rate, burst) = (generator.double(0.5..<3), Double(generator.int(1...10)))
            var traffic = OutboxTraffic(limits: OutboxLimits(inFlight: 1000, ratePerSecond: rate, burst: burst))
            var now = OutboxInstant(milliseconds: 0)
            var sent = 0
            for _ in 0..<2000 {
                now = now.advanced(by: .milliseconds(generator.int(0...300)))
                for _ in 0..<min(traffic.room("a", isFirst: false, at: now), 1000) {
                    traffic.started("a", isFirst: false, at: now)
                    traffic.ended("a", isFirst: false, at: now)
                    sent += 1
                }
                holds(Double(sent) <= burst + rate * Double(now.milliseconds) / 1000 + 0.001, "the rate")
            }
            // And no less than nearly that: limits must not starve anybody.
            #expect(Double(sent) >= rate * Double(now.milliseconds) / 1000 * 0.5 - burst)
        }
    }

    @Test func `a pause that the receiver asked for holds the others until it is over`() {
        var traffic = OutboxTraffic()
        let end = start.advanced(by: .seconds(30))
        traffic.hold("a", until: end, at: start)
        traffic.hold("a", until: start.advanced(by: .seconds(5)), at: start)
        #expect(traffic.room("a", isFirst: false, at: start) == 0)
        #expect(traffic.nextToken("a", at: start) == end)
        #expect(traffic.room("b", isFirst: false, at: start) == 4)
        #expect(traffic.room("a", isFirst: false, at: end) == 4)
        #expect(traffic.nextToken("a", at: end) == nil)
    }
}

/// The time line over clock steps and reboots.
@Suite(.timeLimit(.minutes(2)))
struct TimelineTests {
    private func reading(_ boot: String, _ up: Int64, _ wall: Int64) -> OutboxReading {
        OutboxReading(bootID: boot, bootMilliseconds: up, wallMilliseconds: wall)
    }

    @Test func `setting the wall clock moves nothing, by an hour or by a century`() async throws {
        try await forAll(seeds: often(100)) { generator in
            var line = OutboxTimeline(beginning: reading("a", 1000, 1_700_000_000_000))
            let begin = line.now(reading("a", 1000, 1_700_000_000_000))
            var (up, wall): (Int64, Int64) = (1000, 1_700_000_000_000)
            for _ in 0..<100 {
                let passed = Int64(generator.int(0...100_000))
                up += passed
                wall += passed
                if generator.chance(0.3) { wall += Int64(generator.int(-3_600_000...3_600_000)) }
                if generator.chance(0.02) { wall += generator.chance(0.5) ? 3_000_000_000_000 : -1_000_000_000_000 }
                if generator.chance(0.5) { _ = line.anchor(reading("a", up, wall)) }
                let now = line.now(reading("a", up, wall))
                holds(now.milliseconds == begin.milliseconds + up - 1000, "the line follows the boot clock")
            }
        }
    }

    @Test func `after a reboot as much time has passed as the wall clock says`() {
        var line = OutboxTimeline(beginning: reading("a", 1000, 10_000_000))
        // An hour forward, seen while running: it must not count as an hour off.
        let isSeen = line.anchor(reading("a", 2000, 13_601_000))
        #expect(isSeen)
        let before = line.now(reading("a", 5000, 13_604_000))
        let after = line.now(reading("b", 300, 13_664_000))
        #expect(after.milliseconds - before.milliseconds == 60_000)
        #expect(line.now(reading("b", 1300, 13_665_000)).milliseconds - after.milliseconds == 1000)
    }

    @Test func `a wall clock that went back over a reboot stops the line, and one far ahead hurries it`() {
        var line = OutboxTimeline(beginning: reading("a", 1000, 10_000_000))
        let begin = line.now(reading("a", 1000, 10_000_000))
        #expect(line.now(reading("b", 10, 0)) == begin)
        #expect(line.now(reading("b", 1010, 1000)).milliseconds == begin.milliseconds + 1000)
        #expect(line.now(reading("c", 5, 4_000_000_001_000)).milliseconds == begin.milliseconds + 4_000_000_001_000)
    }

    @Test func `a boot clock that runs backwards is another boot, whatever its name`() {
        var line = OutboxTimeline(beginning: reading("unknown", 1_000_000, 10_000_000))
        let begin = line.now(reading("unknown", 1_000_000, 10_000_000))
        #expect(line.now(reading("unknown", 500, 10_030_000)).milliseconds == begin.milliseconds + 30_000)
    }

    @Test func `the clocks of this machine run forward, under one boot`() {
        let (first, second) = (OutboxClock.system.read(), OutboxClock.system.read())
        #expect(first.bootID == second.bootID)
        #expect(first.bootID.utf8.count == 36)
        #expect(first.bootMilliseconds <= second.bootMilliseconds)
        #expect(first.wallMilliseconds > 1_700_000_000_000)
    }
}
