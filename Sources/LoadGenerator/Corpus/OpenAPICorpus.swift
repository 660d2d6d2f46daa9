package import StrictYAML

/// Reads an OpenAPI document (3.0 or 3.1, JSON or YAML, at most 1 MiB) into a corpus: one request for each operation.
///
/// What identifies a thing (path parameters, e-mail addresses, UUIDs, strings without an example) becomes `${key}`;
/// other values come from examples, defaults and enumerations, or are the least that the schema takes. A good answer is
/// one whose status the document names, below 500. References within the document are followed, others are not.
package struct OpenAPICorpus {
    static let methods = ["get", "head", "post", "put", "patch", "delete", "options"]

    private let root: DocumentValue
    private let schemas: SchemaSample
    private var notes: [String] = []

    /// - Throws: `YAMLProblem` when the text is no JSON or YAML, or no OpenAPI document.
    package static func read(_ text: String) throws(YAMLProblem) -> LoadCorpus {
        let root = DocumentValue(try YAMLValue.parse(text, name: "the OpenAPI document"))
        guard let version = root["openapi"]?.text, version.hasPrefix("3.") else {
            throw YAMLProblem(line: 1, message: "this is no OpenAPI 3 document", hint: "it begins with `openapi: 3.…`")
        }
        var reader = OpenAPICorpus(root: root, schemas: SchemaSample(root: root))
        return reader.corpus()
    }

    private init(root: DocumentValue, schemas: SchemaSample) {
        self.root = root
        self.schemas = schemas
    }

    private mutating func corpus() -> LoadCorpus {
        var endpoints: [LoadCorpus.Endpoint] = []
        let base = basePath
        for (path, item) in root["paths"]?.entries ?? [] {
            let item = schemas.resolved(item)
            for method in Self.methods {
                guard let operation = item[method] else { continue }
                let name = "\(method.uppercased()) \(path)"
                let shared = item["parameters"]?.elements ?? []
                guard let request = request(name, method.uppercased(), base + path, shared, operation) else { continue }
                endpoints.append(
                    LoadCorpus.Endpoint(
                        name: name, requests: [request], isSafe: ["get", "head", "options"].contains(method)))
            }
        }
        return LoadCorpus(endpoints: endpoints, notes: notes)
    }

    /// The path of the first server: "https://example.org/api" gives "/api".
    private var basePath: String {
        guard let url = root["servers"]?.elements.first?["url"]?.text, !url.contains("{") else { return "" }
        var path = url[...]
        if let scheme = url.firstRange(ofText: "://") {
            let rest = url[scheme.upperBound...]
            path = rest.firstIndex(of: "/").map { rest[$0...] } ?? ""
        }
        while path.hasSuffix("/") { path = path.dropLast() }
        return path.isEmpty || path.hasPrefix("/") ? String(path) : "/" + path
    }

    private mutating func request(
        _ name: String, _ method: String, _ path: String, _ shared: [DocumentValue], _ operation: DocumentValue
    ) -> RequestTemplate? {
        var target = escaped(path)
        var query: [String] = []
        var headers: [(name: String, value: TextTemplate)] = []
        for parameter in parameters(shared, operation) {
            guard let key = parameter["name"]?.text, let place = parameter["in"]?.text else { continue }
            let isNeeded = parameter["required"]?.text == "true"
            switch place {
            case "path": target = target.replacing("{\(key)}", with: schemas.identifier(parameter["schema"]))
            case "query" where isNeeded: query.append("\(key)=\(schemas.query(parameter))")
            case "header" where isNeeded:
                let line = schemas.header(parameter)
                guard line.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }), let value = template(line) else { continue }
                headers.append((key, value))
            default: break
            }
        }
        if target.contains("{"), target.replacing("${", with: "").contains("{") {
            return skip(name, "its path has a parameter that is not described")
        }
        if !query.isEmpty { target += "?" + query.joined(separator: "&") }
        guard target.utf8.allSatisfy({ $0 > 32 && $0 != 127 }), let path = template(target) else {
            return skip(name, "its path cannot be written")
        }
        var request = RequestTemplate(name: name, method: method, path: path, headers: headers)
        request.expectedStatuses = statuses(operation)
        guard let body = operation["requestBody"].map(schemas.resolved) else { return request }
        guard let media = body["content"]?["application/json"] else {
            return body["required"]?.text == "true" ? skip(name, "its body is not JSON") : request
        }
        guard let text = template(schemas.body(media)) else { return skip(name, "its body cannot be written") }
        request.body = .text(text)
        request.headers.append(("content-type", TextTemplate(literal: "application/json")))
        return request
    }

    /// Those of the path and of the operation; the operation's own stand for those of the same name and place.
    private func parameters(_ shared: [DocumentValue], _ operation: DocumentValue) -> [DocumentValue] {
        let own = (operation["parameters"]?.elements ?? []).map(schemas.resolved)
        let others = shared.map(schemas.resolved).filter { other in
            !own.contains { $0["name"]?.text == other["name"]?.text && $0["in"]?.text == other["in"]?.text }
        }
        return others + own
    }

    private mutating func skip(_ name: String, _ why: String) -> RequestTemplate? {
        if notes.count < 100 { notes.append("\(name) is left out: \(why)") }
        return nil
    }

    /// Statuses the document names, below 500; "2XX" stands for a hundred, "default" for all.
    private func statuses(_ operation: DocumentValue) -> Set<Int> {
        var statuses: Set<Int> = []
        for (code, _) in operation["responses"]?.entries ?? [] {
            if code == "default" {
                statuses.formUnion(200..<500)
            } else if code.count == 3, code.lowercased().hasSuffix("xx"), let hundreds = Int(code.prefix(1)) {
                if (2...4).contains(hundreds) { statuses.formUnion(hundreds * 100..<hundreds * 100 + 100) }
            } else if let status = Int(code), (200..<500).contains(status) {
                statuses.insert(status)
            }
        }
        return statuses.isEmpty ? Set(200..<400) : statuses
    }

    private func template(_ text: String) -> TextTemplate? {
        do throws(TextTemplate.Failure) {
            return try TextTemplate(dollars: text)
        } catch {
            // Texts are made of escaped pieces and our own variables; one that is still odd leaves its operation out.
            return nil
        }
    }
}

/// A text of the document in a template: a `${` in it means itself.
func escaped(_ text: String) -> String { text.replacing("${", with: "$${") }

extension String {
    fileprivate func firstRange(ofText text: String) -> Range<Index>? { firstRange(of: text) }
}
