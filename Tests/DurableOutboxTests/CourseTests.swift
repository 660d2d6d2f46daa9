import DurableOutbox
import OakumTestKit
import Testing

/// The pure parts: the way of one message, the schedule of its attempts.
@Suite(.timeLimit(.minutes(2)))
struct CourseTests {
    private static func instant(_ milliseconds: Int64) -> OutboxInstant { OutboxInstant(milliseconds: milliseconds) }

    private func answer(_ generator: inout SeededGenerator) -> OutboxAnswer {
        switch generator.int(0...9) {
        case 0: .delivered(receipt: generator.chance(0.5) ? "r" : nil)
        case 1: .refused(words: "400")
        case 2: .disabled(words: "410")
        case 3: .again(after: .seconds(generator.int(-5...100_000)), words: "429")
        default: .again(after: nil, words: "503")
        }
    }

    /// What must hold after every step, whatever the step was.
    private func check(
        _ course: OutboxCourse, after old: OutboxCourse, at now: OutboxInstant, _ schedule: RetrySchedule
    ) {
        holds(course.attempts >= old.attempts, "attempts rise")
        holds(course.giveUpAt == old.giveUpAt, "the deadline stays")
        holds(!old.state.isFinal || course == old, "an end is an end")
        if course.state == .waiting, old.state == .claimed {
            holds(course.due <= now.advanced(by: schedule.longestWait), "no wait is longer than allowed")
            holds(course.due <= max(course.giveUpAt, now), "the last try is at the deadline")
        }
        if course.state == .dead, course.cause == .gaveUp { holds(now >= course.giveUpAt, "nothing is given up early") }
        if course.state == .delivered { holds(course.attempts > 0, "delivered by an attempt") }
    }

    @Test func `whatever happens to a message, it ends once, its attempts rise, and no wait is longer than allowed`()
        async throws
    {
        try await forAll(seeds: often(200)) { generator in
            let schedule = generator.chance(0.5) ? RetrySchedule.pages : .standardWebhooks
            var now = Self.instant(Int64(generator.int(0...1_000_000)))
            var course = OutboxCourse(
                due: now.advanced(by: .seconds(generator.int(0...100))),
                giveUpAt: now.advanced(by: .seconds(generator.int(100...200_000))))
            var deliveries = 0
            for _ in 0..<500 {
                let old = course
                switch generator.int(0...9) {
                case 0...3: if course.claim(at: now) { holds(old.state == .waiting && old.due <= now, "due") }
                case 4...6:
                    let given = answer(&generator)
                    let consequence = course.hear(given, at: now, schedule: schedule, using: &generator)
                    holds((consequence == .ignored) == (old.state != .claimed), "answers are for attempts")
                    if case .delivered = given, consequence == .ended { deliveries += 1 }
                case 7: if generator.chance(0.1) { course.release(at: now) }
                case 8:
                    if generator.chance(0.02) {
                        let isWithdrawn = course.withdraw()
                        holds(isWithdrawn == (course.state == .withdrawn), "what withdrawing says")
                    }
                default: now = now.advanced(by: .milliseconds(generator.int(0...100_000)))
                }
                check(course, after: old, at: now, schedule)
            }
            #expect(deliveries <= 1)
        }
    }

    @Test func `a message that is served whenever it is due ends, and not before its time`() async throws {
        try await forAll(seeds: often(50)) { generator in
            var now = Self.instant(0)
            let giveUpAfter = Duration.seconds(generator.int(1...20_000))
            var course = OutboxCourse(due: now, giveUpAt: now.advanced(by: giveUpAfter))
            var steps = 0
            while !course.state.isFinal {
                now = max(now, course.due).advanced(by: .milliseconds(generator.int(0...20)))
                let isClaimed = course.claim(at: now)
                holds(isClaimed, "due")
                _ = course.hear(.again(after: nil, words: "no"), at: now, schedule: .pages, using: &generator)
                steps += 1
                try #require(steps < 1_000_000)
            }
            #expect(course.cause == .gaveUp)
            #expect(now >= Self.instant(0).advanced(by: giveUpAfter))
            // The last try is made at the deadline, give or take the steps of this test.
            #expect(now <= Self.instant(0).advanced(by: giveUpAfter + .milliseconds(20)))
            #expect(course.attempts == steps)
        }
    }

    @Test func `a message whose time was over before anybody could try it is tried once`() {
        var generator = SeededGenerator(seed: 1)
        var course = OutboxCourse(due: Self.instant(0), giveUpAt: Self.instant(10))
        let late = Self.instant(1_000_000_000)
        let isClaimed = course.claim(at: late)
        #expect(isClaimed)
        let consequence = course.hear(.delivered(receipt: nil), at: late, schedule: .pages, using: &generator)
        #expect(consequence == .ended)
        #expect(course.state == .delivered)
    }

    @Test func `an attempt in flight is not called back, but it is the last`() {
        var generator = SeededGenerator(seed: 1)
        for answer in [OutboxAnswer.again(after: nil, words: "503"), .delivered(receipt: nil)] {
            var course = OutboxCourse(due: Self.instant(0), giveUpAt: Self.instant(10))
            let isClaimed = course.claim(at: Self.instant(0))
            #expect(isClaimed)
            let isWithdrawn = course.withdraw()
            #expect(!isWithdrawn)
            let consequence = course.hear(answer, at: Self.instant(1), schedule: .pages, using: &generator)
            #expect(consequence == .ended)
            #expect(course.state == (answer == .delivered(receipt: nil) ? .delivered : .withdrawn))
        }
    }

    @Test func `what others say is kept, but not a book`() {
        var generator = SeededGenerator(seed: 1)
        var course = OutboxCourse(due: Self.instant(0), giveUpAt: Self.instant(10))
        let isClaimed = course.claim(at: Self.instant(0))
        #expect(isClaimed)
        let book = String(repeating: "🧨", count: 100_000)
        _ = course.hear(.refused(words: book), at: Self.instant(0), schedule: .pages, using: &generator)
        #expect(course.words.utf8.count <= OutboxCourse.longestWords + 3)
        #expect(course.words.hasPrefix("🧨🧨"))
    }

    @Test func `waits lie between floor and step, spread over all of it, and repeat the last step`() {
        var generator = SeededGenerator(seed: 7)
        for (attempt, step) in [(1, 1), (2, 2), (3, 5), (4, 10), (5, 20), (6, 30), (7, 60), (8, 60), (1_000_000, 60)] {
            let waits = (0..<1000).map { _ in
                RetrySchedule.pages.wait(after: attempt, wish: nil, using: &generator).wholeMilliseconds
            }
            let step = Int64(step) * 1000
            #expect(waits.allSatisfy { (250...step).contains($0) })
            #expect((waits.min() ?? .max) < 250 + step / 10)
            #expect((waits.max() ?? .min) > step - step / 10)
        }
    }

    @Test func `a wish lengthens the wait up to its cap and never shortens it`() {
        var generator = SeededGenerator(seed: 7)
        let schedule = RetrySchedule(steps: [.seconds(10)], jitter: 0, longestWish: .seconds(120))
        #expect(schedule.wait(after: 1, wish: nil, using: &generator) == .seconds(10))
        #expect(schedule.wait(after: 1, wish: .seconds(3), using: &generator) == .seconds(10))
        #expect(schedule.wait(after: 1, wish: .seconds(60), using: &generator) == .seconds(60))
        #expect(schedule.wait(after: 1, wish: .seconds(1_000_000_000), using: &generator) == .seconds(120))
        #expect(schedule.wait(after: 1, wish: .seconds(-4), using: &generator) == .seconds(10))
        let empty = RetrySchedule(steps: [], jitter: 1)
        #expect(empty.wait(after: 3, wish: nil, using: &generator) == .milliseconds(250))
    }
}
