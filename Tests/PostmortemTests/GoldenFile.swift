import Foundation
import Testing

/// A text that was read over by a person and must not change unnoticed. `OAKUM_GOLDEN=write` takes over what is made now.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
    if ProcessInfo.processInfo.environment["OAKUM_GOLDEN"] == "write" {
        try text.write(to: file, atomically: true, encoding: .utf8)
        return
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    guard golden != text else { return }
    let lines = zip(
        golden.split(separator: "\n", omittingEmptySubsequences: false),
        text.split(separator: "\n", omittingEmptySubsequences: false))
    let first = lines.first { $0 != $1 }.map { "\n  then: \($0)\n  now:  \($1)" } ?? " in length"
    Issue.record("\(name) differs:\(first)", sourceLocation: sourceLocation)
}
