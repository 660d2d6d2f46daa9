import LoadGenerator
import StrictYAML

/// Reads `load` of a drill block.
enum DrillLoadReader {
    private static let requestKeys = ["name", "method", "path", "headers", "body", "expect", "expect_text"]

    static func load(_ value: YAMLValue) throws(YAMLProblem) -> DrillLoad {
        let mapping = try value.mapping(["seed", "timeout", "connections", "think", "prepare", "requests", "surge"])
        var result = DrillLoad(
            seed: UInt64(try mapping["seed"]?.integer(in: 0...Int.max) ?? 1),
            timeoutSeconds: try mapping["timeout"]?.seconds(in: 0.1...600) ?? 10,
            connections: ConnectionPolicy(
                limit: try mapping["connections"]?.integer(in: 1...100_000) ?? 256,
                thinkSeconds: try think(mapping["think"])),
            preparation: [], streams: [], perSecond: [])
        for entry in try mapping["prepare"]?.list() ?? [] {
            let keys = try entry.mapping(requestKeys + ["times", "at_once", "capture"], as: "a request of `prepare`")
            let times = try keys.require("times", hint: "how often it is sent, such as 20").integer(in: 0...1_000_000)
            result.preparation.append(
                PreparationStep(
                    request: try request(keys), count: times,
                    concurrency: try keys["at_once"]?.integer(in: 1...1_000) ?? 2))
        }
        let requests = try mapping.require("requests", hint: "`requests:` with one `- name: …` or more")
        for entry in try requests.list() {
            let keys = try entry.mapping(requestKeys + ["per_second", "arrivals", "new_connection"], as: "a request")
            let rate = try keys.require("per_second", hint: "requests a second, such as 25").number(in: 0...1_000_000)
            result.perSecond.append(rate)
            result.streams.append(
                LoadStream(
                    request: try request(keys), arrivals: try arrivals(keys["arrivals"]),
                    newConnectionEach: try keys["new_connection"]?.bool() ?? false))
        }
        if let surge = mapping["surge"] {
            let keys = try surge.mapping(["at", "factor"])
            result.surge = DrillSurge(
                atSeconds: try keys.require("at", hint: "such as 45s").seconds(in: 1...3_600),
                factor: try keys.require("factor", hint: "such as 4").number(in: 0...1_000))
        }
        guard !result.streams.isEmpty else { throw requests.problem("`requests` is empty") }
        return result
    }

    private static func think(_ value: YAMLValue?) throws(YAMLProblem) -> ClosedRange<Double> {
        guard let value else { return 0...0 }
        let mapping = try value.mapping(["from", "to"])
        let from = try mapping.require("from", hint: "such as 200ms").seconds(in: 0...3_600)
        let to = try mapping.require("to", hint: "such as 1s").seconds(in: 0...3_600)
        guard from <= to else { throw value.problem("`think` ends before it begins", hint: "swap `from` and `to`") }
        return from...to
    }

    private static func arrivals(_ value: YAMLValue?) throws(YAMLProblem) -> ArrivalPattern {
        guard let value else { return .poisson }
        guard let pattern = ArrivalPattern(rawValue: try value.string()) else {
            throw value.problem("`arrivals` must be poisson or uniform, not `\(try value.string())`")
        }
        return pattern
    }

    private static func request(_ mapping: YAMLMapping) throws(YAMLProblem) -> RequestTemplate {
        let name = try mapping.require("name", hint: "what people call it, such as sign-up")
        let path = try mapping.require("path", hint: "such as /v1/session")
        guard try path.string().hasPrefix("/") else { throw path.problem("`path` must begin with /") }
        var result = RequestTemplate(
            name: try name.string(), method: try mapping["method"]?.string() ?? "GET", path: try template(path))
        if let headers = mapping["headers"] {
            for (key, text) in try headers.entries() { result.headers.append((key, try template(text))) }
        }
        if let body = mapping["body"] {
            result.body = .text(try template(body))
            if !result.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
                result.headers.append(("content-type", TextTemplate(literal: "application/json")))
            }
        }
        if let expect = mapping["expect"] {
            result.expectedStatuses = []
            for status in try expect.list() { result.expectedStatuses.insert(try status.integer(in: 200...599)) }
        }
        result.expectedText = try mapping["expect_text"]?.string()
        result.capture = try capture(mapping["capture"])
        return result
    }

    /// `capture: {token: session.token}`: the name for `{{token}}`, and where it stands in the answer's JSON.
    private static func capture(_ value: YAMLValue?) throws(YAMLProblem) -> Capture? {
        guard let value else { return nil }
        let entries = try value.entries()
        guard entries.count == 1, let entry = entries.first else {
            throw value.problem("`capture` must name one value", hint: "`capture: {token: token}`")
        }
        guard entry.key != "index", entry.key != "random" else {
            throw value.problem("`\(entry.key)` is a variable of its own", hint: "choose another name")
        }
        return Capture(name: entry.key, jsonPath: try entry.value.string())
    }

    private static func template(_ value: YAMLValue) throws(YAMLProblem) -> TextTemplate {
        let text = try value.string()
        guard !text.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 0 }) || value.name == "`body`" else {
            throw value.problem("\(value.name) must be a single line")
        }
        do throws(TextTemplate.Failure) {
            return try TextTemplate(parsing: text)
        } catch {
            switch error {
            case .unclosed: throw value.problem("a {{ without its }}", hint: "such as {{index}} or {{random}}")
            case .badName(let name):
                throw value.problem("`\(name)` cannot be a variable", hint: "letters, digits and _")
            }
        }
    }
}
