import Deployment
import Foundation
import OakumEngine
import StrictYAML

/// Reads `releases` of a service.
struct ReleaseReader {
    let folder: URL

    private static let keys = [
        "folder", "command", "public_key", "prepare", "prepare_within", "tests", "canaries", "canary", "canary_at_most",
        "bake",
        "at_once", "keep",
    ]

    func read(_ value: YAMLValue) throws(YAMLProblem) -> ReleaseSettings {
        let mapping = try value.mapping(Self.keys)
        let command = try mapping.require("command", hint: "`command: [\"{{release}}/bin/program\", argument, …]`")
        var result = ReleaseSettings(command: try words(command))
        guard result.command.first?.hasPrefix("{{release}}/") == true else {
            throw command.problem(
                "`command` of a release begins with its program", hint: "[\"{{release}}/bin/program\", argument, …]")
        }
        result.folder = try mapping["folder"].map { value throws(YAMLProblem) in
            ConfigurationFile.absolute(try value.string(), in: folder)
        }
        if let key = mapping["public_key"] {
            let path = ConfigurationFile.absolute(try key.string(), in: folder)
            guard FileManager.default.isReadableFile(atPath: path) else {
                throw key.problem("\(path) cannot be read", hint: "`oakum artifact keygen` makes a pair of keys")
            }
            result.publicKey = path
        }
        if let hook = mapping["prepare"] {
            result.hook = try words(hook)
            guard let program = result.hook.first, program.hasPrefix("/") || program.hasPrefix("{{release}}/") else {
                throw hook.problem("`prepare` begins with the path of a program, or with {{release}}/")
            }
        }
        result.hookSeconds = try mapping["prepare_within"]?.seconds(in: 1...86_400) ?? 600
        result.tests = try tests(mapping["tests"])
        result.deploys = try deploys(mapping)
        return result
    }

    private func deploys(_ mapping: YAMLMapping) throws(YAMLProblem) -> DeploySettings {
        let canary = try mapping["canary"]?.seconds(in: 5...86_400) ?? 180
        return DeploySettings(
            pairs: try mapping["canaries"]?.integer(in: 1...8) ?? 1, canarySeconds: canary,
            canaryAtMostSeconds: try mapping["canary_at_most"]?.seconds(in: canary...604_800) ?? max(600, 2 * canary),
            bakeSeconds: try mapping["bake"]?.seconds(in: 10...2_592_000) ?? 86_400,
            atOnce: try mapping["at_once"]?.integer(in: 1...64) ?? 1,
            keep: try mapping["keep"]?.integer(in: 2...100) ?? 5)
    }

    /// `GET /path`, or a mapping with `get`, `expect`, `within`.
    private func tests(_ value: YAMLValue?) throws(YAMLProblem) -> [ReleaseTest] {
        var result: [ReleaseTest] = []
        for entry in try value?.list() ?? [] {
            let mapping = try entry.mapping(["get", "expect", "within"], as: "a test")
            let path = try mapping.require("get", hint: "`get: /readyz`")
            let text = try path.string()
            guard text.hasPrefix("/"), text.utf8.allSatisfy({ (33...126).contains($0) }) else {
                throw path.problem("a path begins with / and is plain ASCII")
            }
            let expected = try mapping["expect"]?.integer(in: 100...599) ?? 200
            result.append(
                ReleaseTest(
                    path: text, expected: [expected], seconds: try mapping["within"]?.seconds(in: 0.1...60) ?? 5))
        }
        return result
    }

    private func words(_ value: YAMLValue) throws(YAMLProblem) -> [String] {
        var words: [String] = []
        for word in try value.list() {
            let text = try word.string()
            guard !text.utf8.contains(0) else { throw word.problem("a word holds a NUL character") }
            words.append(text)
        }
        guard words.first?.isEmpty == false else { throw value.problem("it is empty") }
        return words
    }
}
