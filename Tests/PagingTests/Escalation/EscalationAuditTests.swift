// Foundation: JSON, as the state is stored.
import Foundation
import OakumModel
import OakumTestKit
import Paging
import Testing

/// What has to hold of every escalation, whatever happens to it and however long Oakum sleeps.
@Suite
struct EscalationAuditTests {
    /// An escalation in the hands of somebody who checks everything it says.
    private struct Audited {
        var course: EscalationCourse
        var now = 0.0
        /// Of the current run.
        var told: [(cycle: Int, step: Int)] = []
        var number = 0
        var exhausted = 0
        var live: [String] = []
        var generator: SeededGenerator

        init(_ policy: EscalationPolicy, _ generator: SeededGenerator) {
            course = EscalationCourse(policy: policy)
            self.generator = generator
        }

        mutating func handle(_ event: EscalationEvent) throws {
            var open = course.handle(event, at: Uptime(seconds: now))
            // A crash at this point loses nothing: what is stored is all there is.
            if generator.chance(0.1) {
                course = try JSONDecoder().decode(EscalationCourse.self, from: JSONEncoder().encode(course))
            }
            while !open.isEmpty {
                let action = open.removeFirst()
                try check(action)
                guard case .notify(let notice) = action else { continue }
                live = (0..<generator.int(0...3)).map { "\(notice.number).\($0)" }
                open += course.handle(.told(notice, deliveries: live), at: Uptime(seconds: now))
            }
        }

        mutating func check(_ action: EscalationAction) throws {
            switch action {
            case .notify(let notice):
                number += 1
                #expect(notice.number == number)
                let expected = next(after: told.last)
                #expect(notice.cycle == expected.cycle && notice.step == expected.step)
                #expect(notice.targets.suffix(1) == course.policy.steps[notice.step].targets.suffix(1))
                told.append((notice.cycle, notice.step))
            case .exhausted(let cycles):
                exhausted += 1
                #expect(exhausted == 1)
                #expect(cycles == course.policy.repeats + 1)
                #expect(told.count == cycles * course.policy.steps.count)
            case .acknowledgementEnded: restart()
            case .unreachable(let notice, _): #expect(notice.number <= number)
            }
        }

        func next(after last: (cycle: Int, step: Int)?) -> (cycle: Int, step: Int) {
            guard let last else { return (0, 0) }
            return last.step + 1 < course.policy.steps.count ? (last.cycle, last.step + 1) : (last.cycle + 1, 0)
        }

        mutating func restart() {
            told = []
            exhausted = 0
        }

        /// The auditor's rule: nothing that is due is left undone.
        mutating func audit() throws {
            try handle(.tick)
            switch course.phase {
            case .waiting, .acknowledged(until: .some):
                let due = try #require(course.dueAt)
                #expect(due.seconds > now)
                let longest = course.policy.steps.map(\.afterSeconds).max() ?? 0
                #expect(due.seconds <= now + max(longest, course.policy.repeatAfterSeconds, 3_600))
            case .idle, .acknowledged(until: nil), .exhausted, .ended:
                #expect(course.dueAt == nil)
            }
            let before = course
            try handle(.tick)
            #expect(course == before)
        }
    }

    private func policy(_ generator: inout SeededGenerator) -> EscalationPolicy {
        let steps = (0..<generator.int(1...5)).map { index in
            EscalationStep(
                afterSeconds: generator.chance(0.3) ? 0 : generator.double(1..<900), targets: [.person("p\(index)")])
        }
        return EscalationPolicy(
            name: "x", steps: steps, repeats: generator.int(0...3), repeatAfterSeconds: generator.double(1..<900),
            acknowledgementSeconds: generator.chance(0.5) ? generator.double(60..<3_600) : nil)
    }

    @Test func `nothing due is left undone, no step is skipped or told twice, and the end is told once`() async throws {
        try await forAll(seeds: 150) { generator in
            var audited = Audited(policy(&generator), generator)
            try audited.handle(.begin)
            try audited.audit()
            for _ in 0..<60 {
                // Seconds, minutes, or a night asleep.
                audited.now += generator.pick([generator.double(0..<5), generator.double(0..<400), 28_800]) ?? 0
                try audited.audit()
                try step(&audited, &generator)
                try audited.audit()
            }
        }
    }

    private func step(_ audited: inout Audited, _ generator: inout SeededGenerator) throws {
        switch generator.int(0...19) {
        case 0: try audited.handle(.acknowledged(by: generator.chance(0.5) ? "ada" : nil))
        case 1: try audited.handle(.acknowledgementEnded(.forecastWorse))
        case 2:
            if audited.course.phase == .exhausted { audited.restart() }
            try audited.handle(.severityRaised)
        case 3:
            try audited.handle(.ended)
            audited.restart()
            if generator.chance(0.8) { try audited.handle(.begin) }
        case 4...10:
            if let dead = generator.pick(audited.live) {
                try audited.handle(.deliveryDead(notice: audited.number, delivery: dead))
            }
        case 11: try audited.handle(.deliveryDead(notice: generator.int(0...9), delivery: "1.0"))
        case 12:
            let by = generator.double(-5_000..<5_000)
            audited.now += by
            try audited.handle(.rebased(by: by))
        default: break
        }
    }

    @Test func `ticked on time, no step comes early and every delay is kept`() async throws {
        try await forAll(seeds: 100) { generator in
            let policy = policy(&generator)
            var course = EscalationCourse(policy: policy)
            var times: [Double] = []
            var end: Double?
            func take(_ actions: [EscalationAction], at seconds: Double) {
                for action in actions {
                    if case .notify(let notice) = action {
                        times.append(seconds)
                        _ = course.handle(.told(notice, deliveries: ["d"]), at: Uptime(seconds: seconds))
                    } else {
                        end = seconds
                    }
                }
            }
            take(course.handle(.begin, at: Uptime(seconds: 0)), at: 0)
            while let due = course.dueAt { take(course.handle(.tick, at: due), at: due.seconds) }
            var expected: [Double] = []
            var clock = 0.0
            for cycle in 0...policy.repeats {
                if cycle > 0 { clock += policy.repeatAfterSeconds }
                for (index, step) in policy.steps.enumerated() {
                    if cycle == 0 || index > 0 { clock += step.afterSeconds }
                    expected.append(clock)
                }
            }
            #expect(zip(times, expected).allSatisfy { abs($0 - $1) < 1e-6 })
            #expect(times.count == expected.count)
            #expect(abs((end ?? -1) - clock - policy.repeatAfterSeconds) < 1e-6)
        }
    }
}
