import ArgumentParser
import Foundation
import OakumAPI
import OakumApp
import OakumModel
import Postmortem

struct PostmortemCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postmortem", abstract: "Writes postmortems.", subcommands: [PostmortemDraftCommand.self])
}

struct PostmortemDraftCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "draft",
        abstract: "Writes an incident down: impact, timeline, cause, what misled, lessons, actions; with charts.",
        discussion: """
            The draft is Markdown, with its charts as SVG files beside it. Run it again when more is known: it renews the sections \
            nobody has edited, adds those that are missing, and leaves the others alone and says so.

            Examples:
              oakum postmortem draft 12 -c oakum.yaml
              oakum postmortem draft 12 -c oakum.yaml --zone America/New_York -o docs/2023-11-10.md
              oakum incidents show 12 --json > incident.json && oakum postmortem draft incident.json

            Exit codes: 0 written, 1 it cannot be written, 2 no such incident or zone, 3 no oakum runs.
            """)

    @OptionGroup var state: StateOptions
    @Argument(help: "The incident's number, or a file with the JSON of `oakum incidents show --json`.")
    var incident: String
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "The file or folder to write to, - for standard output; without it postmortems/INCIDENT-….md.")
    var output: String?
    @Option(help: "Time zone of all times, such as America/New_York; without it this machine's.")
    var zone: String?
    @Flag(help: "Print what became of each section as JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let zone = try documentZone(zone)
            let (source, remarks) = try await source()
            let writing = PostmortemWriting(
                source, configuration: configuration(), zone: zone, now: Clock.now(), remarks: remarks)
            guard output != "-" else { return Terminal.line(writing.text, terminator: "") }
            let outcome = try written(writing)
            if json { try Terminal.json(outcome) } else { show(outcome) }
        }
    }

    private func source() async throws -> (PostmortemSource, [String]) {
        let digits = incident.hasPrefix("#") ? String(incident.dropFirst()) : incident
        guard let id = Int64(digits) else { return (try recorded(), []) }
        let gathering = PostmortemGathering(
            control: try state.controlPlane(), incidents: try state.incidentPlane(),
            now: Clock.now())
        let (source, remarks) = try await gathering.source(of: id)
        return (source, remarks)
    }

    private func written(_ writing: PostmortemWriting) throws -> PostmortemOutcome {
        do throws(PostmortemProblem) {
            return try writing.write(to: output)
        } catch {
            throw Failure(.failed, error.description)
        }
    }

    private func recorded() throws -> PostmortemSource {
        do throws(PostmortemProblem) {
            return try PostmortemSource(file: incident)
        } catch {
            throw Failure(.badInput, error.description)
        }
    }

    /// Says what of the users' side is watched. Without it the draft says that this is not known.
    private func configuration() -> OakumConfiguration? {
        guard let file = state.file ?? (FileManager.default.fileExists(atPath: "oakum.yaml") ? "oakum.yaml" : nil)
        else {
            return nil
        }
        do throws(ConfigurationError) {
            return try ConfigurationFile.load(file)
        } catch {
            Terminal.note("note: what is measured on the users' side is not known: \(error)")
            return nil
        }
    }

    private func show(_ outcome: PostmortemOutcome) {
        for remark in outcome.remarks { Terminal.note("note: \(remark)") }
        let made = outcome.sections.filter { [.added, .renewed].contains($0.outcome) }.count
        Terminal.line("\(outcome.file): \(made) of \(outcome.sections.count) sections written")
        for fate in outcome.sections where fate.outcome.isLeftAlone {
            Terminal.line("  left alone: \(fate.section) (\(fate.outcome.words))")
        }
        for chart in outcome.charts { Terminal.line("\(chart.file): \(chart.outcome)") }
    }
}
