import ArgumentParser
import Foundation
import LoadGenerator
import OakumApp
import StressRunner

struct StressCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stress",
        abstract: "Finds out whether a program leaks, before it ships, and names what does.",
        discussion: """
            Starts the program, sends each request in cycles, and reads the memory it holds when it has come to rest: \
            first with the same keys again and again, then with fresh ones, which tells a leak from a filling cache. \
            What leaks is run again with every allocation recorded: bytes per request, source line, type, holders.

            Examples:
              oakum stress --request 'GET /items/${key}' -- ./server --port '{{port}}'
              oakum stress --request 'POST /v1/signup {"email": "${fresh}@example.org"}' --ready /readyz \\
                -- registrar --database '{{folder}}/a.sqlite' --listen '127.0.0.1:{{port}}'
              oakum stress --operation 'redis-cli -p {{port}} set {{key}} value' -- redis-server --port '{{port}}'

            {{port}} is a free port, {{socket}} the path of a Unix socket, {{folder}} an empty folder; ${key} (or \
            {{key}}) is the key that the two arms vary.

            Exit codes: 0 clean, 2 a leak, 3 inconclusive (the smallest leak that would have been seen is told), 4 \
            nothing was measured, 5 it could not be set up, 64 wrong usage, 130 interrupted.
            """)

    @Option(name: .shortAndLong, help: "METHOD /path [BODY]: one endpoint. May be repeated.")
    var request: [String] = []
    @Option(help: "Endpoints from the flows of a load scenario (docs/load.md), with its preparation.") var scenario:
        String?
    @Option(help: "Endpoints from an OpenAPI 3 document (JSON or YAML).") var fromOpenapi: String?
    @Option(help: "Endpoints from an access log in Common or Combined Log Format.") var fromAccessLog: String?
    @Flag(help: "With --from-openapi: those that change something, too, not GET, HEAD and OPTIONS alone.")
    var allMethods = false
    @Option(help: "Of all endpoints only those whose name has this in it. May be repeated.") var only: [String] = []
    @Option(help: "Leave out endpoints whose name has this in it. May be repeated.") var skip: [String] = []
    @Option(help: "A command for each operation, or, where it has {{count}}, for each cycle. May be repeated.")
    var operation: [String] = []
    @Option(name: .shortAndLong, help: "NAME: VALUE, a header of every request. May be repeated.")
    var header: [String] = []
    @Option(help: "With --request: a status that is a good answer, 404 say. May be repeated. Default: 200 to 399.")
    var expect: [Int] = []
    @Option(help: "NAME=VALUE for the program's environment. May be repeated.") var env: [String] = []
    @Option(help: "A path that answers 2xx or 3xx when the program is ready. Default: it accepts connections.")
    var ready: String?
    @Flag(help: "Ask over the Unix socket {{socket}} instead of 127.0.0.1:{{port}}.") var socket = false
    @Option(help: "Seconds for each endpoint, without start and naming.") var seconds = 10.0
    @Option(help: "Seconds at most for an endpoint that gives no answer in that time: slow ones, large caches.")
    var patience = 60.0
    @Option(help: "Connections at once.") var connections = 4
    @Option(help: "Growth up to so many bytes a request is no leak.") var floor = 16.0
    @Option(help: "The same seed sends the same requests, but for fresh keys, which are new in every run.")
    var seed: UInt64 = 1
    @Option(help: "No cache is called unbounded before so many fresh keys, or --patience is over.") var keys = 20_000
    @Flag(help: "One process for all endpoints instead of a fresh one for each.") var reuse = false
    @Flag(inversion: .prefixedNo, help: "Run what leaks again to name where.") var names = true
    @Flag(help: "Print the outcome as JSON.") var json = false
    @Option(help: "Write JUnit XML to this file.") var junit: String?
    @Option(help: "Write SARIF 2.1.0 to this file.") var sarif: String?
    @Option(help: "Write a page with charts to this file.") var html: String?
    @Flag(help: "Print GitHub workflow annotations. On by default in a workflow.") var annotations = false
    @Argument(parsing: .postTerminator, help: "The program and its arguments.") var program: [String] = []

    func validate() throws {
        guard !program.isEmpty else { throw ValidationError("name the program to start after --") }
        guard !request.isEmpty || !operation.isEmpty || scenario != nil || fromOpenapi != nil || fromAccessLog != nil
        else {
            throw ValidationError(
                "name what to ask for: --request 'GET /path', --scenario, --from-openapi, --from-access-log, --operation"
            )
        }
    }

    func run() async throws {
        let report: StressReport
        do throws(StressProblem) {
            report = try await stress()
        } catch {
            Terminal.complain(error.message)
            throw ExitCode(error == .cancelled ? 130 : 5)
        }
        // First what took minutes to find out: a file that cannot be written must not lose it.
        json ? try Terminal.json(report) : Terminal.line(StressText.render(report))
        try write(report)
        guard report.exitCode == 0 else { throw ExitCode(report.exitCode) }
    }

    private func stress() async throws(StressProblem) -> StressReport {
        var settings = StressSettings(
            seconds: seconds, patience: patience, connections: connections, floorBytes: floor, seed: seed,
            leastFreshKeys: Double(keys))
        settings.startsAnew = !reuse
        settings.names = names
        let found = try StressEndpoints.read(self)
        let target = StressTarget(
            words: program, environment: try environment(), usesSocket: socket, readyPath: ready,
            preparation: found.preparation, requestVariables: found.variables)
        for note in found.notes { Terminal.note("oakum: \(note)") }
        let plan = StressPlan(target: target, endpoints: found.endpoints, settings: settings)
        return try await StressRun(plan, sampler: try sampler(), handlesSignals: true) { Terminal.note($0) }.run()
    }

    private func environment() throws(StressProblem) -> [String: String] {
        var result: [String: String] = [:]
        for entry in env {
            guard let equals = entry.firstIndex(of: "="), equals > entry.startIndex else {
                throw .setUp("--env \(entry): write NAME=VALUE")
            }
            result[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
        }
        return result
    }

    private func sampler() throws(StressProblem) -> String {
        do throws(StartProblem) {
            return try Installation().sampler()
        } catch {
            throw .setUp("\(error)")
        }
    }

    private func write(_ report: StressReport) throws {
        let root = FileManager.default.currentDirectoryPath
        if let junit { try write(Data(StressExchange.junit(report).utf8), to: junit) }
        if let sarif {
            try write(try StressExchange.sarif(report, root: root, version: OakumVersion.current), to: sarif)
        }
        if let html { try write(Data(StressPage.render(report).utf8), to: html) }
        if annotations || ProcessInfo.processInfo.environment["GITHUB_ACTIONS"] == "true" {
            for line in StressExchange.annotations(report, root: root) { Terminal.note(line) }
        }
    }

    private func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(filePath: path), options: .atomic)
        } catch {
            Terminal.complain("\(path) cannot be written: \(error.localizedDescription)")
            throw ExitCode(5)
        }
    }
}
