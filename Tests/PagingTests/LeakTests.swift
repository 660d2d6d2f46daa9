import LeakTesting
import OakumModel
import OakumTestKit
import Paging
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .timeLimit(.minutes(5)))
struct LeakTests {
    private static let policy = EscalationPolicy(
        name: "default",
        steps: [
            EscalationStep(targets: [.schedule("primary")]),
            EscalationStep(afterSeconds: 300, targets: [.person("ben"), .channel("chat")]),
        ], repeats: 1, repeatAfterSeconds: 900, acknowledgementSeconds: 3_600)

    @Test func `an escalation that begins again and again, with dead deliveries and broken promises, does not grow`() {
        var course = EscalationCourse(policy: Self.policy)
        var now = 0.0
        var round = 0
        func handle(_ event: EscalationEvent) {
            for case .notify(let notice) in course.handle(event, at: Uptime(seconds: now)) {
                let deliveries = (0..<3).map { "delivery \(notice.number), \($0) of a long enough name" }
                _ = course.handle(.told(notice, deliveries: deliveries), at: Uptime(seconds: now))
            }
        }
        expectNoGrowth {
            round += 1
            handle(.begin)
            if let latest = course.latest?.number {
                handle(.deliveryDead(notice: latest, delivery: "delivery \(latest), 0 of a long enough name"))
            }
            handle(.severityRaised)
            handle(.acknowledged(by: "ben"))
            handle(.acknowledgementEnded(.forecastWorse))
            handle(.policyChanged(Self.policy))
            // Every other time the path goes to its end.
            while round % 2 == 0, let due = course.dueAt {
                now = due.seconds
                handle(.tick)
            }
            now += 60
            handle(.rebased(by: 1))
            handle(.ended)
        }
        #expect(course.notices > 1_000, "it was told again and again")
    }

    @Test func `an acknowledgement that holds does not grow with what it is judged by`() {
        var now = 0.0
        var rule = AcknowledgementRule(
            severity: .warning, givenAt: Uptime(seconds: 0), timeToLimit: 1e9, until: nil)
        expectNoGrowth {
            now += 1
            _ = rule.judge(severity: .warning, forecast: TimeToLimit(low: 1e9, high: nil), at: Uptime(seconds: now))
            rule.rebase(by: 0)
        }
    }
}
