import Foundation
import OakumModel
import OakumTestKit
import Releases
import Testing

struct DeployCourseTests {
    private static func release(_ text: String) -> ReleaseID { ReleaseID(text) ?? .configured }

    private static func plan(pairs: Int = 1, isOneWay: Bool = false) -> DeployPlan {
        DeployPlan(
            service: "web", candidate: release("r2"), base: release("r1"), pairs: pairs, canarySeconds: 180,
            canaryAtMostSeconds: 600, bakeSeconds: 3_600, by: "ada", isOneWay: isOneWay)
    }

    /// A course that has come to judge its canaries at second 30.
    private static func judging(_ plan: DeployPlan = plan()) -> DeployCourse {
        var course = DeployCourse(plan: plan, at: 0)
        _ = course.handle(.began, at: 0)
        _ = course.handle(.hookEnded(problem: nil), at: 5)
        _ = course.handle(.trialServes, at: 20)
        _ = course.handle(.tested(problem: nil), at: 30)
        return course
    }

    private static func baking(_ plan: DeployPlan = plan()) -> DeployCourse {
        var course = judging(plan)
        _ = course.handle(.gate(.pass("no more errors")), at: 211)
        _ = course.handle(.rolledOver, at: 230)
        return course
    }

    @Test func `a good release goes all the way, and every step is stored before it is acted on`() {
        var course = DeployCourse(plan: Self.plan(), at: 0)
        #expect(course.handle(.began, at: 0).first == .save)
        #expect(course.handle(.hookEnded(problem: nil), at: 1) == [.save, .startTrial(Self.release("r2"), pairs: 1)])
        #expect(course.handle(.trialServes, at: 2).last == .test)
        #expect(course.handle(.tested(problem: nil), at: 3).last == .judge)
        #expect(course.handle(.gate(.pass("fine")), at: 100).isEmpty, "not before its time")
        let promotion = course.handle(.gate(.pass("fine")), at: 200)
        #expect(promotion.first == .save && promotion.contains(.link(Self.release("r2"))))
        #expect(promotion.last == .rollOver(Self.release("r2"), atOnce: 1))
        #expect(course.handle(.rolledOver, at: 210).last == .judge && course.step == .baking)
        #expect(course.handle(.gate(.pass("flat")), at: 1_000).isEmpty)
        #expect(course.handle(.gate(.pass("flat")), at: 3_900).first == .save)
        #expect(course.outcome == .proven && course.promotedAt == 210)
    }

    @Test func `a failing hook starts nothing`() {
        var course = DeployCourse(plan: Self.plan(), at: 0)
        _ = course.handle(.began, at: 0)
        let actions = course.handle(.hookEnded(problem: "exit code 1"), at: 1)
        #expect(course.outcome == .refused && course.reason?.contains("exit code 1") == true)
        #expect(!actions.contains { if case .rollOver = $0 { true } else { false } })
    }

    @Test func `a test that fails once is tried again, twice undoes it`() {
        var course = DeployCourse(plan: Self.plan(), at: 0)
        _ = course.handle(.began, at: 0)
        _ = course.handle(.hookEnded(problem: nil), at: 1)
        _ = course.handle(.trialServes, at: 2)
        #expect(course.handle(.tested(problem: "/readyz: 500"), at: 3).last == .test)
        let actions = course.handle(.tested(problem: "/readyz: 500"), at: 4)
        #expect(course.step == .undoing && actions.contains(.endTrial(keepsCanaries: false)))
        #expect(actions.contains(.link(Self.release("r1"))))
        _ = course.handle(.rolledOver, at: 5)
        #expect(course.outcome == .undone && course.restoredAt == 5)
    }

    @Test(arguments: [
        DeployEvent.canaryLost("exit code 1"), .gate(.fail("errors: 3 % against 0 %")), .cancelled(by: "bo"),
    ])
    func `canaries that fall short are taken away, and the base was never touched`(_ event: DeployEvent) {
        var course = Self.judging()
        let actions = course.handle(event, at: 60)
        #expect(actions.first == .save && course.step == .undoing)
        #expect(!actions.contains(.link(Self.release("r2"))))
        _ = course.handle(.rolledOver, at: 61)
        #expect(course.outcome == .undone)
    }

    @Test func `silence passes nobody`() {
        var quiet = Self.judging()
        #expect(quiet.handle(.gate(.undecided("no requests", hasSome: false)), at: 300).isEmpty)
        _ = quiet.handle(.gate(.undecided("no requests", hasSome: false)), at: 631)
        #expect(quiet.step == .undoing)
        var mute = Self.judging()
        #expect(mute.handle(.tick, at: 600).isEmpty)
        _ = mute.handle(.tick, at: 700)
        #expect(mute.step == .undoing)
        var late = DeployCourse(plan: Self.plan(), at: 0)
        _ = late.handle(.hookEnded(problem: nil), at: 1)
        _ = late.handle(.tick, at: 62)
        #expect(late.step == .undoing)
    }

    @Test func `too little to go by promotes it in the end, and it bakes as unproven`() {
        var course = Self.judging()
        _ = course.handle(.gate(.undecided("a leak below 12 MiB/h could not be seen", hasSome: true)), at: 631)
        #expect(course.step == .promoting)
        _ = course.handle(.rolledOver, at: 640)
        _ = course.handle(.gate(.undecided("still below", hasSome: true)), at: 4_300)
        #expect(course.outcome == .unproven)
    }

    @Test func `a leak seen while it bakes takes it back and pages; a one-way migration is held instead`() {
        var course = Self.baking()
        let actions = course.handle(.gate(.fail("memory: 40 MiB/h more")), at: 900)
        #expect(course.step == .undoing && actions.contains { if case .page = $0 { true } else { false } })
        #expect(actions.contains(.rollOver(Self.release("r1"), atOnce: 8)))
        var held = Self.baking(Self.plan(isOneWay: true))
        let kept = held.handle(.gate(.fail("memory: 40 MiB/h more")), at: 900)
        #expect(held.outcome == .held && !kept.contains { if case .rollOver = $0 { true } else { false } })
        #expect(kept.contains { if case .page = $0 { true } else { false } })
    }

    @Test func `the way back is tried until it works, and pages once`() {
        var course = Self.judging()
        _ = course.handle(.gate(.fail("errors")), at: 60)
        let first = course.handle(.rolloverFailed("no memory"), at: 70)
        let second = course.handle(.rolloverFailed("no memory"), at: 80)
        let pages = { (actions: [DeployAction]) in actions.count { if case .page = $0 { true } else { false } } }
        #expect(pages(first) == 1 && pages(second) == 0)
        #expect(second.last == .rollOver(Self.release("r1"), atOnce: 8))
        _ = course.handle(.rolledOver, at: 90)
        #expect(course.outcome == .undone)
    }

    @Test func `without a trial it is promoted at once`() {
        var course = DeployCourse(plan: Self.plan(pairs: 0), at: 0)
        _ = course.handle(.began, at: 0)
        #expect(course.handle(.hookEnded(problem: nil), at: 1).last == .rollOver(Self.release("r2"), atOnce: 1))
    }

    /// Whatever happens in whatever order, and wherever `oakum` dies (what was stored last is all that is left): it ends, `current`
    /// names the release that serves, and the pool was told the same release last.
    @Test func `killed anywhere, it finishes or undoes, and never leaves two minds`() async throws {
        try await forAll(seeds: 2_000) { generator in
            var course = DeployCourse(
                plan: Self.plan(pairs: generator.int(0...2), isOneWay: generator.chance(0.2)), at: 0)
            var stored = course
            var (link, pool) = (Self.release("r1"), Self.release("r1"))
            var now = 0.0
            var pending = course.handle(.began, at: now)
            var rolling = false
            for _ in 0..<400 where !course.isOver {
                var died = false
                for action in pending {
                    if generator.chance(0.03) {
                        died = true
                        break
                    }
                    switch action {
                    case .save: stored = course
                    case .link(let release): link = release
                    case .rollOver(let release, _): (pool, rolling) = (release, true)
                    case .runHook, .startTrial, .endTrial, .test, .judge, .tell, .page: break
                    }
                }
                now += generator.double(0..<60)
                if died || generator.chance(0.05) {
                    course = stored
                    rolling = false
                    pending = course.handle(.resumed, at: now)
                    continue
                }
                let events: [DeployEvent] = [
                    .hookEnded(problem: generator.chance(0.1) ? "no" : nil), .trialServes,
                    .tested(problem: generator.chance(0.2) ? "no" : nil), .gate(.pass("fine")), .tick,
                    generator.chance(0.1)
                        ? .gate(.fail("worse")) : .gate(.undecided("few", hasSome: generator.chance(0.8))),
                    generator.chance(0.1) ? .canaryLost("gone") : .tick,
                    generator.chance(0.05) ? .cancelled(by: "bo") : .tick,
                    rolling ? (generator.chance(0.2) ? .rolloverFailed("no") : .rolledOver) : .tick,
                ]
                pending = course.handle(generator.pick(events) ?? .tick, at: now)
            }
            for action in pending { if case .save = action { stored = course } }
            // Nothing but good news from here on.
            for _ in 0..<40 where !course.isOver {
                now += 100
                for event in [
                    DeployEvent.hookEnded(problem: nil), .trialServes, .tested(problem: nil), .gate(.pass("fine")),
                ] {
                    for action in course.handle(event, at: now) {
                        if case .link(let release) = action { link = release }
                        if case .rollOver(let release, _) = action { pool = release }
                    }
                }
                for action in course.handle(.resumed, at: now) {
                    if case .link(let release) = action { link = release }
                    if case .rollOver(let release, _) = action { pool = release }
                }
                _ = course.handle(.rolledOver, at: now)
                now += 4_000
            }
            #expect(course.isOver)
            let serves =
                course.outcome == .undone || course.outcome == .refused ? Self.release("r1") : Self.release("r2")
            #expect(link == serves && pool == serves, "\(course)")
        }
    }

    @Test func `a course is the same after it was stored`() throws {
        let course = Self.baking()
        let data = try JSONEncoder().encode(course)
        #expect(try JSONDecoder().decode(DeployCourse.self, from: data) == course)
    }
}
