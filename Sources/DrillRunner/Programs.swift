import Foundation
import Glibc

/// Finds the programs a document names, and fills in the variables of their arguments.
struct Programs: Sendable {
    /// Where the document lies: paths with a slash are relative to it.
    let documentFolder: String
    /// Where `oakum` lies: names without a slash are looked up here first, then in PATH.
    let oakumFolder: String

    init(documentPath: String, oakumPath: String) {
        documentFolder = URL(filePath: documentPath).standardizedFileURL.deletingLastPathComponent().path
        oakumFolder = URL(filePath: oakumPath).standardizedFileURL.deletingLastPathComponent().path
    }

    /// The argv of a program with its first word an absolute path.
    func argv(_ program: DrillProgram, file: String) throws(DrillError) -> [String] {
        var words = program.words
        let name = words.first ?? ""
        let candidates: [String]
        if name.contains("/") {
            candidates = [URL(filePath: name, relativeTo: URL(filePath: documentFolder + "/")).standardizedFileURL.path]
        } else {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
            candidates = [oakumFolder + "/" + name] + path.split(separator: ":").map { "\($0)/\(name)" }
        }
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
            let place = name.contains("/") ? candidates[0] : "beside oakum (\(oakumFolder)) or in PATH"
            throw .badInput(
                "\(file), line \(program.line): there is no program `\(name)` at \(place) (build it first: make build)")
        }
        words[0] = found
        return words
    }

    /// The words with `{{name}}` replaced.
    static func fill(_ words: [String], _ variables: [String: String]) -> [String] {
        words.map { word in
            variables.reduce(word) { $0.replacingOccurrences(of: "{{\($1.key)}}", with: $1.value) }
        }
    }
}

/// Raises the soft limit of open files to the hard one: a few hundred connections need more than the 1,024 of many
/// shells, here and in the children, which inherit it.
func raiseFileLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
