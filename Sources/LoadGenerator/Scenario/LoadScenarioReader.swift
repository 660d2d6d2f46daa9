package import StrictYAML

/// Reads a scenario from YAML. Every key is accounted for: an unknown one is an error with its line and a hint.
package struct LoadScenarioReader {
    /// A value of the environment; nil when it is not set.
    private let environment: (String) -> String?
    /// The text of a file named by the scenario; nil when it cannot be read.
    private let file: (String) -> String?

    /// - Parameters:
    ///   - environment: for `{env: NAME}`, so that secrets stand in no file.
    ///   - file: for `{file: PATH}`: one value a line.
    package init(environment: @escaping (String) -> String?, file: @escaping (String) -> String?) {
        self.environment = environment
        self.file = file
    }

    /// - Throws: `YAMLProblem` with the line of the mistake and what to write instead.
    package func read(_ text: String) throws(YAMLProblem) -> LoadScenario {
        let root = try YAMLValue.parse(text, name: "the scenario").mapping([
            "name", "target", "targets", "seed", "timeout", "connections", "keep_alive", "think", "arrivals", "keys",
            "headers", "variables", "prepare", "load", "limit", "flows", "requests", "thresholds",
        ])
        var scenario = LoadScenario(name: try root["name"]?.string() ?? "load")
        scenario.targets = try targets(root)
        scenario.seed = try root["seed"].map { value throws(YAMLProblem) in UInt64(try value.integer(in: 0...Int.max)) }
        scenario.timeoutSeconds = try root["timeout"]?.seconds(in: 0.01...3_600) ?? 10
        scenario.connections = try root["connections"]?.integer(in: 1...100_000)
        scenario.keepsConnections = try root["keep_alive"]?.bool() ?? true
        scenario.thinkSeconds = try root["think"].map(range) ?? 0...0
        scenario.keys = try root["keys"].map(keys) ?? .fresh
        scenario.limit = try root["limit"].map { value throws(YAMLProblem) in UInt64(try value.integer(in: 1...Int.max))
        }
        let requests = LoadRequestReader(common: try LoadRequestReader.headers(root["headers"]))
        let variables = try variables(root["variables"])
        scenario.preparation = try preparation(root["prepare"], requests)
        scenario.flows = try flows(root, requests, variables)
        let arrivals = try root["arrivals"]?.choice(ArrivalPattern.self) ?? .poisson
        for number in scenario.flows.indices { scenario.flows[number].arrivals = arrivals }
        scenario.stages = try root["load"].map(stages) ?? []
        scenario.thresholds = try thresholds(root["thresholds"])
        try check(scenario, root)
        return scenario
    }

    /// What only the whole can tell: a variable that nothing gives, a threshold for a request that is not there.
    private func check(_ scenario: LoadScenario, _ root: YAMLMapping) throws(YAMLProblem) {
        let names = scenario.flows.flatMap(\.requests).map(\.name)
        for threshold in scenario.thresholds {
            guard let endpoint = threshold.endpoint else { continue }
            let line = root["thresholds"]?.line ?? 0
            switch names.count(where: { $0 == endpoint }) {
            case 1: continue
            case 0:
                throw YAMLProblem(
                    line: line, message: "there is no request `\(endpoint)` for a threshold",
                    hint: "one of \(Set(names).sorted().joined(separator: ", "))")
            default:
                throw YAMLProblem(
                    line: line, message: "several requests are called `\(endpoint)`, which a threshold is about",
                    hint: "give each a `name` of its own")
            }
        }
        var trial = scenario
        if trial.targets.isEmpty { trial.targets = [LoadTarget(port: 1)] }
        if trial.stages.isEmpty { trial.stages = [LoadScenario.Stage(seconds: 1, amount: .rate(from: 1, to: 1))] }
        if let problem = trial.plan(seed: 0, freshSalt: 0).problem { throw YAMLProblem(line: 0, message: problem) }
    }

    private func targets(_ root: YAMLMapping) throws(YAMLProblem) -> [LoadTarget] {
        var found: [LoadTarget] = []
        for value in try [root["target"]].compactMap(\.self) + (root["targets"]?.list() ?? []) {
            let text = try value.string()
            do throws(LoadAddress.Failure) {
                let address = try LoadAddress(parsing: text)
                guard address.path == "/" else {
                    throw LoadAddress.Failure(message: "`\(text)`: paths belong to the requests")
                }
                found.append(address.target)
            } catch {
                throw value.problem(error.message)
            }
        }
        return found
    }

    private func keys(_ value: YAMLValue) throws(YAMLProblem) -> KeySource {
        // "fresh" is a word; a pool has a size.
        guard let text = try? value.string() else {
            let pool = try value.mapping(["pool"]).require("pool", hint: "how many keys, such as 1000")
            return .pool(try pool.integer(in: 1...1_000_000_000))
        }
        guard text == "fresh" else { throw value.problem("`keys` must be fresh or {pool: 1000}, not `\(text)`") }
        return .fresh
    }

    private func range(_ value: YAMLValue) throws(YAMLProblem) -> ClosedRange<Double> {
        try LoadRequestReader.range(value)
    }

    // MARK: - Variables

    /// A text, a list of which one is drawn, `{env: NAME}`, or `{file: PATH}` with one value a line.
    private func variables(_ value: YAMLValue?) throws(YAMLProblem) -> [FlowVariable] {
        var found: [FlowVariable] = []
        for (name, value) in try value?.entries() ?? [] {
            guard name.utf8.allSatisfy(isWordByte), !["index", "random", "fresh", "key"].contains(name) else {
                throw value.problem("`\(name)` cannot be a variable", hint: "letters, digits and _, no built-in name")
            }
            var values: [String] = []
            if value.isList {
                for entry in try value.list() { values.append(try entry.string()) }
            } else if let text = try? value.string() {
                // A plain text; what is none is a mapping, read below.
                values = [text]
            } else {
                values = try outside(value)
            }
            guard !values.isEmpty else { throw value.problem("`\(name)` has no value") }
            found.append(FlowVariable(name: name, values: values.map { Array($0.utf8) }))
        }
        return found
    }

    private func outside(_ value: YAMLValue) throws(YAMLProblem) -> [String] {
        let keys = try value.mapping(["env", "file"])
        if let name = keys["env"] {
            guard let text = environment(try name.string()), !text.isEmpty else {
                throw name.problem("the environment has no \(try name.string())", hint: "export it before the run")
            }
            return [text]
        }
        let path = try keys.require("file", hint: "a file with one value a line, or `env`")
        guard let text = file(try path.string()) else {
            throw path.problem("\(try path.string()) cannot be read", hint: "its path is relative to the scenario")
        }
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        guard lines.count <= 100_000 else { throw path.problem("more than 100,000 lines") }
        return lines
    }

    // MARK: - Requests

    private func preparation(_ value: YAMLValue?, _ requests: LoadRequestReader) throws(YAMLProblem)
        -> [PreparationStep]
    {
        var steps: [PreparationStep] = []
        for entry in try value?.list() ?? [] {
            let keys = try entry.mapping(LoadRequestReader.keys + ["times", "at_once"], as: "a request of `prepare`")
            var request = try requests.request(keys)
            // What a preparation takes from answers is for everybody.
            for number in request.extractions.indices { request.extractions[number].isShared = true }
            steps.append(
                PreparationStep(
                    request: request, count: try keys["times"]?.integer(in: 1...1_000_000) ?? 1,
                    concurrency: try keys["at_once"]?.integer(in: 1...1_000) ?? 2))
        }
        return steps
    }

    private func flows(
        _ root: YAMLMapping, _ requests: LoadRequestReader, _ variables: [FlowVariable]
    ) throws(YAMLProblem) -> [LoadStream] {
        var flows: [LoadStream] = []
        for entry in try root["requests"]?.list() ?? [] {
            let keys = try entry.mapping(LoadRequestReader.keys + ["weight"], as: "a request")
            flows.append(
                LoadStream(request: try requests.request(keys), weight: try weight(keys), variables: variables))
        }
        for entry in try root["flows"]?.list() ?? [] {
            let keys = try entry.mapping(["name", "weight", "pause", "requests"], as: "a flow")
            let pause = try keys["pause"].map(range) ?? 0...0
            let list = try keys.require("requests", hint: "`requests:` with one `- get: /` or more").list()
            var steps: [FollowUp] = []
            for entry in list {
                let own = try entry.mapping(LoadRequestReader.keys + ["pause"], as: "a request of a flow")
                steps.append(
                    FollowUp(request: try requests.request(own), pauseSeconds: try own["pause"].map(range) ?? pause))
            }
            guard let first = steps.first else { throw entry.problem("a flow without requests") }
            flows.append(
                LoadStream(
                    request: first.request, followUps: Array(steps.dropFirst()), weight: try weight(keys),
                    variables: variables))
        }
        guard !flows.isEmpty else {
            throw YAMLProblem(line: root.line, message: "the scenario has no requests", hint: "`requests:` or `flows:`")
        }
        return flows
    }

    private func weight(_ keys: YAMLMapping) throws(YAMLProblem) -> Double {
        try keys["weight"]?.number(in: 0.000_001...1_000_000) ?? 1
    }

    // MARK: - Load and limits

    private func stages(_ value: YAMLValue) throws(YAMLProblem) -> [LoadScenario.Stage] {
        var stages: [LoadScenario.Stage] = []
        for entry in value.isList ? try value.list() : [value] {
            let keys = try entry.mapping(["rate", "users", "to", "for"], as: "a stage of `load`")
            let seconds = try keys.require("for", hint: "how long, such as 30s").seconds(in: 0.01...2_592_000)
            if let users = keys["users"] {
                let from = try users.integer(in: 0...100_000)
                let to = try keys["to"]?.integer(in: 0...100_000) ?? from
                stages.append(LoadScenario.Stage(seconds: seconds, amount: .users(from: from, to: to)))
            } else {
                let from = try rate(try keys.require("rate", hint: "such as 50/s; or `users`"))
                let to = try keys["to"].map(rate) ?? from
                stages.append(LoadScenario.Stage(seconds: seconds, amount: .rate(from: from, to: to)))
            }
            guard let first = stages.first, first.isOpen == stages[stages.count - 1].isOpen else {
                throw entry.problem("rates and users cannot be mixed in one scenario")
            }
        }
        guard !stages.isEmpty else { throw value.problem("`load` is empty", hint: "`- {rate: 50/s, for: 30s}`") }
        return stages
    }

    private func rate(_ value: YAMLValue) throws(YAMLProblem) -> Double {
        let text = try value.string()
        guard let rate = LoadScenario.rate(parsing: text) else {
            throw value.problem("\(value.name) must be a rate, not `\(text)`", hint: "such as 50/s or 600/min")
        }
        return rate
    }

    private func thresholds(_ value: YAMLValue?) throws(YAMLProblem) -> [LoadThreshold] {
        var found: [LoadThreshold] = []
        for entry in try value?.list() ?? [] {
            let text = try entry.string()
            do throws(LoadThreshold.Failure) {
                found.append(try LoadThreshold(parsing: text))
            } catch {
                throw entry.problem(error.message)
            }
        }
        return found
    }
}

extension LoadScenario.Stage {
    fileprivate var isOpen: Bool {
        if case .rate = amount { true } else { false }
    }
}

extension LoadScenario {
    /// "50", "50/s", "600/min", in requests a second; nil for anything else or beyond a million.
    package static func rate(parsing text: String) -> Double? {
        for (unit, factor) in [("/s", 1.0), ("/min", 1 / 60.0), ("/h", 1 / 3_600.0), ("", 1)] where text.hasSuffix(unit)
        {
            let digits = text.dropLast(unit.count)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 == 46 || (48...57).contains($0) }),
                let number = Double(digits), number * factor <= 1_000_000
            else { continue }
            return number * factor
        }
        return nil
    }
}
