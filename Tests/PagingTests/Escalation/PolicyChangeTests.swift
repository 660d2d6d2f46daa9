import OakumModel
import Paging
import Testing

@Suite
struct PolicyChangeTests {
    private let policy = EscalationPolicy(
        name: "default",
        steps: [
            EscalationStep(targets: [.person("ada")]), EscalationStep(afterSeconds: 300, targets: [.person("ben")]),
        ], repeats: 1, repeatAfterSeconds: 600)

    private func steps(_ actions: [EscalationAction]) -> [String] {
        actions.compactMap { action in
            guard case .notify(let notice) = action else { return nil }
            return "\(notice.cycle)/\(notice.step) \(notice.targets.map(\.description).joined(separator: ", "))"
        }
    }

    private func begun() -> EscalationCourse {
        var course = EscalationCourse(policy: policy)
        _ = course.handle(.begin, at: Uptime(seconds: 0))
        return course
    }

    private func change(
        _ course: inout EscalationCourse, at seconds: Double, _ edit: (inout EscalationPolicy) -> Void
    ) -> [EscalationAction] {
        var changed = course.policy
        edit(&changed)
        return course.handle(.policyChanged(changed), at: Uptime(seconds: seconds))
    }

    @Test func `the same policy changes nothing`() {
        var course = begun()
        #expect(change(&course, at: 10) { _ in }.isEmpty)
        #expect(course == begun())
    }

    @Test func `a shorter wait counts from the step before, and may be over already`() {
        var course = begun()
        #expect(change(&course, at: 10) { $0.steps[1].afterSeconds = 60 }.isEmpty)
        #expect(course.dueAt == Uptime(seconds: 60))
        #expect(steps(change(&course, at: 30) { $0.steps[1].afterSeconds = 20 }) == ["0/1 person ben"])
    }

    @Test func `steps that come later are taken as they are now`() {
        var course = begun()
        _ = change(&course, at: 10) { $0.steps[1].targets = [.person("cleo")] }
        #expect(steps(course.handle(.tick, at: Uptime(seconds: 300))) == ["0/1 person cleo"])
    }

    @Test func `when others should have been told by now, all begins again at once`() {
        var course = begun()
        #expect(steps(change(&course, at: 10) { $0.steps[0].targets = [.person("zoe")] }) == ["0/0 person zoe"])
        #expect(course.dueAt == Uptime(seconds: 310))
    }

    @Test func `a policy that became shorter ends sooner, one with more repeats later`() {
        var course = begun()
        _ = course.handle(.tick, at: Uptime(seconds: 300))
        // The repeat was due at 900.
        _ = change(&course, at: 310) { $0.repeats = 0 }
        #expect(course.handle(.tick, at: Uptime(seconds: 900)) == [.exhausted(cycles: 1)])
        course = begun()
        _ = change(&course, at: 10) { $0.steps.removeLast() }
        #expect(course.dueAt == Uptime(seconds: 600))
        #expect(steps(course.handle(.tick, at: Uptime(seconds: 600))) == ["1/0 person ada"])
    }

    @Test func `an exhausted path begins again when other people are named, not when times change`() {
        var course = begun()
        while let due = course.dueAt { _ = course.handle(.tick, at: due) }
        #expect(change(&course, at: 5_000) { $0.repeats = 9 }.isEmpty)
        #expect(course.phase == .exhausted)
        #expect(steps(change(&course, at: 5_000) { $0.steps[0].targets = [.person("zoe")] }) == ["0/0 person zoe"])
    }

    @Test func `an acknowledgement holds as it was given, and is followed by the new policy`() {
        var course = begun()
        _ = course.handle(.acknowledged(by: nil), at: Uptime(seconds: 5))
        #expect(change(&course, at: 10) { $0.steps = [EscalationStep(targets: [.person("zoe")])] }.isEmpty)
        #expect(course.dueAt == nil)
        #expect(steps(course.handle(.acknowledgementEnded(.withdrawn), at: Uptime(seconds: 20))) == ["0/0 person zoe"])
    }

    @Test func `an escalation that has told nobody yet takes the shorter of both waits`() {
        var patient = policy
        patient.steps[0].afterSeconds = 120
        var course = EscalationCourse(policy: patient)
        _ = course.handle(.begin, at: Uptime(seconds: 0))
        #expect(change(&course, at: 30) { $0.steps[0].afterSeconds = 3_600 }.isEmpty)
        #expect(course.dueAt == Uptime(seconds: 120))
        #expect(change(&course, at: 31) { $0.steps[0].afterSeconds = 10 }.isEmpty)
        #expect(course.dueAt == Uptime(seconds: 41))
    }
}
