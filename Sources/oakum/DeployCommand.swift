import ArgumentParser
import Foundation
import Glibc
import OakumAPI
import OakumModel
import Releases

struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Puts a release into service: canaries first, then every worker, or back.",
        discussion: """
            The artefact is checked (its signature too, where `releases: public_key` asks for one), unpacked beside the others and \
            prepared by the hook. Canaries of it and fresh workers of the current release then serve side by side on the same \
            socket; errors, crashes, processor time and memory decide. What passes replaces one worker after the other and bakes; \
            what does not goes back. Ctrl-C stops watching, not the deploy: `oakum rollback SERVICE` takes it back.

            Examples:
              oakum deploy registrar dist/registrar-1.5.0-linux-x86_64.tar.gz -c oakum.yaml
              oakum deploy registrar build/release-folder --canary 60 --until baking
              oakum deploy registrar hotfix.tar.gz --json --no-wait

            Exit codes: 0 it is where --until asked for (promoted and baking, else proven), 1 it was rolled back or refused by its \
            hook or tests, 2 the artefact is not taken, 3 no oakum runs, 4 refused for now, 64 wrong usage.
            """)

    @Argument(help: "The service.") var service: String
    @Argument(help: "A .tar.gz, or a folder with a manifest.json.") var artifact: String
    @Option(help: "Seconds that canaries are compared, instead of the configured time.") var canary: Double?
    @Flag(help: "Promote at once: what is wrong meets users.") var skipCanary = false
    @Flag(help: "Deploys were frozen by a release that failed twice; that is understood.") var unfreeze = false
    @Option(help: "Wait until it is `baking` or `done`.") var until: DeployWait = .baking
    @Flag(inversion: .prefixedNo, help: "Follow it until then.") var wait = true
    @OptionGroup var state: StateOptions
    @Flag(help: "Print the outcome as JSON.") var json = false

    enum DeployWait: String, ExpressibleByArgument { case baking, done }

    func validate() throws {
        if let canary, !(canary >= 5 && canary <= 86_400) { throw ValidationError("--canary takes 5 to 86400 seconds") }
    }

    func run() async throws {
        try await reportingFailures {
            let plane = try state.controlPlane()
            let path = URL(filePath: artifact).standardizedFileURL.path
            let request = DeployRequest(
                service: service, artefact: path, by: userName(), canarySeconds: canary, skipsCanary: skipCanary,
                unfreezes: unfreeze)
            let before = try await plane.events(EventQuery(limit: 1)).last?.id ?? 0
            let outcome = try await plane.perform(.deploy(request))
            Terminal.note(outcome.message)
            guard wait else { return json ? try Terminal.json(outcome) : () }
            let course = try await DeployFollower(plane: plane, service: service, after: before).follow { course in
                course.isOver || (until == .baking && course.step == .baking)
            }
            try show(course, plane)
        }
    }

    private func show(_ course: DeployCourse, _ plane: any ControlPlane) throws {
        json ? try Terminal.json(course) : Terminal.line(course.sentence)
        guard course.outcome == .undone || course.outcome == .refused || course.outcome == .held else { return }
        throw ExitCode(1)
    }
}

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Back to a release that ran before, as fast as workers start; or takes back the deploy under way.",
        discussion: """
            Examples:
              oakum rollback registrar -c oakum.yaml
              oakum rollback registrar 1.4.2-a1b2c3 -c oakum.yaml

            Exit codes: 0 every worker runs it, 1 it did not come to that, 2 there is no such release, 3 no oakum runs, 4 refused.
            """)

    @Argument(help: "The service.") var service: String
    @Argument(help: "A release; without one the last that was proven.") var release: String?
    @OptionGroup var state: StateOptions
    @Flag(help: "Print the outcome as JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let plane = try state.controlPlane()
            let target = try release.map { text in
                guard let id = ReleaseID(text) else { throw Failure(.badInput, "`\(text)` names no release") }
                return id
            }
            let before = try await plane.events(EventQuery(limit: 1)).last?.id ?? 0
            let outcome = try await plane.perform(.rollback(service: service, release: target, by: userName()))
            Terminal.note(outcome.message)
            let course = try await DeployFollower(plane: plane, service: service, after: before).follow { course in
                course.isOver || (course.plan.pairs == 0 && course.step == .baking)
            }
            json ? try Terminal.json(course) : Terminal.line(course.sentence)
            guard course.outcome == .undone || course.outcome == nil else { throw ExitCode(1) }
        }
    }
}

struct ReleasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "releases",
        abstract: "Shows the releases of a service: what runs, who deployed it, and what became of it.",
        discussion: """
            Examples:
              oakum releases registrar -c oakum.yaml
              oakum releases registrar --json --state .oakum/registration
            """)

    @Argument(help: "The service.") var service: String
    @OptionGroup var state: StateOptions
    @Flag(help: "Print it as JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let list = try await state.controlPlane().releases(of: service)
            guard !json else { return try Terminal.json(list) }
            Terminal.line("current: \(list.ledger.current)")
            if let frozen = list.ledger.frozen { Terminal.line("FROZEN: \(frozen)") }
            if let course = list.ledger.course, !course.isOver { Terminal.line(course.sentence) }
            for line in list.gate { Terminal.line("  \(line)") }
            for record in list.ledger.records.reversed() {
                let mark = record.release == list.ledger.current ? "*" : " "
                let when = Clock.time(WallTime(milliseconds: Int64(record.unpackedAt * 1_000)))
                var words = "\(mark) \(record.release)  \(record.version)  \(when)  \(record.by)  "
                words += record.outcome?.words ?? "not decided yet"
                if let reason = record.reason { words += ": \(reason)" }
                Terminal.line(words)
            }
        }
    }
}

/// Follows a deploy by its ledger and the journal.
struct DeployFollower {
    let plane: any ControlPlane
    let service: String
    var after: Int64

    /// Prints each step as it comes, and returns the course once it is where the caller wants it.
    func follow(until isThere: (DeployCourse) -> Bool) async throws -> DeployCourse {
        var last = after
        while true {
            for record in try await plane.events(EventQuery(after: last, limit: 200)) {
                last = record.id
                guard record.event.service == service, record.event.kind == .release else { continue }
                Terminal.note("\(Clock.time(record.event.at.wall))  \(record.event.message)")
            }
            if let course = try await plane.releases(of: service).ledger.course, isThere(course) { return course }
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}

extension DeployCourse {
    /// For people, in one line.
    var sentence: String {
        if let outcome {
            return "\(plan.service): \(plan.candidate) is \(outcome.words)" + (reason.map { ": \($0)" } ?? "")
        }
        return "\(plan.service): \(plan.candidate) is \(step.rawValue)" + (lastGate.map { " (\($0))" } ?? "")
    }
}

/// Whom the ledger names: the user who runs the command.
private func userName() -> String {
    let name = getpwuid(geteuid()).flatMap { $0.pointee.pw_name.map { String(cString: $0) } }
    return name ?? "uid \(geteuid())"
}
