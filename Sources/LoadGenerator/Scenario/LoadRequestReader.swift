import StrictYAML

/// Reads one request of a scenario.
struct LoadRequestReader {
    static let methods = ["get", "post", "put", "patch", "delete", "head", "options"]
    static let keys = methods + ["name", "method", "path", "headers", "body", "expect", "extract"]

    /// Headers of every request.
    var common: [(name: String, value: TextTemplate)]

    func request(_ keys: YAMLMapping) throws(YAMLProblem) -> RequestTemplate {
        let (method, path) = try methodAndPath(keys)
        let text = try path.string()
        guard text.hasPrefix("/") || text.hasPrefix("${") else { throw path.problem("a path must begin with /") }
        guard text.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else {
            throw path.problem("a path has no spaces", hint: "write %20")
        }
        var request = RequestTemplate(
            name: try keys["name"]?.string() ?? "\(method) \(text)", method: method, path: try Self.template(path))
        request.headers = try Self.headers(keys["headers"])
        for header in common
        where !request.headers.contains(where: { $0.name.lowercased() == header.name.lowercased() }) {
            request.headers.append(header)
        }
        if let body = keys["body"] {
            request.body = .text(try Self.template(body))
            if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
                request.headers.append(("content-type", TextTemplate(literal: "application/json")))
            }
        }
        if let expect = keys["expect"] { try self.expect(expect, &request) }
        for (name, value) in try keys["extract"]?.entries() ?? [] {
            guard name.utf8.allSatisfy(isWordByte), !["index", "random", "fresh", "key"].contains(name) else {
                throw value.problem("`\(name)` cannot be a variable", hint: "letters, digits and _, no built-in name")
            }
            request.extractions.append(Extraction(name: name, source: try source(value)))
        }
        return request
    }

    private func methodAndPath(_ keys: YAMLMapping) throws(YAMLProblem) -> (String, YAMLValue) {
        for method in Self.methods {
            if let path = keys[method] { return (method.uppercased(), path) }
        }
        let path = try keys.require("path", hint: "`get: /path`, or `method` and `path`")
        return (try keys["method"]?.string() ?? "GET", path)
    }

    private func expect(_ value: YAMLValue, _ request: inout RequestTemplate) throws(YAMLProblem) {
        let keys = try value.mapping(["status", "text", "json", "header"])
        if let status = keys["status"] {
            request.expectedStatuses = []
            for entry in status.isList ? try status.list() : [status] {
                request.expectedStatuses.formUnion(try statuses(entry))
            }
        }
        request.expectedText = try keys["text"]?.string()
        for (path, value) in try keys["json"]?.entries() ?? [] {
            request.checks.append(AnswerCheck(.json(path), .equals(try value.string())))
        }
        for (name, value) in try keys["header"]?.entries() ?? [] {
            request.checks.append(AnswerCheck(.header(name), .contains(try value.string())))
        }
    }

    /// "200", or "2xx".
    private func statuses(_ value: YAMLValue) throws(YAMLProblem) -> Set<Int> {
        let text = try value.string()
        if text.hasSuffix("xx"), text.count == 3, let hundreds = Int(text.prefix(1)), (2...5).contains(hundreds) {
            return Set(hundreds * 100..<hundreds * 100 + 100)
        }
        return [try value.integer(in: 200...599)]
    }

    private func source(_ value: YAMLValue) throws(YAMLProblem) -> ValueSource {
        let keys = try value.mapping(["json", "header", "between"])
        if let path = keys["json"] { return .json(try path.string()) }
        if let name = keys["header"] { return .header(try name.string()) }
        let between = try keys.require("between", hint: "`json: path`, `header: name`, or `between: [before, after]`")
        let parts = try between.list()
        guard parts.count == 2, !(try parts[0].string().isEmpty), !(try parts[1].string().isEmpty) else {
            throw between.problem("`between` needs two texts", hint: "`between: ['value=\"', '\"']`")
        }
        return .between(try parts[0].string(), try parts[1].string())
    }

    static func headers(_ value: YAMLValue?) throws(YAMLProblem) -> [(name: String, value: TextTemplate)] {
        var headers: [(name: String, value: TextTemplate)] = []
        for (name, value) in try value?.entries() ?? [] {
            guard try value.string().utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
                throw value.problem("a header must be a single line")
            }
            headers.append((name, try template(value)))
        }
        return headers
    }

    static func range(_ value: YAMLValue) throws(YAMLProblem) -> ClosedRange<Double> {
        // One time is a range without width; what is no single value is a mapping.
        if (try? value.string()) != nil {
            let seconds = try value.seconds(in: 0...86_400)
            return seconds...seconds
        }
        let keys = try value.mapping(["from", "to"])
        let from = try keys.require("from", hint: "such as 200ms").seconds(in: 0...86_400)
        let to = try keys.require("to", hint: "such as 1s").seconds(in: 0...86_400)
        guard from <= to else {
            throw value.problem("\(value.name) ends before it begins", hint: "swap `from` and `to`")
        }
        return from...to
    }

    private static func template(_ value: YAMLValue) throws(YAMLProblem) -> TextTemplate {
        let text = try value.string()
        do throws(TextTemplate.Failure) {
            return try TextTemplate(dollars: text)
        } catch {
            switch error {
            case .unclosed: throw value.problem("a ${ without its }", hint: "such as ${fresh}; $${ for ${ itself")
            case .badName(let name):
                throw value.problem(
                    "`\(name)` cannot be a variable", hint: "letters, digits and _; ${key:int}, ${fresh:uuid}")
            }
        }
    }
}

func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
    default: false
    }
}
