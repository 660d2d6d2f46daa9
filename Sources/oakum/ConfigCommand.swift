import ArgumentParser
import OakumApp

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Looks at a configuration without starting anything.",
        subcommands: [ConfigCheckCommand.self])
}

struct ConfigCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a configuration, and who would be paged in the week to come.",
        discussion: """
            Examples:
              oakum config check -c oakum.yaml
              oakum config check -c oakum.yaml --json

            Exit code 2 when the configuration cannot be used, with the line and what to write instead. Secrets are \
            read, so that a missing one shows; none is printed and nothing is sent.
            """)

    @Option(name: [.customShort("c"), .customLong("config")], help: "The configuration.")
    var file: String = "oakum.yaml"

    @Flag(help: "Print what was found as JSON.")
    var json = false

    func run() async throws {
        try await reportingFailures {
            let review = ConfigurationReview.of(file, at: Clock.now())
            if json { try Terminal.json(review) }
            if let problem = review.problem {
                guard !json else { throw ExitCode(Failure.Code.badInput.rawValue) }
                throw Failure(.badInput, "\(file), \(problem.words)")
            }
            if !json { show(review) }
        }
    }

    private func show(_ review: ConfigurationReview) {
        Terminal.line("\(file) can be used: \(review.services.count) services, \(review.channels.count) channels")
        for service in review.services {
            let policy =
                service.pagesNobody
                ? "policy none: its incidents are opened, and nobody is paged for them"
                : "policy \(service.policy ?? "default")"
            Terminal.line("  service \(service.name): \(policy)")
        }
        for channel in review.channels { Terminal.line("  channel \(channel.name): \(channel.kind)") }
        for shift in review.onCall { Terminal.line("  schedule \(shift.schedule): \(shift.words)") }
        for warning in review.warnings { Terminal.line("warning: \(warning.words)") }
        for gap in review.gaps { Terminal.line("warning: \(gap.subject): \(gap.words)") }
    }
}
