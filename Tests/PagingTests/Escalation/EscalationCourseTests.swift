// Foundation: JSON, as the state is stored.
import Foundation
import OakumModel
import Paging
import Testing

@Suite
struct EscalationCourseTests {
    private let policy = EscalationPolicy(
        name: "default",
        steps: [
            EscalationStep(targets: [.schedule("primary")]),
            EscalationStep(afterSeconds: 300, targets: [.person("ben"), .channel("chat")]),
            EscalationStep(afterSeconds: 600, targets: [.person("boss")]),
        ], repeats: 1, repeatAfterSeconds: 900, acknowledgementSeconds: 3_600)

    private func told(_ course: inout EscalationCourse, _ actions: [EscalationAction], at seconds: Double) {
        for case .notify(let notice) in actions {
            let follow = course.handle(.told(notice, deliveries: ["d\(notice.number)"]), at: Uptime(seconds: seconds))
            #expect(follow.isEmpty)
        }
    }

    /// Handles an event; every notice reaches somebody.
    private func handle(
        _ course: inout EscalationCourse, _ event: EscalationEvent, at seconds: Double
    ) -> [EscalationAction] {
        let actions = course.handle(event, at: Uptime(seconds: seconds))
        told(&course, actions, at: seconds)
        return actions
    }

    private func begun(at seconds: Double = 0) -> EscalationCourse {
        var course = EscalationCourse(policy: policy)
        _ = handle(&course, .begin, at: seconds)
        return course
    }

    private func words(_ actions: [EscalationAction]) -> [String] {
        actions.map { action in
            switch action {
            case .notify(let notice):
                "\(notice.number): cycle \(notice.cycle) step \(notice.step) "
                    + notice.targets.map(\.description).joined(separator: ", ")
            case .unreachable(let notice, let reason): "\(notice.number) unreachable: \(reason.rawValue)"
            case .exhausted(let cycles): "exhausted after \(cycles)"
            case .acknowledgementEnded(let reason): "acknowledgement ended: \(reason.rawValue)"
            }
        }
    }

    @Test
    func `the first step is told at once, the others after their delays, all again as often as said, then it ends`() {
        var course = EscalationCourse(policy: policy)
        #expect(course.dueAt == nil)
        #expect(words(handle(&course, .begin, at: 0)) == ["1: cycle 0 step 0 schedule primary"])
        var log: [String] = []
        while let due = course.dueAt {
            #expect(handle(&course, .tick, at: due.seconds - 0.001).isEmpty)
            log += words(handle(&course, .tick, at: due.seconds)).map { "\(Int(due.seconds)) \($0)" }
        }
        #expect(
            log == [
                "300 2: cycle 0 step 1 person ben, channel chat", "900 3: cycle 0 step 2 person boss",
                "1800 4: cycle 1 step 0 schedule primary", "2100 5: cycle 1 step 1 person ben, channel chat",
                "2700 6: cycle 1 step 2 person boss", "3600 exhausted after 2",
            ])
        #expect(handle(&course, .tick, at: 1e9).isEmpty)
    }

    @Test func `a second beginning is no beginning, one after the end is, and numbers go on`() {
        var course = begun()
        #expect(handle(&course, .begin, at: 1).isEmpty)
        #expect(handle(&course, .ended, at: 2).isEmpty)
        #expect(course.dueAt == nil)
        #expect(handle(&course, .tick, at: 5_000).isEmpty)
        #expect(words(handle(&course, .begin, at: 6_000)) == ["2: cycle 0 step 0 schedule primary"])
    }

    @Test func `an acknowledgement rests the path until its time is up, then all begins again with who had it`() {
        var course = begun()
        #expect(handle(&course, .acknowledged(by: "ben"), at: 100).isEmpty)
        #expect(course.dueAt == Uptime(seconds: 3_700))
        #expect(handle(&course, .tick, at: 3_699).isEmpty)
        #expect(
            words(handle(&course, .tick, at: 3_700)) == [
                "acknowledgement ended: time_up", "2: cycle 0 step 0 person ben, schedule primary",
            ])
        #expect(words(handle(&course, .tick, at: 4_000)) == ["3: cycle 0 step 1 person ben, channel chat"])
    }

    @Test func `an acknowledgement without an end holds`() {
        var lasting = policy
        lasting.acknowledgementSeconds = nil
        var course = EscalationCourse(policy: lasting)
        _ = handle(&course, .begin, at: 0)
        _ = handle(&course, .acknowledged(by: nil), at: 1)
        #expect(course.dueAt == nil)
        #expect(handle(&course, .tick, at: 1e8).isEmpty)
        #expect(
            words(handle(&course, .acknowledgementEnded(.forecastWorse), at: 1e8)) == [
                "acknowledgement ended: forecast_worse", "2: cycle 0 step 0 schedule primary",
            ])
        #expect(handle(&course, .acknowledgementEnded(.forecastWorse), at: 1e8).isEmpty)
    }

    @Test func `acknowledging again prolongs, and after the end it is too late`() {
        var course = begun()
        _ = handle(&course, .acknowledged(by: "ben"), at: 100)
        _ = handle(&course, .acknowledged(by: "ada"), at: 3_000)
        #expect(course.dueAt == Uptime(seconds: 6_600))
        _ = handle(&course, .ended, at: 3_100)
        _ = handle(&course, .acknowledged(by: "ada"), at: 3_200)
        #expect(course.phase == .ended)
    }

    @Test func `a step that can tell nobody is said, and the next one is due at once`() {
        var course = EscalationCourse(policy: policy)
        let first = course.handle(.begin, at: Uptime(seconds: 0))
        guard case .notify(let notice)? = first.first else {
            Issue.record("no notice")
            return
        }
        let next = handle(&course, .told(notice, deliveries: []), at: 0)
        #expect(words(next) == ["1 unreachable: nobody_to_tell", "2: cycle 0 step 1 person ben, channel chat"])
        #expect(course.dueAt == Uptime(seconds: 600))
    }

    @Test func `the next step is due at once when the last delivery of this one is dead, and not before`() {
        var course = EscalationCourse(policy: policy)
        for case .notify(let notice) in course.handle(.begin, at: Uptime(seconds: 0)) {
            _ = course.handle(.told(notice, deliveries: ["mail", "phone"]), at: Uptime(seconds: 0))
        }
        #expect(handle(&course, .deliveryDead(notice: 1, delivery: "mail"), at: 10).isEmpty)
        #expect(handle(&course, .deliveryDead(notice: 1, delivery: "mail"), at: 11).isEmpty)
        #expect(handle(&course, .deliveryDead(notice: 1, delivery: "fax"), at: 12).isEmpty)
        #expect(
            words(handle(&course, .deliveryDead(notice: 1, delivery: "phone"), at: 13)) == [
                "1 unreachable: all_deliveries_dead", "2: cycle 0 step 1 person ben, channel chat",
            ])
        #expect(handle(&course, .deliveryDead(notice: 1, delivery: "phone"), at: 14).isEmpty)
        #expect(course.dueAt == Uptime(seconds: 613))
    }

    @Test func `when nobody at all can be told, a cycle runs through at once, and repeats keep their pause`() {
        var course = EscalationCourse(policy: policy)
        var log: [String] = []
        func run(_ event: EscalationEvent, at seconds: Double) {
            var open = course.handle(event, at: Uptime(seconds: seconds))
            while !open.isEmpty {
                let action = open.removeFirst()
                log += words([action]).map { "\(Int(seconds)) \($0.prefix(18))" }
                if case .notify(let notice) = action {
                    open += course.handle(.told(notice, deliveries: []), at: Uptime(seconds: seconds))
                }
            }
        }
        run(.begin, at: 0)
        #expect(course.dueAt == Uptime(seconds: 900))
        run(.tick, at: 900)
        #expect(course.phase == .exhausted)
        #expect(
            log == [
                "0 1: cycle 0 step 0 ", "0 1 unreachable: nob", "0 2: cycle 0 step 1 ", "0 2 unreachable: nob",
                "0 3: cycle 0 step 2 ", "0 3 unreachable: nob", "900 4: cycle 1 step 0 ", "900 4 unreachable: nob",
                "900 5: cycle 1 step 1 ", "900 5 unreachable: nob", "900 6: cycle 1 step 2 ", "900 6 unreachable: nob",
                "900 exhausted after 2",
            ])
    }

    @Test func `after eight hours of sleep every overdue step of the cycle runs once, and repeats do not pile up`() {
        var course = begun()
        #expect(
            words(handle(&course, .tick, at: 28_800)) == [
                "2: cycle 0 step 1 person ben, channel chat", "3: cycle 0 step 2 person boss",
            ])
        #expect(course.dueAt == Uptime(seconds: 29_700))
        // Asleep again: the repeat is told as one cycle, the path is not at its end.
        #expect(
            words(handle(&course, .tick, at: 60_000)) == [
                "4: cycle 1 step 0 schedule primary", "5: cycle 1 step 1 person ben, channel chat",
                "6: cycle 1 step 2 person boss",
            ])
        #expect(words(handle(&course, .tick, at: 60_900)) == ["exhausted after 2"])
    }

    @Test func `a higher severity ends an acknowledgement, revives an exhausted path, and cuts the first delay`() {
        var course = begun()
        #expect(handle(&course, .severityRaised, at: 1).isEmpty)
        _ = handle(&course, .acknowledged(by: nil), at: 2)
        #expect(words(handle(&course, .severityRaised, at: 3)).first == "acknowledgement ended: severity_raised")
        while let due = course.dueAt { _ = handle(&course, .tick, at: due.seconds) }
        #expect(course.phase == .exhausted)
        #expect(words(handle(&course, .severityRaised, at: 9_000)) == ["8: cycle 0 step 0 schedule primary"])
        var patient = policy
        patient.steps[0].afterSeconds = 120
        course = EscalationCourse(policy: patient)
        #expect(handle(&course, .begin, at: 0).isEmpty)
        #expect(words(handle(&course, .severityRaised, at: 1)) == ["1: cycle 0 step 0 schedule primary"])
        #expect(course.dueAt == Uptime(seconds: 301))
    }

    @Test func `a policy without steps is exhausted at once`() {
        var course = EscalationCourse(policy: EscalationPolicy(name: "void", steps: []))
        #expect(words(handle(&course, .begin, at: 0)) == ["exhausted after 0"])
    }

    @Test func `after a restart of the machine all times move with its clock`() {
        var course = begun(at: 10_000)
        _ = handle(&course, .rebased(by: -9_990), at: 20)
        #expect(course.dueAt == Uptime(seconds: 310))
        _ = handle(&course, .acknowledged(by: nil), at: 30)
        _ = handle(&course, .rebased(by: 100), at: 130)
        #expect(course.dueAt == Uptime(seconds: 3_730))
    }

    @Test func `it is stored and read again at every point`() throws {
        var course = EscalationCourse(policy: policy)
        let events: [(EscalationEvent, Double)] = [
            (.begin, 0), (.tick, 300), (.acknowledged(by: "ben"), 310), (.tick, 4_000), (.tick, 100_000),
            (.tick, 200_000), (.tick, 300_000), (.ended, 300_001),
        ]
        for (event, seconds) in events {
            _ = handle(&course, event, at: seconds)
            #expect(try JSONDecoder().decode(EscalationCourse.self, from: JSONEncoder().encode(course)) == course)
        }
    }
}
