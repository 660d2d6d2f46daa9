import AlertRules
import OakumModel
import OakumTestKit
import Testing

/// So that expectations can call what mutates.
private final class Boxed {
    private var latch: Latch

    init(raiseSeconds: Double, clearSeconds: Double) {
        latch = Latch(raiseSeconds: raiseSeconds, clearSeconds: clearSeconds)
    }

    var state: Latch.State { latch.state }
    var firing: Severity? { latch.firing }

    func take(_ condition: Condition, at now: Moment) -> Latch.Change? { latch.take(condition, at: now) }
}

@Suite struct LatchTests {
    private static func moment(_ seconds: Double) -> Moment {
        Moment(uptime: Uptime(seconds: seconds), wall: WallTime(milliseconds: Int64(seconds * 1_000)))
    }

    @Test func `it is raised after it was high for long enough, and once`() {
        let latch = Boxed(raiseSeconds: 10, clearSeconds: 60)
        var changes: [Double: Latch.Change] = [:]
        for second in stride(from: 0.0, through: 30, by: 2) {
            changes[second] = latch.take(.high(.error), at: Self.moment(second))
        }
        #expect(changes == [10: .raised])
        #expect(latch.state == .firing(since: Self.moment(0), .error))
    }

    @Test func `a peak that is too short raises nothing, and the next one begins to wait anew`() {
        let latch = Boxed(raiseSeconds: 10, clearSeconds: 60)
        for second in stride(from: 0.0, to: 200, by: 2) {
            let isHigh = Int(second) % 12 < 8
            #expect(latch.take(isHigh ? .high(.error) : .between, at: Self.moment(second)) == nil)
        }
    }

    @Test func `it is cleared after a hold of low; what lies between makes it wait anew`() {
        let latch = Boxed(raiseSeconds: 0, clearSeconds: 20)
        #expect(latch.take(.high(.error), at: Self.moment(0)) == .raised)
        for second in stride(from: 2.0, through: 20, by: 2) {
            #expect(latch.take(.low, at: Self.moment(second)) == nil)
        }
        #expect(latch.take(.between, at: Self.moment(22)) == nil)
        for second in stride(from: 24.0, to: 44, by: 2) {
            #expect(latch.take(.low, at: Self.moment(second)) == nil)
        }
        #expect(latch.take(.low, at: Self.moment(44)) == .cleared)
    }

    @Test func `what is not measured neither raises nor clears`() {
        let latch = Boxed(raiseSeconds: 5, clearSeconds: 20)
        _ = latch.take(.high(.error), at: Self.moment(0))
        for second in 1...1_000 { #expect(latch.take(.unknown, at: Self.moment(Double(second))) == nil) }
        // Nobody knows what was in between: it has not been high for a thousand seconds.
        #expect(latch.take(.high(.error), at: Self.moment(1_001)) == nil)
        #expect(latch.take(.high(.error), at: Self.moment(1_006)) == .raised)
        #expect(latch.take(.low, at: Self.moment(1_008)) == nil)
        for second in 1_009...5_000 { #expect(latch.take(.unknown, at: Self.moment(Double(second))) == nil) }
        #expect(latch.take(.low, at: Self.moment(5_001)) == nil)
        #expect(latch.take(.low, at: Self.moment(5_012)) == nil)
        #expect(latch.take(.low, at: Self.moment(5_021)) == .cleared)
    }

    @Test func `it gets worse at once, and better slowly`() {
        let latch = Boxed(raiseSeconds: 0, clearSeconds: 30)
        #expect(latch.take(.high(.warning), at: Self.moment(0)) == .raised)
        #expect(latch.take(.high(.critical), at: Self.moment(2)) == .severity)
        var changes: [Double: Latch.Change] = [:]
        for second in stride(from: 4.0, through: 60, by: 2) {
            changes[second] = latch.take(.high(.warning), at: Self.moment(second))
        }
        #expect(changes == [32: .severity])
        #expect(latch.firing == .warning)
    }

    @Test func `whatever comes, it is raised at most ten times an hour`() async throws {
        try await forAll(seeds: 60) { generator in
            let clear = generator.double(0..<90)
            let latch = Boxed(raiseSeconds: generator.double(0..<5), clearSeconds: clear)
            var raises: [Double] = []
            var second = 0.0
            let low = generator.double(0.1..<0.95)
            // Runs of low and high, as hostile as they come.
            var run: (Condition, Double) = (.low, 0)
            while second < 10_000 {
                if second >= run.1 {
                    let length = generator.double(1..<(generator.chance(0.3) ? 400 : clear + 12))
                    run = (generator.chance(low) ? .low : .high(.error), second + length)
                }
                if latch.take(run.0, at: Self.moment(second)) == .raised { raises.append(second) }
                second += generator.double(0.5..<3)
            }
            for raise in raises {
                #expect(raises.count { $0 >= raise && $0 < raise + 3_600 } <= Latch.raisesPerHour)
            }
        }
    }
}
