import ArgumentParser
import Foundation
import LoadGenerator

/// What `oakum load` is told on its command line, and the scenario it makes of that.
struct LoadOptions: ParsableArguments {
    @Argument(help: "A scenario (YAML), or the address of a service: http://HOST:PORT/PATH, unix:/PATH/OF.sock.")
    var source: String

    @Option(help: "Open loop: requests a second, such as 500, 500/s or 600/min.") var rate: String?
    @Option(help: "Closed loop without --rate: so many users; with it: the most connections.") var connections: Int?
    @Option(help: "How long: 30s, 5min, 2h.") var duration: String?
    @Option(help: "Begin at nothing and get to the full load in this time, before --duration.") var ramp: String?
    @Option(help: "Stop after so many requests.") var requests: Int?
    @Option(help: "Connect to this Unix socket, whatever the address says.") var unix: String?
    @Option(help: "Where a scenario goes, instead of its own target.") var target: String?
    @Option(help: "Requests from an OpenAPI 3 document (JSON or YAML).") var fromOpenapi: String?
    @Option(help: "Requests from an access log in Common or Combined Log Format.") var fromAccessLog: String?
    @Flag(help: "With --from-openapi: those that change something, too, not GET, HEAD and OPTIONS alone.")
    var allMethods = false
    @Option(help: "Method of the requests.") var method = "GET"
    @Option(help: "Body of the requests; ${fresh}, ${key}, ${index} and ${random} are filled in.") var body: String?
    @Option(name: [.customShort("H"), .long], help: "A header of every request: 'name: value'. Can be repeated.")
    var header: [String] = []
    @Option(help: "A request without a complete answer after this time has failed.") var timeout: String?
    @Flag(help: "Each request on a connection of its own.") var newConnections = false
    @Option(help: "${key} takes so many values in turn, instead of never the same twice.") var keys: Int?
    @Option(help: "The same seed gives the same schedule, bodies and keys.") var seed: UInt64?
    @Option(help: "A limit that must hold: 'p99 < 200ms', 'errors < 0.1%', 'memory < 512MiB'. Can be repeated.")
    var threshold: [String] = []

    /// - Throws: `LoadSetupError` with what to change.
    func scenario() throws -> LoadScenario {
        var scenario = isFile ? try readScenario() : try oneRequest()
        if let corpus = try corpus() {
            scenario.flows = corpus.adding(headers: try headers()).flows
        } else if isFile {
            let headers = try headers()
            for number in scenario.flows.indices {
                scenario.flows[number].request.headers += headers
                for step in scenario.flows[number].followUps.indices {
                    scenario.flows[number].followUps[step].request.headers += headers
                }
            }
        }
        if let target { scenario.targets = [try address(target).target] }
        if let unix { scenario.targets = [try address("unix:" + unix).target] }
        try setStages(&scenario)
        if let timeout { scenario.timeoutSeconds = try seconds(timeout, "--timeout") }
        if newConnections { scenario.keepsConnections = false }
        if let keys { scenario.keys = .pool(max(keys, 1)) }
        if let seed { scenario.seed = seed }
        if let requests { scenario.limit = UInt64(max(requests, 1)) }
        for text in threshold { scenario.thresholds.append(try Self.threshold(text)) }
        guard !scenario.targets.isEmpty else {
            throw LoadSetupError("\(source) names no target: add `target:`, or give --target")
        }
        return scenario
    }

    /// The file a scenario is read from, not an address.
    private var isFile: Bool { source.hasSuffix(".yaml") || source.hasSuffix(".yml") }

    private func readScenario() throws -> LoadScenario {
        let text = try Self.text(of: source)
        let folder = URL(fileURLWithPath: source).deletingLastPathComponent()
        let reader = LoadScenarioReader(
            environment: { ProcessInfo.processInfo.environment[$0] },
            file: { name in
                // Nil becomes an error with the line of the scenario.
                try? String(contentsOf: URL(fileURLWithPath: name, relativeTo: folder), encoding: .utf8)
            })
        do {
            return try reader.read(text)
        } catch {
            throw LoadSetupError("\(source): \(error)")
        }
    }

    private func oneRequest() throws -> LoadScenario {
        let address = try address(source)
        // A query may hold a secret; reports name the path alone.
        let path = String(address.path.prefix { $0 != "?" })
        var scenario = LoadScenario(name: "\(address.target)\(path)")
        scenario.targets = [address.target]
        var request = RequestTemplate(
            name: "\(method) \(path)", method: method, path: try template(address.path, "the address"),
            headers: try headers(), expectedStatuses: Set(200..<400))
        if let body {
            request.body = .text(try template(body, "--body"))
            if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
                request.headers.append(("content-type", TextTemplate(literal: "application/json")))
            }
        }
        scenario.flows = [LoadStream(request: request)]
        return scenario
    }

    private func corpus() throws -> LoadCorpus? {
        var corpus: LoadCorpus?
        if let fromOpenapi {
            do {
                let all = try OpenAPICorpus.read(try Self.text(of: fromOpenapi))
                corpus = allMethods ? all : all.safe
            } catch let error as LoadSetupError {
                throw error
            } catch {
                throw LoadSetupError("\(fromOpenapi): \(error)")
            }
        } else if let fromAccessLog {
            guard let log = AccessLogCorpus.read(path: fromAccessLog, seed: seed ?? 1) else {
                throw LoadSetupError("\(fromAccessLog) cannot be read")
            }
            corpus = log
        }
        guard let corpus else { return nil }
        for note in corpus.notes { Terminal.note("oakum: \(note)") }
        guard !corpus.endpoints.isEmpty else {
            throw LoadSetupError("there is no request in \(fromOpenapi ?? fromAccessLog ?? "") that could be sent")
        }
        return corpus
    }

    private func setStages(_ scenario: inout LoadScenario) throws {
        if let connections {
            guard (1...100_000).contains(connections) else { throw LoadSetupError("--connections takes 1 to 100000") }
            if rate != nil || scenario.stages.isEmpty == false { scenario.connections = connections }
        }
        guard rate != nil || connections != nil || scenario.stages.isEmpty else {
            guard duration == nil, ramp == nil else {
                throw LoadSetupError(
                    "\(source) has a load of its own: --duration and --ramp need --rate or --connections beside them")
            }
            return
        }
        let length = try duration.map { try seconds($0, "--duration") } ?? (requests == nil ? 10 : 86_400)
        let rising = try ramp.map { try seconds($0, "--ramp") }
        var stages: [LoadScenario.Stage] = []
        if let connections, rate == nil {
            if let rising {
                stages.append(LoadScenario.Stage(seconds: rising, amount: .users(from: 0, to: connections)))
            }
            stages.append(LoadScenario.Stage(seconds: length, amount: .users(from: connections, to: connections)))
        } else {
            let text = rate ?? "100"
            guard let perSecond = LoadScenario.rate(parsing: text), perSecond > 0 else {
                throw LoadSetupError("--rate takes a rate such as 500/s or 600/min, not `\(text)`")
            }
            if let rising {
                stages.append(LoadScenario.Stage(seconds: rising, amount: .rate(from: 0, to: perSecond)))
            }
            stages.append(LoadScenario.Stage(seconds: length, amount: .rate(from: perSecond, to: perSecond)))
        }
        scenario.stages = stages
    }

    private func headers() throws -> [(name: String, value: TextTemplate)] {
        try header.map { text in
            guard let colon = text.firstIndex(of: ":") else {
                throw LoadSetupError("--header takes 'name: value', not `\(text)`")
            }
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            guard value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
                throw LoadSetupError("--header takes a single line")
            }
            return (String(text[..<colon]), try template(String(value), "--header"))
        }
    }

    private func address(_ text: String) throws -> LoadAddress {
        do {
            return try LoadAddress(parsing: text)
        } catch {
            throw LoadSetupError(error.message)
        }
    }

    private func template(_ text: String, _ what: String) throws -> TextTemplate {
        do {
            return try TextTemplate(dollars: text)
        } catch {
            throw LoadSetupError("\(what) has a ${…} that cannot be read: ${fresh}, ${key}, ${index}, ${random}")
        }
    }

    private func seconds(_ text: String, _ option: String) throws -> Double {
        guard let seconds = Clock.seconds(text) else {
            throw LoadSetupError("\(option) takes a time such as 30s or 5min, not `\(text)`")
        }
        return seconds
    }

    private static func threshold(_ text: String) throws -> LoadThreshold {
        do {
            return try LoadThreshold(parsing: text)
        } catch {
            throw LoadSetupError(error.message)
        }
    }

    private static func text(of path: String) throws -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw LoadSetupError("\(path) cannot be read: \(error.localizedDescription)")
        }
    }
}

/// The run cannot begin.
struct LoadSetupError: Error {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}
