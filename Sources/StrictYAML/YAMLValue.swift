import Yams

/// A value of a YAML text that knows its line and what people call it. Nothing is guessed: a value of the wrong kind,
/// a number without its unit, and an unknown key are all problems.
package struct YAMLValue: Sendable {
    /// What it is, for messages: "`workers` of a service".
    package let name: String
    /// From 1; 0 when unknown.
    package let line: Int
    let content: Content

    indirect enum Content: Sendable {
        case scalar(String)
        case sequence([YAMLValue])
        case mapping([(key: String, line: Int, value: YAMLValue)])
    }

    /// The longest text that is read, in UTF-8 bytes: 1 MiB.
    package static let longestText = 1 << 20

    /// Reads a text of one document.
    package static func parse(_ text: String, name: String = "the file") throws(YAMLProblem) -> YAMLValue {
        guard text.utf8.count <= longestText else {
            throw YAMLProblem(line: 0, message: "the text is longer than 1 MiB")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw problem(error)
        } catch {
            throw YAMLProblem(line: 0, message: "not YAML: \(error)")
        }
        guard let node else { throw YAMLProblem(line: 1, message: "\(name) is empty") }
        var budget = 100_000
        return try YAMLValue(node, name: name, budget: &budget)
    }

    /// `budget` bounds the number of values: aliases can make a small text very large.
    private init(_ node: Node, name: String, budget: inout Int) throws(YAMLProblem) {
        budget -= 1
        self.name = name
        line = node.mark?.line ?? 0
        guard budget > 0 else { throw YAMLProblem(line: line, message: "more than 100,000 values") }
        switch node {
        case .scalar(let scalar):
            content = .scalar(scalar.string)
        case .sequence(let sequence):
            var values: [YAMLValue] = []
            for element in sequence {
                values.append(try YAMLValue(element, name: "an entry of \(name)", budget: &budget))
            }
            content = .sequence(values)
        case .mapping(let mapping):
            var entries: [(key: String, line: Int, value: YAMLValue)] = []
            for (keyNode, valueNode) in mapping {
                guard case .scalar(let key) = keyNode else {
                    throw YAMLProblem(line: keyNode.mark?.line ?? line, message: "a key of \(name) is not a word")
                }
                let value = try YAMLValue(valueNode, name: "`\(key.string)`", budget: &budget)
                entries.append((key.string, keyNode.mark?.line ?? line, value))
            }
            content = .mapping(entries)
        case .alias:
            throw YAMLProblem(line: line, message: "aliases are not supported", hint: "write the value out")
        }
    }

    private static func problem(_ error: YamlError) -> YAMLProblem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            YAMLProblem(line: mark.line, message: "not YAML: \(problem)", hint: "check indentation, quotes and colons")
        case .duplicatedKeysInMapping(let duplicates, let context):
            YAMLProblem(
                line: context.mark.line, message: "the key `\(duplicates.first.map { "\($0)" } ?? "?")` stands twice")
        default:
            YAMLProblem(line: 0, message: "not YAML: \(error)")
        }
    }
}
