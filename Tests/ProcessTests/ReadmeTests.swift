import Foundation
import OakumTestKit
import Spawning
import Testing

/// What the README tells people to type, typed.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct ReadmeTests {
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The text of the fenced blocks in that language.
    private func blocks(_ language: String) throws -> [String] {
        try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
            .components(separatedBy: "```\(language)\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
    }

    private func shell(_ script: String) async throws -> (exit: SpawnedProcess.Exit, output: String) {
        try await withProcess("/bin/sh", ["-c", script]) { process in
            let exit = try await process.waitForExit(within: .seconds(60))
            return (exit, process.output())
        }
    }

    @Test func `the sign-up and the commands on a running service do what they say`() async throws {
        try await withOakum { oakum in
            _ = try await oakum.allServing()
            let signUp = try #require(try blocks("sh").first { $0.hasPrefix("curl") })
            #expect(signUp.contains("http://127.0.0.1:8080/"))
            let answer = try await shell(
                "exec 2>&1; " + signUp.replacingOccurrences(of: "http://127.0.0.1:8080", with: oakum.service))
            #expect(answer.exit == .code(0) && answer.output.contains("HTTP/1.1 202 Accepted"), "\(answer.output)")

            let commands = try #require(try blocks("sh").first { $0.hasPrefix("oakum up") }).split(separator: "\n")
            #expect(commands.count >= 6)
            let program = try builtExecutable("oakum")
            for command in commands where !command.hasPrefix("oakum up") {
                let words = command.dropFirst("oakum".count).replacing(" web ", with: " registrar ")
                let result = try await shell("cd \(oakum.folder.path) && exec \(program) \(words)")
                #expect(result.exit == .code(0), "\(command): \(result.output)")
            }
            #expect(try await oakum.process.waitForExit() == .code(0))
        }
    }

    @Test func `the configuration is accepted`() async throws {
        try await withTemporaryFolder { folder in
            let yaml = try #require(try blocks("yaml").first)
            #expect(yaml.hasPrefix("# oakum.yaml"))
            let file = folder.file("oakum.yaml")
            try yaml.replacing("/usr/local/bin/web", with: "/bin/true").replacing("/var/lib/oakum", with: folder.path)
                .write(toFile: file, atomically: true, encoding: .utf8)
            for options in [[], ["--observe-only"]] {
                let check = try await run("oakum", ["up", "-c", file, "--check"] + options)
                #expect(check.code == 0, "\(check.output)")
            }
        }
    }

    @Test func `the drill is there, and its document is accepted`() async throws {
        let command = try #require(try blocks("sh").first { $0.contains(" drill ") }).split(separator: " ")
        #expect(command.first == ".build/release/oakum")
        let words = command.dropFirst().map { $0.hasSuffix(".md") ? root.appending(path: String($0)).path : String($0) }
        let check = try await run("oakum", words + ["--check"])
        #expect(check.code == 0, "\(check.output)")
    }
}
