import Foundation
import Testing

/// The rules of docs/architecture.md and CONTRIBUTING.md that a machine can check, on the project as it is.
@Suite(.timeLimit(.minutes(10)))
struct RepositoryTests {
    private let tree = ProjectTree()

    @Test func `every target has its row in the table of allowed imports`() throws {
        let table = ImportTable(markdown: try tree.file("docs/architecture.md").text)
        for violation in ProjectChecks.rows(of: table, targets: try tree.targets()) { Issue.record("\(violation)") }
    }

    @Test func `every Swift file keeps the rules`() throws {
        let table = ImportTable(markdown: try tree.file("docs/architecture.md").text)
        let checks = SwiftChecks(table: table, targets: try tree.targets())
        let files = try (tree.files(under: "Sources") + tree.files(under: "Tests")).filter {
            $0.path.hasSuffix(".swift")
        }
        #expect(files.count > 50)
        let found = files.flatMap(checks.violations(in:))
        for violation in found where !Exemption.all.contains(where: { $0.covers(violation) }) {
            Issue.record("\(violation)")
        }
        for exemption in Exemption.all where !found.contains(where: exemption.covers) {
            Issue.record("\(exemption.path) keeps the rule \"\(exemption.check)\" now: remove its exemption")
        }
    }

    @Test func `the README is short`() throws {
        #expect(ProjectChecks.readmeLength(try tree.file("README.md")) == [])
    }

    @Test func `every script can be run as it stands`() throws {
        let scripts = try tree.files(under: "scripts").map(\.path).filter {
            !$0.contains(".txt") && !$0.hasSuffix(".sh")
        }
        #expect(scripts.count > 5)
        for path in scripts + [".ci/run"] {
            #expect(FileManager.default.isExecutableFile(atPath: tree.root.appending(path: path).path), "\(path)")
        }
    }

    @Test func `no file names a path outside the project`() throws {
        let files = try tree.files(under: "")
        #expect(files.count > 60)
        for violation in files.flatMap(ProjectChecks.foreignPaths) { Issue.record("\(violation)") }
    }
}

extension Exemption {
    fileprivate func covers(_ violation: Violation) -> Bool {
        check == violation.check && path == violation.path
    }
}
