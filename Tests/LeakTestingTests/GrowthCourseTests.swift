@testable import LeakTesting
import Testing

/// The rule alone, on series that are known.
struct GrowthCourseTests {
    /// Plays a program: live bytes after so many calls in all.
    private func play(
        _ limits: GrowthLimits = GrowthLimits(), perCall: Duration = .microseconds(1), _ live: (Int) -> Int
    ) -> (verdict: GrowthVerdict, calls: Int, course: GrowthCourse) {
        var course = GrowthCourse(limits)
        var calls = 0
        var step = course.first
        while true {
            switch step {
            case .warmUp(let count):
                calls += count
                step = course.handle(warmedUp: reading(count, live(calls)), perCall: perCall)
            case .round(let count):
                calls += count
                step = course.handle(finished: reading(count, live(calls)), took: perCall * count)
            case .confirm: step = course.handle(confirmed: live(calls) / 32, live(calls))
            case .finish(let verdict): return (verdict, calls, course)
            }
        }
    }

    private func reading(_ calls: Int, _ bytes: Int) -> GrowthRound {
        GrowthRound(calls: calls, liveBlocks: bytes / 32, liveBytes: bytes)
    }

    @Test func `a flat series is clean after three rounds`() {
        let (verdict, calls, _) = play { _ in 4_096 }
        #expect(verdict == .clean)
        #expect(calls == 710)
    }

    @Test(arguments: [2, 16, 32, 1_024])
    func `growth with each call is a leak, and the rate is exact`(bytes: Int) {
        let (verdict, _, course) = play { $0 * bytes }
        #expect(verdict == .leak)
        let rate = course.rate(of: \.liveBytes)
        #expect(rate.estimate == Double(bytes) && rate.low == rate.high)
    }

    @Test func `growth below what is tolerated is none`() {
        #expect(play { $0 / 2 }.verdict == .clean)
        #expect(play(GrowthLimits(toleratedBytesPerCall: 100)) { $0 * 90 }.verdict == .clean)
        #expect(play(GrowthLimits(toleratedBytesPerCall: 80)) { $0 * 90 }.verdict == .leak)
    }

    @Test func `storage that doubles for ever is a leak`() {
        func capacity(_ count: Int) -> Int {
            var capacity = 2
            while capacity < count { capacity *= 2 }
            return capacity * 8
        }
        #expect(play { capacity($0) }.verdict == .leak)
    }

    @Test func `one large block that doubles does not hide that small ones leak`() {
        var course = GrowthCourse(GrowthLimits())
        var calls = 0
        var step = course.first
        // 40 bytes a call, and 8 MB more after 5,000 calls.
        func reading(_ count: Int) -> GrowthRound {
            calls += count
            return GrowthRound(
                calls: count, liveBlocks: calls + 1, liveBytes: calls * 40 + (calls > 5_000 ? 16 << 20 : 8 << 20))
        }
        while true {
            switch step {
            case .warmUp(let count): step = course.handle(warmedUp: reading(count), perCall: .microseconds(1))
            case .round(let count): step = course.handle(finished: reading(count), took: .microseconds(count))
            case .confirm: step = course.handle(confirmed: calls + 1, course.rounds.last?.liveBytes ?? 0)
            case .finish(let verdict):
                #expect(verdict == .leak)
                return
            }
        }
    }

    @Test(arguments: [50, 500, 5_000, 9_999])
    func `a cache that fills is clean once it is full`(bound: Int) {
        #expect(play { min($0, bound) * 100 }.verdict == .clean)
    }

    @Test(arguments: [100, 333, 1_000, 2_500])
    func `memory that comes and goes is clean`(period: Int) {
        #expect(play { $0 % period * 100 }.verdict == .clean)
    }

    @Test func `a cache that fills by chance is no leak`() {
        // Keys are drawn from 3,000: the more are known, the rarer are new ones.
        func known(_ calls: Int) -> Int { Int(3_000 * (1 - Double.pow(0.999_667, calls))) * 100 }
        #expect(play { known($0) }.verdict == .clean)
    }

    @Test func `blocks that are freed later are not held to remain`() {
        var course = GrowthCourse(GrowthLimits(patience: .milliseconds(3)))
        _ = course.first
        var step = course.handle(warmedUp: reading(10, 0), perCall: .microseconds(1))
        var calls = 0
        var rounds = 0
        while case .round(let count) = step {
            calls += count
            rounds += 1
            step = course.handle(finished: reading(count, calls * 32), took: .milliseconds(1))
        }
        #expect(step == .confirm)
        step = course.handle(confirmed: 0, 0)
        guard case .round(let count) = step else {
            Issue.record("\(step)")
            return
        }
        step = course.handle(finished: reading(count, 0), took: .milliseconds(1))
        #expect(step == .finish(.clean))
    }

    @Test func `slow calls make small rounds`() {
        let (verdict, calls, course) = play(perCall: .milliseconds(20)) { $0 * 64 }
        #expect(verdict == .leak)
        #expect(course.base == 4)
        #expect(calls < 200)
    }

    @Test func `the interval of a rate that differs is as wide as the differences`() {
        var seed: UInt64 = 5
        var live = 0
        var last = 0
        let (verdict, _, course) = play { calls in
            for _ in last..<calls {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                if seed >> 60 < 8 { live += 48 }
            }
            last = calls
            return live
        }
        #expect(verdict == .leak)
        let rate = course.rate(of: \.liveBytes)
        #expect(rate.low < 24 && rate.high > 24)
        #expect(rate.high - rate.low < 12)
    }
}

extension Double {
    fileprivate static func pow(_ base: Double, _ exponent: Int) -> Double {
        var (result, factor, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }
}
