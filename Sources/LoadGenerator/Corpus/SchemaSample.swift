import StrictYAML

/// A JSON or YAML document without lines: what is read from is somebody else's, and not told off.
indirect enum DocumentValue: Sendable {
    case scalar(String)
    case list([DocumentValue])
    case mapping([(key: String, value: DocumentValue)])

    init(_ value: YAMLValue) {
        // One of the three it is; each refuses the other two.
        if value.isList, let list = try? value.list() {
            self = .list(list.map(DocumentValue.init))
        } else if let entries = try? value.entries() {
            // A mapping.
            self = .mapping(entries.map { ($0.key, DocumentValue($0.value)) })
        } else {
            // A single value.
            self = .scalar((try? value.string()) ?? "")
        }
    }

    subscript(key: String) -> DocumentValue? { entries.first { $0.key == key }?.value }

    var entries: [(key: String, value: DocumentValue)] {
        if case .mapping(let entries) = self { entries } else { [] }
    }

    var elements: [DocumentValue] {
        if case .list(let list) = self { list } else { [] }
    }

    var text: String? {
        if case .scalar(let text) = self { text } else { nil }
    }
}

/// Makes values that a JSON schema takes, with `${key}` where another value makes another request. Follows references
/// within the document, nests at most eight deep and makes at most 2,000 values, so documents that contain themselves end.
struct SchemaSample: Sendable {
    private static let depthLimit = 8
    private static let valueLimit = 2_000

    let root: DocumentValue

    /// What a reference leads to; the value itself when it is none, or leads nowhere.
    func resolved(_ value: DocumentValue) -> DocumentValue {
        var value = value
        for _ in 0..<Self.depthLimit {
            guard let reference = value["$ref"]?.text, reference.hasPrefix("#/") else { return value }
            var place: DocumentValue? = root
            for part in reference.dropFirst(2).split(separator: "/") {
                let key = part.replacing("~1", with: "/").replacing("~0", with: "~")
                place = place?[String(key)]
            }
            guard let place else { return value }
            value = place
        }
        return value
    }

    /// A path parameter: always a key.
    func identifier(_ schema: DocumentValue?) -> String {
        let schema = schema.map(resolved)
        if let choice = schema?["enum"]?.elements.first?.text { return percentEncoded(choice) }
        switch (schema.flatMap(type), schema?["format"]?.text) {
        case ("integer", _), ("number", _): return "${key:int}"
        case (_, "uuid"): return "${key:uuid}"
        case (_, "email"): return "${key}%40example.org"
        default: return "${key}"
        }
    }

    /// A query parameter as plain text.
    func query(_ parameter: DocumentValue) -> String { plain(parameter, percentEncoded) }

    /// A header parameter as plain text: headers know no percent signs.
    func header(_ parameter: DocumentValue) -> String { plain(parameter, escaped) }

    private func plain(_ parameter: DocumentValue, _ written: (String) -> String) -> String {
        if let example = parameter["example"]?.text { return written(example) }
        guard let schema = parameter["schema"].map(resolved) else { return "${key}" }
        if let given = given(schema)?.text { return written(given) }
        switch type(schema) {
        case "integer", "number": return schema["minimum"]?.text ?? "1"
        case "boolean": return "true"
        default: return identifier(schema)
        }
    }

    /// JSON of a media type's example or schema.
    func body(_ media: DocumentValue) -> String {
        if let example = media["example"] { return json(example) }
        if let example = media["examples"]?.entries.first.map({ resolved($0.value) })?["value"] { return json(example) }
        var left = Self.valueLimit
        return json(schema: media["schema"] ?? .mapping([]), depth: 0, &left)
    }

    // MARK: - By schema

    private func type(_ schema: DocumentValue) -> String? {
        if let text = schema["type"]?.text { return text }
        if let text = schema["type"]?.elements.compactMap(\.text).first(where: { $0 != "null" }) { return text }
        return schema["properties"] != nil ? "object" : schema["items"] != nil ? "array" : nil
    }

    private func given(_ schema: DocumentValue) -> DocumentValue? {
        schema["example"] ?? schema["examples"]?.elements.first ?? schema["const"] ?? schema["default"]
            ?? schema["enum"]?.elements.first
    }

    /// - Parameter left: how many values may still be made.
    private func json(schema: DocumentValue, depth: Int, _ left: inout Int) -> String {
        let schema = resolved(schema)
        guard depth < Self.depthLimit, left > 0 else { return "null" }
        left -= 1
        if let first = (schema["oneOf"] ?? schema["anyOf"])?.elements.first {
            return json(schema: first, depth: depth + 1, &left)
        }
        if let parts = schema["allOf"]?.elements, !parts.isEmpty {
            return json(schema: merged(parts, schema), depth: depth + 1, &left)
        }
        let type = type(schema)
        if type == "string" || type == nil, let text = keyed(schema) { return quoted(text) }
        if let given = given(schema) { return json(given, type: type) }
        switch type {
        case "object": return object(schema, depth, &left)
        case "array": return "[" + json(schema: schema["items"] ?? .mapping([]), depth: depth + 1, &left) + "]"
        case "integer", "number": return schema["minimum"]?.text ?? "1"
        case "boolean": return "true"
        case "string": return quoted(filled(schema))
        default: return "{}"
        }
    }

    private func object(_ schema: DocumentValue, _ depth: Int, _ left: inout Int) -> String {
        let required = Set(schema["required"]?.elements.compactMap(\.text) ?? [])
        var members: [String] = []
        for (name, value) in schema["properties"]?.entries ?? [] where left > 0 {
            let value = resolved(value)
            guard value["readOnly"]?.text != "true", depth < 3 || required.contains(name) else { continue }
            members.append(quoted(escaped(name)) + ": " + json(schema: value, depth: depth + 1, &left))
        }
        return "{" + members.joined(separator: ", ") + "}"
    }

    /// All parts as one object.
    private func merged(_ parts: [DocumentValue], _ schema: DocumentValue) -> DocumentValue {
        var properties: [(key: String, value: DocumentValue)] = []
        var required: [DocumentValue] = []
        for part in parts.map(resolved) + [schema] {
            properties += part["properties"]?.entries ?? []
            required += part["required"]?.elements ?? []
            if part["properties"] == nil, part["allOf"] == nil, part["type"]?.text ?? "object" != "object" {
                return part
            }
        }
        return .mapping([
            ("type", .scalar("object")), ("properties", .mapping(properties)), ("required", .list(required)),
        ])
    }

    /// Strings that must differ from request to request.
    private func keyed(_ schema: DocumentValue) -> String? {
        switch schema["format"]?.text {
        case "email": "${key}@example.org"
        case "uuid": "${key:uuid}"
        default: nil
        }
    }

    /// A string as long as it must be.
    private func filled(_ schema: DocumentValue) -> String {
        switch schema["format"]?.text {
        case "date": return "2026-01-31"
        case "date-time": return "2026-01-31T12:00:00Z"
        case "uri", "url": return "https://example.org/${key}"
        case "ipv4": return "192.0.2.1"
        default: break
        }
        let least = schema["minLength"]?.text.flatMap { Int($0) } ?? 0
        let most = schema["maxLength"]?.text.flatMap { Int($0) } ?? .max
        guard most >= 16 else { return String(repeating: "a", count: max(min(most, 1_000), 0)) }
        return "${key}" + String(repeating: "a", count: min(max(least - 16, 0), 10_000))
    }

    // MARK: - As it stands

    /// An example as JSON. YAML does not say what was quoted; a value is text when its schema says so, or when it looks
    /// like nothing else.
    private func json(_ value: DocumentValue, type: String? = nil) -> String {
        switch value {
        case .list(let list): "[" + list.map { json($0) }.joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { quoted(escaped($0.key)) + ": " + json($0.value) }.joined(separator: ", ") + "}"
        case .scalar(let text):
            type != "string" && isPlain(text) ? text : quoted(escaped(text))
        }
    }

    private func isPlain(_ text: String) -> Bool {
        if ["true", "false", "null"].contains(text) { return true }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard let first = digits.utf8.first, (48...57).contains(first),
            digits.count == 1 || first != 48 || digits.contains(".")
        else { return false }
        return digits.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 } && Double(text) != nil
            && !text.hasSuffix(".")
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private func percentEncoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isPlain =
                isWordByte(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "~")
            if isPlain {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                appendHexadecimal(UInt64(byte), digits: 2, to: &bytes)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
