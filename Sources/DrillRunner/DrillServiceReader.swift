import StrictYAML

/// Reads `service` and `fault` of a drill block.
enum DrillServiceReader {
    static func service(_ value: YAMLValue) throws(YAMLProblem) -> DrillService {
        let mapping = try value.mapping([
            "name", "build", "own_port", "environment", "workers", "memory_budget", "ready",
            "directory",
        ])
        let build = try mapping.require("build", hint: "`build: {fault: [program, …], patched: [program, …]}`")
            .mapping(["fault", "patched"])
        let name = try mapping.require("name")
        let ownPort = try mapping.require("own_port", hint: "such as `[--listen, \"127.0.0.1:{{port}}\"]`")
        let ownPortWords = try words(ownPort, variables: ["folder", "port", "worker"])
        guard ownPortWords.contains(where: { $0.contains("{{port}}") }) else {
            throw ownPort.problem("`own_port` must hold {{port}}", hint: "such as `[--listen, \"127.0.0.1:{{port}}\"]`")
        }
        let budget = try mapping.require("memory_budget", hint: "the memory one worker may hold, such as 128MiB")
        let budgetBytes = try budget.bytes()
        guard budgetBytes >= 1 << 20 else { throw budget.problem("`memory_budget` must be at least 1MiB") }
        let ready = try mapping["ready"]?.mapping(["path", "within"])
        return DrillService(
            name: try serviceName(name),
            faultBuild: try program(try build.require("fault")),
            patchedBuild: try program(try build.require("patched")),
            ownPort: ownPortWords,
            directory: try mapping["directory"].map { value throws(YAMLProblem) in try folder(value) },
            environment: try environment(mapping["environment"]),
            workers: try mapping["workers"]?.integer(in: 1...64) ?? 2,
            budgetBytes: budgetBytes,
            readyPath: try path(ready?["path"]) ?? "/readyz",
            readyWithinSeconds: try ready?["within"]?.seconds(in: 1...600) ?? 30)
    }

    static func fault(_ value: YAMLValue) throws(YAMLProblem) -> DrillFault {
        let mapping = try value.mapping(["name", "bytes", "time", "after"])
        let name = try mapping.require("name", hint: "one of those the fault build prints with --list-faults")
        let text = try name.string()
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(isNameByte), text.utf8.first != 45 else {
            throw name.problem("`\(text)` cannot be the name of a fault", hint: "a–z, 0–9 and -")
        }
        return DrillFault(
            name: text, bytes: try mapping["bytes"]?.bytes(),
            timeSeconds: try mapping["time"]?.seconds(in: 0...3_600),
            afterSeconds: try mapping["after"]?.seconds(in: 0...3_600), line: name.line)
    }

    static func volume(_ value: YAMLValue) throws(YAMLProblem) -> DrillVolume {
        let mapping = try value.mapping(["path", "size"])
        let size = try mapping.require("size", hint: "such as 4MiB")
        let bytes = try size.bytes()
        guard (1 << 18...1 << 30).contains(bytes) else { throw size.problem("`size` must lie in 256KiB...1GiB") }
        return DrillVolume(
            path: try folder(try mapping.require("path", hint: "such as \"{{folder}}/disk\"")), bytes: bytes)
    }

    /// A folder of the arm's own: nothing else may be written to, or mounted over.
    private static func folder(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let text = try value.string()
        guard text.hasPrefix("{{folder}}/"), !text.contains(".."), !text.contains("\0"),
            !text.dropFirst("{{folder}}/".count).contains("{{")
        else { throw value.problem("\(value.name) must lie in the arm's folder", hint: "such as \"{{folder}}/disk\"") }
        return text
    }

    private static func serviceName(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let name = try value.string()
        guard (1...32).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte), name.utf8.first != 45 else {
            throw value.problem(
                "`\(name)` cannot be the name of a service", hint: "a–z, 0–9 and -, at most 32 characters")
        }
        return name
    }

    private static func program(_ value: YAMLValue) throws(YAMLProblem) -> DrillProgram {
        let words = try words(value, variables: ["folder"])
        guard let first = words.first, !first.isEmpty else {
            throw value.problem("\(value.name) is empty", hint: "`[program, argument, …]`")
        }
        return DrillProgram(words: words, line: value.line)
    }

    /// Words without NUL whose `{{…}}` are all known.
    private static func words(_ value: YAMLValue, variables: Set<String>) throws(YAMLProblem) -> [String] {
        var result: [String] = []
        for word in try value.list() {
            let text = try word.string()
            guard !text.utf8.contains(0) else { throw word.problem("a word of \(value.name) holds a NUL character") }
            let pieces = text.split(separator: "{{", omittingEmptySubsequences: false).dropFirst()
            for piece in pieces {
                let name = piece.firstRange(of: "}}").map { String(piece[..<$0.lowerBound]) }
                guard let name, variables.contains(name) else {
                    throw word.problem(
                        "`\(text)` has a variable that is not known here",
                        hint: variables.sorted().map { "{{\($0)}}" }.joined(separator: ", "))
                }
            }
            result.append(text)
        }
        return result
    }

    private static func environment(_ value: YAMLValue?) throws(YAMLProblem) -> [(key: String, value: String)] {
        guard let value else { return [] }
        var result: [(key: String, value: String)] = []
        for (key, word) in try value.entries() {
            let text = try word.string()
            guard !key.isEmpty, !key.contains("="), !key.utf8.contains(0), !text.utf8.contains(0),
                !key.hasPrefix("LISTEN_"), key != "NOTIFY_SOCKET"
            else { throw word.problem("`\(key)` cannot be set for the service") }
            result.append((key, text))
        }
        return result
    }

    static func path(_ value: YAMLValue?) throws(YAMLProblem) -> String? {
        guard let value else { return nil }
        let path = try value.string()
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ (33...126).contains($0) }) else {
            throw value.problem("`path` must begin with / and be plain ASCII", hint: "such as /readyz")
        }
        return path
    }
}
