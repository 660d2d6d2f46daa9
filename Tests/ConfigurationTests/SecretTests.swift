import Foundation
import Notify
import OakumApp
import OakumTestKit
import StrictYAML
import Testing

@Suite
struct SecretTests {
    private let slack = "channels: [{name: x, slack: {url_file: hook}}]"
    private let hook = "https://hooks.slack.example/services/T0/B0/verysecret"

    private func url(_ configuration: OakumConfiguration) -> String? {
        guard case .slack(let slack)? = configuration.response.configuredChannels.first?.kind else { return nil }
        return slack.url.reveal()
    }

    @Test func `a secret is read from a file beside the configuration, without the line's end`() async throws {
        try await withTemporaryFolder { folder in
            try write(hook + "\n", "hook", in: folder)
            let configuration = try read(slack, folder: folder.path)
            #expect(url(configuration) == hook)
            #expect(configuration.response.warnings.isEmpty)
            #expect(!"\(configuration)".contains("verysecret"))
        }
    }

    @Test func `a secret is read from the variable that the configuration names`() throws {
        let text = "channels: [{name: x, slack: {url_env: OAKUM_HOOK}}]"
        #expect(url(try read(text, environment: ["OAKUM_HOOK": hook])) == hook)
        #expect(problem(text)?.contains("the environment variable OAKUM_HOOK is not set") ?? false)
        #expect(problem(text, environment: ["OAKUM_HOOK": ""])?.contains("is empty") ?? false)
    }

    @Test func `a file that everybody may use is refused, one that a group may use is warned of`() async throws {
        try await withTemporaryFolder { folder in
            try write(hook, "hook", in: folder, mode: 0o644)
            let told = try #require(problem(slack, folder: folder.path))
            #expect(told.contains("everybody on this machine may use \(folder.path)/hook (mode 644)"))
            #expect(told.contains("chmod 600"))
            try write(hook, "hook", in: folder, mode: 0o640)
            let warnings = try read(slack, folder: folder.path).response.warnings
            #expect(warnings.map(\.line) == [1])
            #expect(warnings.first?.message.contains("a group may use the secret") ?? false)
        }
    }

    @Test func `what is no secret is refused, and never told`() async throws {
        try await withTemporaryFolder { folder in
            #expect(problem(slack, folder: folder.path)?.contains("there is no file") ?? false)
            for (content, said) in [("", "is empty"), ("\n\n", "is empty"), ("one\ntwo\n", "control characters")] {
                try write(content, "hook", in: folder)
                #expect(problem(slack, folder: folder.path)?.contains(said) ?? false)
            }
            try write(String(repeating: "x", count: 70_000), "hook", in: folder)
            #expect(problem(slack, folder: folder.path)?.contains("larger than 64 KiB") ?? false)
            try write("not a url but verysecret", "hook", in: folder)
            let told = try #require(problem(slack, folder: folder.path))
            #expect(told.contains("the channel `x` cannot work"))
            #expect(!told.contains("verysecret"))
            try FileManager.default.createDirectory(atPath: folder.file("d"), withIntermediateDirectories: true)
            #expect(
                problem("channels: [{name: x, slack: {url_file: d}}]", folder: folder.path)?.contains("is no file")
                    ?? false)
            #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
            #expect(
                problem("channels: [{name: x, slack: {url_file: pipe}}]", folder: folder.path)?.contains("is no file")
                    ?? false)
        }
    }

    @Test func `a secret is given once`() {
        let told = problem("channels: [{name: x, slack: {url_file: a, url_env: B}}]")
        #expect(told?.contains("`url_file` and `url_env` both give the same") ?? false)
        let variable = problem("channels: [{name: x, slack: {url_env: \"\(hook)\"}}]")
        #expect(variable?.contains("takes the name of an environment variable, not a secret") ?? false)
        #expect(!(variable?.contains("verysecret") ?? true))
    }

    @Test func `tokens of the intake have a name each, and are long`() async throws {
        try await withTemporaryFolder { folder in
            let text = "intake: {listen: \"10.0.0.1:9105\", behind_proxy: true, tokens_file: tokens}"
            let long = String(repeating: "k", count: 24)
            try write("# who may tell\nalertmanager \(long)\n\nci \(long)2\n", "tokens", in: folder)
            let tokens = try #require(try read(text, folder: folder.path).response.intake).tokens
            #expect(tokens.map(\.name) == ["alertmanager", "ci"])
            #expect(tokens.map { $0.token.reveal() } == [long, long + "2"])
            for content in [
                "alertmanager short\n", "alertmanager\n", "a \(long)\na \(long)\n", "# none\n", "a b \(long)\n",
            ] {
                try write(content, "tokens", in: folder)
                let told = try #require(problem(text, folder: folder.path), "\(content)")
                #expect(!told.contains(long))
            }
        }
    }
}
