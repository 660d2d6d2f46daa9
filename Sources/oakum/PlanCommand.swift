import ArgumentParser
import Foundation
import OakumApp
import OakumModel
import Postmortem

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Prints the incident plan for memory leaks: who is paged, what Oakum does, what a person decides.",
        discussion: """
            Made from the configuration, so it is never out of date. It begins with what is missing.

            Examples:
              oakum plan -c oakum.yaml
              oakum plan -c oakum.yaml --zone Europe/Vienna > docs/incident-plan.md
              oakum plan -c oakum.yaml --json

            Exit codes: 0 the plan is printed, 2 the configuration or the zone is wrong.
            """)

    @Option(name: [.customShort("c"), .customLong("config")], help: "The configuration.")
    var file = "oakum.yaml"
    @Option(help: "Time zone of all times, such as America/New_York; without it this machine's.")
    var zone: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let configuration: OakumConfiguration
            do throws(ConfigurationError) {
                configuration = try ConfigurationFile.load(file)
            } catch {
                throw Failure(.badInput, "\(error)")
            }
            let plan = IncidentPlanText(configuration, file: file, zone: try documentZone(zone), now: Clock.now())
            guard !json else { return try Terminal.json(plan.facts) }
            Terminal.line(plan.markdown, terminator: "")
        }
    }
}
