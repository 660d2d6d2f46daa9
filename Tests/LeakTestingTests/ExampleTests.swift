import OakumTestKit
import Spawning
import Testing

/// The package in `examples/leak-testing`, as somebody who adopts the library builds it.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(20)))
struct ExampleTests {
    private func run(_ filter: String) async throws -> (exit: ChildProcess.Exit, output: String) {
        let path = #filePath
        let root = String(path[..<path.range(ofLast: "/Tests/")])
        let scratch = try buildFolder() + "/example-leak-testing"
        let arguments = [
            "-c", "cd \"$1\" && exec swift test --scratch-path \"$2\" --filter \"$3\"", "bash",
            root + "/examples/leak-testing", scratch, filter,
        ]
        return try await withProcess("/bin/bash", arguments, environment: ["OAKUM_CORE": ""]) { process in
            let exit = try await process.waitForExit(within: .seconds(1_000))
            return (exit, process.output())
        }
    }

    @Test func `the leaky tests fail and name type, line and holders`() async throws {
        let (exit, output) = try await run("LeakyTests")
        #expect(exit == .code(1), "\(output)")
        for text in [
            "memory grows by", "× Session", "Session.swift:", "were not deallocated", "Session.onEnd",
            "a cycle, no root",
        ] {
            #expect(output.contains(text), "no \"\(text)\" in:\n\(output)")
        }
    }

    @Test func `the fixed tests pass, with Swift Testing and with XCTest`() async throws {
        let (exit, output) = try await run("Fixed")
        #expect(exit == .code(0), "\(output)")
        #expect(output.contains("Executed 1 test, with 0 failures"), "\(output)")
        #expect(output.contains("Test run with 3 tests in 1 suite passed"), "\(output)")
    }
}

extension String {
    /// Where the last occurrence of a text begins; the end without one.
    fileprivate func range(ofLast text: String) -> Index {
        var index = endIndex
        while index > startIndex {
            index = self.index(before: index)
            if self[index...].hasPrefix(text) { return index }
        }
        return endIndex
    }
}
