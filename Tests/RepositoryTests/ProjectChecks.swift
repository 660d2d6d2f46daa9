/// The checks on the project as a whole, and on files of any kind. Pure as well.
enum ProjectChecks {
    /// Every target stands in the table of allowed imports, and nothing else does.
    static func rows(of table: ImportTable, targets: Set<String>) -> [Violation] {
        let missing = targets.subtracting(table.rows.keys).map { "\($0) has no row" }
        let stale = Set(table.rows.keys).subtracting(targets).map { "\($0) has a row, but is not in Sources" }
        let unknown = table.rows.flatMap { target, row in
            row.mayImport.subtracting(targets).map { "the row of \(target) names \($0), which is not in Sources" }
        }
        return (missing + stale + unknown).sorted().map {
            Violation(check: "table", path: "docs/architecture.md", line: 0, message: $0)
        }
    }

    static func readmeLength(_ file: ProjectFile) -> [Violation] {
        let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
        guard lines > 120 else { return [] }
        return [
            Violation(
                check: "readme", path: file.path, line: lines, message: "the README has \(lines) lines, at most 120")
        ]
    }

    /// The project is read by people who have nothing but the project.
    static func foreignPaths(_ file: ProjectFile) -> [Violation] {
        // Put together here, so that this file does not name them.
        let foreign = [["..", "shared"].joined(separator: "/"), "/" + "work/", "/" + "root/"]
        let bytes = Array(file.text.utf8)
        var line = 1
        var found: [Violation] = []
        for position in bytes.indices {
            if bytes[position] == UInt8(ascii: "\n") { line += 1 }
            guard bytes[position] == UInt8(ascii: ".") || bytes[position] == UInt8(ascii: "/") else { continue }
            for path in foreign where isNamed(path, in: bytes, at: position) {
                found.append(
                    Violation(
                        check: "foreign path", path: file.path, line: line,
                        message: "names \(path), which is not part of the project"))
            }
        }
        return found
    }

    /// Absolute paths count where they begin a word: `docs/work/` is none.
    private static func isNamed(_ path: String, in bytes: [UInt8], at position: Int) -> Bool {
        guard bytes[position...].starts(with: path.utf8) else { return false }
        guard path.hasPrefix("/"), position > 0 else { return true }
        let before = UnicodeScalar(bytes[position - 1])
        return
            !(before.properties.isAlphabetic || before.properties.numericType != nil
            || "._-~}".contains(Character(before)))
    }
}

/// Known violations. The list may only shrink: an entry without its violation fails as well.
struct Exemption {
    var check: String
    var path: String
    var reason: String

    static let all: [Exemption] = [
        Exemption(
            check: "sleep", path: "Sources/OakumTestKit/Eventually.swift",
            reason: "the one place where tests wait for what cannot tell that it is done"),
        Exemption(
            check: "sleep", path: "Tests/LoadGeneratorTests/ScriptedServer.swift",
            reason: "a server that stalls is what its tests are about"),
    ]
}
