import Foundation
import OakumTestKit
import Testing

/// `oakum config check` as people and scripts use it.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct ConfigCheckTests {
    private let service = """
        services:
          - {name: x, command: [/bin/true], listen: "127.0.0.1:0", memory_budget: 64MiB}

        """

    private func check(_ text: String, _ arguments: [String] = []) async throws -> (code: Int32, output: String) {
        try await withTemporaryFolder { folder in
            let file = folder.file("oakum.yaml")
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            return try await run("oakum", ["config", "check", "-c", file] + arguments)
        }
    }

    @Test func `a sound configuration is told with its policy and channels`() async throws {
        let result = try await check(service)
        #expect(result.code == 0)
        #expect(result.output.contains("service x: policy default"))
        #expect(result.output.contains("channel pages: file"))
    }

    @Test func `that nobody is paged for a service is told plainly`() async throws {
        let result = try await check(service.replacing("64MiB}", with: "64MiB, policy: none}"))
        #expect(result.code == 0)
        #expect(
            result.output.contains("service x: policy none: its incidents are opened, and nobody is paged for them"),
            "\(result.output)")
    }

    @Test func `a wrong one ends with 2, its line and what to write instead`() async throws {
        let text = "channels: [{name: s, slack: {url: \"https://hooks.example.org/T0/secret\"}}]\n"
        let result = try await check(text + service)
        #expect(result.code == 2)
        #expect(result.output.contains("line 1: `url` is a secret"), "\(result.output)")
        #expect(result.output.contains("url_file"))
        #expect(!result.output.contains("T0/secret"))
    }

    @Test func `as JSON both are one object`() async throws {
        for (text, code, usable) in [(service, Int32(0), true), ("people: [x]\n" + service, 2, false)] {
            let result = try await check(text, ["--json"])
            #expect(result.code == code)
            let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            #expect(object?["usable"] as? Bool == usable, "\(result.output)")
            let problem = object?["problem"] as? [String: Any]
            #expect(problem?["line"] as? Int == (usable ? nil : 1))
        }
    }
}
