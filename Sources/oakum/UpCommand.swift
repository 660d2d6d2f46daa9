import ArgumentParser
import OakumApp

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Starts workers, watches them, and recycles them before memory runs out.",
        discussion: """
            Examples:
              oakum up -c examples/registration/oakum.yaml
              oakum up -c oakum.yaml --observe-only
              oakum up -c oakum.yaml --state /var/lib/oakum --console 127.0.0.1:9200

            Ctrl-C stops workers, keeper and oakum. SIGTERM ends oakum alone: the workers serve on, and the next \
            `oakum up` takes them over with their history.
            """)

    @Option(name: [.customShort("c"), .customLong("config")], help: "The configuration.")
    var file: String = "oakum.yaml"

    @Option(help: "The state folder, instead of the configuration's.")
    var state: String?

    @Option(help: "Where the console listens, instead of the configuration's: HOST:PORT, port 0 for any.")
    var console: String?

    @Flag(help: "Give verdicts, do nothing.")
    var observeOnly = false

    @Flag(help: "Read and check the configuration, start nothing.")
    var check = false

    func run() async throws {
        try await reportingFailures {
            let configuration = try configured()
            guard !check else { return Terminal.line("\(file) is fine: \(configuration.services.count) services") }
            do {
                try await OakumInstance(configuration: configuration).run { Terminal.line($0) }
            } catch let problem as StartProblem {
                throw Failure(.failed, "\(problem)")
            }
        }
    }

    private func configured() throws -> OakumConfiguration {
        do throws(ConfigurationError) {
            var configuration = try ConfigurationFile.load(file)
            if let state { configuration.state = ConfigurationFile.absolutePath(state) }
            if observeOnly { configuration.observeOnly = true }
            if let console { configuration.console.listen = try consoleAddress(console, configuration) }
            return configuration
        } catch {
            throw Failure(.badInput, "\(error)")
        }
    }

    private func consoleAddress(
        _ text: String, _ configuration: OakumConfiguration
    ) throws(ConfigurationError) -> ListenAddress {
        try ConfigurationFile.consoleAddress(text, behindProxy: configuration.console.behindProxy)
    }
}
