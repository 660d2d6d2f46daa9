import Foundation
import LoadGenerator
import StressRunner
import StrictYAML

/// What `oakum stress` is told to ask for, from all its options.
struct StressEndpoints {
    var endpoints: [StressEndpoint] = []
    var preparation: [PreparationStep] = []
    /// A scenario's own.
    var variables: [FlowVariable] = []
    var notes: [String] = []

    /// - Throws: `StressProblem.setUp` with what to change.
    static func read(_ command: StressCommand) throws(StressProblem) -> StressEndpoints {
        var result = StressEndpoints()
        for line in command.request {
            do throws(QuickRequest.Failure) {
                let quick = try QuickRequest(
                    parsing: line, headers: command.header,
                    expected: command.expect.isEmpty ? nil : Set(command.expect)
                ).request
                result.endpoints.append(StressEndpoint(name: quick.name, operation: .requests([quick])))
            } catch {
                throw .setUp(error.message)
            }
        }
        if let path = command.scenario { try result.add(scenario: path) }
        if let path = command.fromOpenapi { try result.add(openAPI: path, allMethods: command.allMethods) }
        if let path = command.fromAccessLog {
            guard let corpus = AccessLogCorpus.read(path: path, seed: command.seed) else {
                throw .setUp("\(path) cannot be read")
            }
            result.add(corpus)
        }
        for line in command.operation {
            let words = line.split(separator: " ").map(String.init)
            result.endpoints.append(StressEndpoint(name: line, operation: .command(words)))
        }
        if !command.only.isEmpty {
            result.endpoints.removeAll { endpoint in !command.only.contains { endpoint.name.contains($0) } }
            if result.endpoints.isEmpty { throw .setUp("no endpoint has \(command.only) in its name") }
        }
        result.endpoints.removeAll { endpoint in command.skip.contains { endpoint.name.contains($0) } }
        try result.addHeaders(command.header)
        return result
    }

    private mutating func add(_ corpus: LoadCorpus) {
        notes += corpus.notes
        endpoints += corpus.endpoints.map { StressEndpoint(name: $0.name, operation: .requests($0.requests)) }
    }

    private mutating func add(scenario path: String) throws(StressProblem) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let reader = LoadScenarioReader(
            environment: { ProcessInfo.processInfo.environment[$0] },
            file: { name in
                // Nil becomes an error with the line of the scenario.
                try? String(contentsOf: URL(fileURLWithPath: name, relativeTo: folder), encoding: .utf8)
            })
        do throws(YAMLProblem) {
            let scenario = try reader.read(try Self.text(of: path))
            preparation += scenario.preparation
            // All flows of a scenario have the same ones.
            variables = scenario.flows.first?.variables ?? []
            add(scenario.corpus)
        } catch {
            throw .setUp("\(path): \(error)")
        }
    }

    private mutating func add(openAPI path: String, allMethods: Bool) throws(StressProblem) {
        do throws(YAMLProblem) {
            let corpus = try OpenAPICorpus.read(try Self.text(of: path))
            add(allMethods ? corpus : corpus.safe)
        } catch {
            throw .setUp("\(path): \(error)")
        }
    }

    /// To requests that did not get them as they were read.
    private mutating func addHeaders(_ lines: [String]) throws(StressProblem) {
        guard !lines.isEmpty else { return }
        let template: RequestTemplate
        do throws(QuickRequest.Failure) {
            template = try QuickRequest(parsing: "GET /", headers: lines).request
        } catch {
            throw .setUp(error.message)
        }
        for index in endpoints.indices {
            guard case .requests(var requests) = endpoints[index].operation else { continue }
            for number in requests.indices {
                let has = Set(requests[number].headers.map { $0.name.lowercased() })
                requests[number].headers += template.headers.filter { !has.contains($0.name.lowercased()) }
            }
            endpoints[index].operation = .requests(requests)
        }
    }

    private static func text(of path: String) throws(YAMLProblem) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw YAMLProblem(line: 1, message: "it cannot be read: \(error.localizedDescription)", hint: nil)
        }
    }
}
