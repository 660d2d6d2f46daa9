import ArgumentParser
import OakumAPI
import OakumModel

/// Who is on call, and whether a page would reach them.
struct OnCallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "on-call",
        abstract: "Who would be paged now, and can they be reached.",
        discussion: """
            Examples:
              oakum on-call now -c oakum.yaml
              oakum on-call check -c oakum.yaml
              oakum on-call check --person ada -c oakum.yaml
            """,
        subcommands: [OnCallNow.self, OnCallCheck.self], defaultSubcommand: OnCallNow.self)
}

struct OnCallNow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "now", abstract: "Schedules, policies and what is wrong with them.")

    @OptionGroup var state: StateOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let report = try await state.incidentPlane().onCall()
            json ? try Terminal.json(report) : show(report)
        }
    }

    private func show(_ report: OnCallReport) {
        for problem in report.problems { Terminal.line("PROBLEM: \(problem)") }
        for schedule in report.schedules {
            let until = schedule.until.map { " until \(Clock.time($0))" } ?? ""
            let next = schedule.next.map { ", then \($0)" } ?? ""
            Terminal.line("\(schedule.name): \(schedule.now ?? "NOBODY")\(until)\(next)")
        }
        for policy in report.policies {
            let services = policy.services.isEmpty ? "no service" : policy.services.joined(separator: ", ")
            Terminal.line("policy \(policy.name) (\(services))")
            for step in policy.steps {
                let who = step.targets.isEmpty ? "nobody" : step.targets.joined(separator: ", ")
                Terminal.line("  after \(Int(step.afterSeconds)) s: \(who)")
            }
            if policy.repeats > 0 { Terminal.line("  then again, \(policy.repeats) times") }
        }
        for silence in report.silences {
            let what = "\(silence.kind?.rawValue ?? "everything") of \(silence.service ?? "any service")"
            Terminal.line(
                "silence \(silence.id): \(what) until \(Clock.time(silence.until)), \(silence.author): \(silence.reason)"
            )
        }
    }
}

struct OnCallCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Sends a test page to everybody the policies name, or to one person, and waits for the answers.",
        discussion: "Exit code 0 when each was delivered, 1 when one was not.")

    @Option(help: "Only this person.") var person: String?
    @Option(help: "Seconds to wait for the answers.") var timeout = 60.0
    @OptionGroup var state: StateOptions
    @OptionGroup var actor: ActorOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let plane = try state.incidentPlane()
            let outcome = try await plane.act(.check(person: person), by: actor.actor)
            if !json { Terminal.note(outcome.message) }
            let deliveries = try await settled(Set(outcome.pages), plane)
            json ? try Terminal.json(deliveries) : show(deliveries)
            let failed = deliveries.count { $0.state != .delivered }
            guard failed == 0 else {
                throw Failure(.failed, "\(failed) of \(deliveries.count) test pages were not delivered")
            }
        }
    }

    private func settled(_ pages: Set<String>, _ plane: any IncidentPlane) async throws -> [Delivery] {
        let deadline = ContinuousClock.now + .seconds(timeout)
        while true {
            let deliveries = try await plane.onCall().deliveries.filter { pages.contains($0.page.id) }
            let isDone = deliveries.count == pages.count && deliveries.allSatisfy { $0.state != .waiting }
            if isDone || ContinuousClock.now >= deadline { return deliveries }
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    private func show(_ deliveries: [Delivery]) {
        for delivery in deliveries {
            let who = delivery.page.person.map { "\($0) through " } ?? ""
            let words = delivery.words.map { ": \($0)" } ?? ""
            Terminal.line("\(who)\(delivery.page.channel): \(delivery.state.rawValue)\(words)")
        }
    }
}
