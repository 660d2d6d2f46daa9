import ArgumentParser
import DrillRunner
import Foundation
import OakumApp
import OakumRemote

struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Replays an incident: what happened then, under Oakum, and repaired.",
        discussion: """
            Examples:
              oakum drill examples/drills/registration-leak.md
              oakum drill my-copy.md --json > drill.json
              oakum drill my-copy.md --check
              oakum drill my-copy.md --postmortem drafts

            Starts real processes on free ports, in a folder of its own under the temporary folder, and removes \
            both. Progress goes to standard error.

            Exit codes: 0 no request failed under Oakum, the leak was detected, the repaired build raised no alarm, \
            the control arm did fail, and the business was told the right numbers where Oakum only observed; 1 one \
            of these does not hold; 2 the document is wrong; 3 the drill shows \
            nothing (the control arm did not fail, or the load was no evidence); 4 it could not be run; 130 or 143 \
            interrupted.
            """)

    @Argument(help: "The drill's document: Markdown with one ```drill block.") var file: String
    @Flag(help: "Print the outcome as JSON.") var json = false
    @Option(
        help: ArgumentHelp(
            "Write the draft of the postmortem of each arm in which the leak is met, with its charts.",
            valueName: "folder"))
    var postmortem: String?
    @Option(
        help:
            "Time zone of its times and of what the business is told, such as America/New_York; without it this machine's."
    ) var zone: String?
    @Flag(help: "Keep configurations, logs and databases of the arms, and say where.") var keep = false
    @Flag(help: "Read and check the document, start nothing.") var check = false

    func run() async throws {
        let document = try read()
        guard !check else { return Terminal.line("\(file) is fine: \(document.scenario)") }
        let isTerminal = isatty(STDERR_FILENO) == 1
        let progress = DrillProgress(isTerminal: isTerminal) { FileHandle.standardError.write(Data($0.utf8)) }
        let tools: DrillTools
        do {
            tools = try self.tools()
        } catch let failure as Failure {
            Terminal.complain(failure.message)
            throw ExitCode(2)
        }
        let drill = DrillRun(
            document, documentPath: file, tools: tools, keepsFolder: keep, handlesSignals: true,
            postmortems: postmortem,
            tell: { progress.tell($0) })
        let report: DrillReport
        do throws(DrillError) {
            report = try await drill.run()
        } catch {
            Terminal.complain(error.message)
            throw ExitCode(error.exitCode)
        }
        json ? try Terminal.json(report) : Terminal.line("\n" + DrillText.render(report))
        guard report.exit == 0 else { throw ExitCode(report.exit) }
    }

    private func read() throws -> DrillDocument {
        do throws(DrillDocumentError) {
            return try DrillDocumentReader.load(file)
        } catch {
            Terminal.complain("\(error)")
            throw ExitCode(2)
        }
    }

    private func tools() throws -> DrillTools {
        let zone = try documentZone(zone)
        var tools = DrillTools(
            oakumPath: try ownPath(), controlPlane: { RemoteControlPlane(socketPath: $0 + "/oakum.sock") },
            incidentPlane: { RemoteIncidentPlane(socketPath: $0 + "/oakum.sock") })
        tools.timeZone = self.zone
        tools.seedBusiness = { state, service, metric, spans in
            try await EarlierBusiness(stateFolder: state).store(
                spans.map { EarlierBusiness.Span(start: $0.start, count: $0.count, seconds: $0.seconds) }, of: metric,
                service: service)
        }
        if let postmortem {
            try FileManager.default.createDirectory(atPath: postmortem, withIntermediateDirectories: true)
            tools.writePostmortem = { state, configuration, incident, file in
                try await DrillPostmortem(stateFolder: state, configuration: configuration, zone: zone)
                    .write(incident, to: file)
            }
        }
        return tools
    }

    /// The running `oakum`: the arms use the same build.
    private func ownPath() throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }
}
