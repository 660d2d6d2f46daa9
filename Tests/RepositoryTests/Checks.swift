/// A file of the project, its path relative to the root.
struct ProjectFile {
    var path: String
    var text: String

    /// The target it belongs to: the folder below `Sources` or `Tests`.
    var target: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && (parts[0] == "Sources" || parts[0] == "Tests") ? String(parts[1]) : nil
    }

    var isSource: Bool { path.hasPrefix("Sources/") && path.hasSuffix(".swift") }

    /// A program that tests start and look at.
    var isSpecimen: Bool { path.hasPrefix("Tests/") && path.contains("/Programs/") }

    /// The kits serve tests alone, so they follow their rules.
    var isTest: Bool { ["Tests/", "Sources/OakumTestKit/", "Sources/EngineTestKit/"].contains(where: path.hasPrefix) }
}

struct Violation: Hashable, CustomStringConvertible {
    var check: String
    var path: String
    var line: Int
    var message: String

    var description: String { "\(path):\(line): \(message) [\(check)]" }
}

/// The checks on one Swift file. Pure: what they say depends on their arguments alone.
struct SwiftChecks {
    var table: ImportTable
    /// The folders of `Sources`.
    var targets: Set<String>

    static let executables: Set<String> = ["oakum", "oakum-bench", "oakum-keeper", "registrar", "registrar-drill"]

    func violations(in file: ProjectFile) -> [Violation] {
        let tokens = SwiftTokens(file.text)
        // They leak, wait and reach for raw memory on purpose: they are what tests look at.
        if file.isSpecimen { return fileLength(file) + functionLengths(file, tokens) }
        var found = fileLength(file) + functionLengths(file, tokens) + swallowedErrors(file, tokens)
        found += unexplainedHatches(file, tokens)
        if file.isTest {
            found += sleeps(file, tokens)
        } else {
            found += imports(file, tokens) + foundation(file, tokens) + unstructuredTasks(file, tokens)
            found += clocks(file, tokens)
        }
        return found
    }

    func imports(_ file: ProjectFile, _ tokens: SwiftTokens) -> [Violation] {
        guard let target = file.target, let row = table.rows[target] else { return [] }
        return Self.imported(tokens).compactMap { module, line in
            guard targets.contains(module), module != target, !row.mayImport.contains(module) else { return nil }
            return Violation(
                check: "imports", path: file.path, line: line,
                message: "\(target) may not import \(module): see the table in docs/architecture.md")
        }
    }

    func foundation(_ file: ProjectFile, _ tokens: SwiftTokens) -> [Violation] {
        guard let target = file.target, let ring = table.rows[target]?.ring, ["0", "shared", "product"].contains(ring)
        else { return [] }
        return Self.imported(tokens).compactMap { module, line in
            guard module.hasPrefix("Foundation"), !tokens.isExplained(line) else { return nil }
            return Violation(
                check: "foundation", path: file.path, line: line,
                message: "\(target) is of ring \(ring): no Foundation without a comment that says why")
        }
    }

    func fileLength(_ file: ProjectFile) -> [Violation] {
        let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
        let limit = file.path.hasPrefix("Tests/") ? 600 : 400
        guard lines > limit else { return [] }
        return [
            Violation(check: "file length", path: file.path, line: lines, message: "\(lines) lines, at most \(limit)")
        ]
    }

    /// Lines between the braces of a function or initializer; what is nested inside counts too.
    func functionLengths(_ file: ProjectFile, _ tokens: SwiftTokens) -> [Violation] {
        tokens.tokens.indices.compactMap { index in
            guard Self.beginsFunction(tokens, at: index), let body = Self.body(tokens, after: index) else { return nil }
            let length = body.upperBound - body.lowerBound - 1
            guard length > 70 else { return nil }
            return Violation(
                check: "function length", path: file.path, line: tokens.tokens[index].line,
                message: "a function of \(length) lines, at most 70")
        }
    }

    func swallowedErrors(_ file: ProjectFile, _ tokens: SwiftTokens) -> [Violation] {
        let silenced = tokens.occurrences(of: ["try", "?"])
        let emptied = tokens.occurrences(of: ["catch"]).filter { index in
            guard let brace = tokens.tokens[index...].firstIndex(where: { $0.text == "{" }) else { return false }
            return tokens.matches(["{", "}"], at: brace)
        }
        return (silenced + emptied).compactMap { index in
            let line = tokens.tokens[index].line
            guard !tokens.isExplained(line), !tokens.commentLines.contains(line + 1) else { return nil }
            return Violation(
                check: "swallowed error", path: file.path, line: line,
                message: "an error is dropped without a comment that says why")
        }
    }

    func unexplainedHatches(_ file: ProjectFile, _ tokens: SwiftTokens) -> [Violation] {
        let hatches =
            tokens.occurrences(of: ["@", "unchecked"]) + tokens.occurrences(of: ["nonisolated", "(", "unsafe"])
        return hatches.compactMap { index in
            let line = tokens.tokens[index].line
            guard !tokens.isExplained(line) else { return nil }
            return Violation(
                check: "unsafe", path: file.path, line: line, message: "needs a comment that says what makes it safe")
        }
    }

    func unstructuredTasks(_ file: ProjectFile, _ tokens: SwiftTokens) -> [Violation] {
        guard let target = file.target, target != "OakumApp", !Self.executables.contains(target) else { return [] }
        let forms = [["Task", "{"], ["Task", "("], ["Task", ".", "detached"], ["Task", ".", "immediate"]]
        return forms.flatMap { tokens.occurrences(of: $0) }.map { index in
            Violation(
                check: "unstructured task", path: file.path, line: tokens.tokens[index].line,
                message: "only OakumApp and the executables start unstructured tasks")
        }
    }

    func clocks(_ file: ProjectFile, _ tokens: SwiftTokens) -> [Violation] {
        guard let target = file.target, let ring = table.rows[target]?.ring, ["0", "1"].contains(ring) else {
            return []
        }
        let forms = [
            ["Date", "("], ["Date", ".", "now"], ["Task", ".", "sleep"], ["ContinuousClock"], ["SuspendingClock"],
            ["clock_gettime"], ["gettimeofday"], ["DispatchTime"],
        ]
        return forms.flatMap { tokens.occurrences(of: $0) }.map { index in
            Violation(
                check: "clock", path: file.path, line: tokens.tokens[index].line,
                message: "ring \(ring) reads no clock: time comes in as a parameter")
        }
    }

    func sleeps(_ file: ProjectFile, _ tokens: SwiftTokens) -> [Violation] {
        let forms = [["Task", ".", "sleep"], ["Thread", ".", "sleep"], ["usleep", "("], ["nanosleep", "("]]
        let plain = tokens.occurrences(of: ["sleep", "("]).filter { index in
            index > 0 && ![".", "func"].contains(tokens.tokens[index - 1].text)
        }
        return (forms.flatMap { tokens.occurrences(of: $0) } + plain).map { index in
            Violation(
                check: "sleep", path: file.path, line: tokens.tokens[index].line,
                message: "tests do not sleep: await the event, or `eventually` where nobody tells")
        }
    }

    /// The modules a file imports, with the line; `import struct M.T` counts as `M`.
    static func imported(_ tokens: SwiftTokens) -> [(String, Int)] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
        return tokens.occurrences(of: ["import"]).compactMap { index in
            var next = index + 1
            if next < tokens.tokens.count, kinds.contains(tokens.tokens[next].text) { next += 1 }
            guard next < tokens.tokens.count else { return nil }
            return (tokens.tokens[next].text, tokens.tokens[index].line)
        }
    }

    private static func beginsFunction(_ tokens: SwiftTokens, at index: Int) -> Bool {
        switch tokens.tokens[index].text {
        case "func": true
        case "init": index == 0 || tokens.tokens[index - 1].text != "."
        default: false
        }
    }

    /// The lines of the braces around the body; nil when a protocol only asks for the function.
    private static func body(_ tokens: SwiftTokens, after start: Int) -> Range<Int>? {
        let declarations: Set<String> = ["func", "var", "let", "init", "static", "package", "public", "private"]
        var depth = 0
        var opened: Int?
        for index in tokens.tokens.indices.dropFirst(start + 1) {
            let token = tokens.tokens[index]
            switch token.text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where opened == nil && depth == 0:
                opened = token.line
                depth = 1
            case "{": depth += 1
            case "}":
                depth -= 1
                guard depth >= 0 else { return nil }
                if depth == 0, let opened { return opened..<token.line }
            default:
                if opened == nil, depth == 0, declarations.contains(token.text) { return nil }
            }
        }
        return nil
    }
}
