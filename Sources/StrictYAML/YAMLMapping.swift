/// The entries of a mapping, all of them known.
package struct YAMLMapping: Sendable {
    package let name: String
    package let line: Int
    private let values: [String: YAMLValue]

    init(name: String, line: Int, values: [String: YAMLValue]) {
        self.name = name
        self.line = line
        self.values = values
    }

    package subscript(key: String) -> YAMLValue? { values[key] }

    /// - Throws: `YAMLProblem` when the key is missing.
    package func require(_ key: String, hint: String? = nil) throws(YAMLProblem) -> YAMLValue {
        guard let value = values[key] else {
            throw YAMLProblem(line: line, message: "`\(key)` is missing in \(name)", hint: hint)
        }
        return value
    }
}

extension YAMLValue {
    /// The value as a mapping with no other keys than these.
    package func mapping(_ keys: [String], as name: String? = nil) throws(YAMLProblem) -> YAMLMapping {
        let name = name ?? self.name
        guard case .mapping(let entries) = content else {
            throw YAMLProblem(line: line, message: "\(name) must be a mapping", hint: "`key: value`, one a line")
        }
        var values: [String: YAMLValue] = [:]
        for entry in entries {
            guard keys.contains(entry.key) else {
                let near = keys.filter { Self.distance($0, entry.key) <= 2 }.min { left, right in
                    Self.distance(left, entry.key) < Self.distance(right, entry.key)
                }
                let hint = near.map { "did you mean `\($0)`?" } ?? "known keys: \(keys.joined(separator: ", "))"
                throw YAMLProblem(line: entry.line, message: "unknown key `\(entry.key)` in \(name)", hint: hint)
            }
            values[entry.key] = entry.value
        }
        return YAMLMapping(name: name, line: line, values: values)
    }

    /// The value as a mapping with any keys, in order.
    package func entries() throws(YAMLProblem) -> [(key: String, value: YAMLValue)] {
        guard case .mapping(let entries) = content else {
            throw YAMLProblem(line: line, message: "\(name) must be a mapping", hint: "`key: value`, one a line")
        }
        return entries.map { ($0.key, $0.value) }
    }

    /// Levenshtein's distance, for "did you mean".
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.unicodeScalars)
        var row = Array(0...right.count)
        for (i, scalar) in left.unicodeScalars.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in right.indices {
                let substituted = diagonal + (right[j] == scalar ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
