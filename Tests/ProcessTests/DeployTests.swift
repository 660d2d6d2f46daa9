import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit
import Releases
import Spawning
import Testing

/// `oakum deploy` on a real service under load: every request of users must be answered, whatever becomes of the release.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct DeployTests {
    private var configuration: TestConfiguration {
        var configuration = TestConfiguration()
        configuration.releases =
            """
            {command: ["{{release}}/bin/serve", "--database", "{state}/registrar.sqlite", "--hash-memory", "7MiB"], \
            tests: [{get: /readyz}], canary: 5s, canary_at_most: 60s, bake: 1h}
            """
        return configuration
    }

    /// A release as a folder: one script that runs what it is told to.
    private func release(_ name: String, _ script: String, in folder: TemporaryFolder) async throws -> String {
        let path = folder.file("artefact-\(name)")
        let pack = """
            set -e; mkdir -p "\(path)/bin"; cd "\(path)"
            printf '%s\\n' '#!/bin/sh' '\(script)' >bin/serve; chmod 755 bin/serve; echo '{}' >sbom.json; chmod 644 sbom.json
            sum() { sha256sum "$1" | cut -d ' ' -f 1; }; size() { stat -c %s "$1"; }
            cat >manifest.json <<END
            {"format": 1, "name": "registrar", "version": "\(name)", "release": "\(name)", "platform": "linux-x86_64",
             "created": "2026-01-31T12:00:00Z", "build_ids": {}, "system_packages": ["libc6"], "command": ["bin/serve"],
             "migration": {"one_way": false}, "sbom": "sbom.json", "files": [
               {"path": "bin/serve", "sha256": "$(sum bin/serve)", "size_bytes": $(size bin/serve), "mode": "0755"},
               {"path": "sbom.json", "sha256": "$(sum sbom.json)", "size_bytes": $(size sbom.json), "mode": "0644"}]}
            END
            """
        try await withProcess("/bin/sh", ["-c", pack]) { process in
            let exit = try await process.waitForExit()
            #expect(exit == .code(0), "\(process.output())")
        }
        return path
    }

    private func good(_ name: String, in folder: TemporaryFolder) async throws -> String {
        try await release(name, "exec \(try builtExecutable("registrar")) \"$@\"", in: folder)
    }

    private func deploy(_ oakum: OakumUnderTest, _ arguments: String...) async throws -> (code: Int32, output: String) {
        try await run("oakum", arguments + ["--state", oakum.state], within: .seconds(150))
    }

    /// Users while the body runs: none of their requests may fail.
    private func underLoad<Result: Sendable>(
        _ oakum: OakumUnderTest, _ body: () async throws -> Result
    ) async throws -> Result {
        // On new connections: those that stay open stay with the workers they have.
        let options = [
            "load", "\(oakum.service)/healthz", "--rate", "150/s", "--duration", "10min", "--json", "--timeout", "10s",
            "--new-connections",
        ]
        return try await withProcess(try builtExecutable("oakum"), options) { load in
            let result = try await body()
            load.send(SIGINT)
            _ = try await load.waitForExit(within: .seconds(30))
            let output = load.output()
            let start = try #require(output.firstIndex(of: "{"), "\(output)")
            let object = try JSONSerialization.jsonObject(with: Data(output[start...].utf8)) as? [String: Any]
            let report = try #require(object?["report"] as? [String: Any])
            #expect(report["requests"] as? Int ?? 0 > 30)
            #expect(report["failed"] as? Int == 0, "\(report["failed_by_kind"] ?? "")")
            return result
        }
    }

    private func ledger(_ oakum: OakumUnderTest) async throws -> ReleaseLedger {
        try await oakum.plane.releases(of: "registrar").ledger
    }

    @Test func `a good release is tried, promoted and bakes, and a rollback undoes it, without a request lost`()
        async throws
    {
        try await withOakum(configuration) { oakum in
            let artefact = try await good("r2", in: oakum.folder)
            _ = try await oakum.allServing(2)
            try await underLoad(oakum) {
                let (code, output) = try await deploy(oakum, "deploy", "registrar", artefact)
                #expect(code == 0, "\(output)")
                #expect(output.contains("canaries serve") && output.contains("every worker runs r2"), "\(output)")
                _ = try await oakum.allServing(2)
                let after = try await ledger(oakum)
                #expect(after.current == ReleaseID("r2") && after.course?.step == .baking)
                let current = try FileManager.default.destinationOfSymbolicLink(
                    atPath: oakum.state + "/releases/registrar/current")
                #expect(current == "r2")
                let serving = processes(naming: "/releases/registrar/r2/bin/serve") + processes(naming: oakum.state)
                #expect(serving.count >= 2)

                let (back, words) = try await deploy(oakum, "rollback", "registrar")
                #expect(back == 0, "\(words)")
                let restored = try await ledger(oakum)
                #expect(restored.current == .configured)
                _ = try await oakum.allServing(2)
            }
        }
    }

    @Test(arguments: ["exit 3", "exec sleep 1000"])
    func `a release that crashes or never serves is taken back, and nobody noticed`(_ script: String) async throws {
        var configuration = configuration
        configuration.health = "{minimum_healthy: 100ms, ready_within: 10s}"
        try await withOakum(configuration) { oakum in
            let artefact = try await release("bad", script, in: oakum.folder)
            let before = try await oakum.allServing(2).map(\.process)
            try await underLoad(oakum) {
                let (code, output) = try await deploy(oakum, "deploy", "registrar", artefact)
                #expect(code == 1 && output.contains("rolled back"), "\(output)")
                let after = try await oakum.allServing(2)
                #expect(after.map(\.process) == before, "the old workers were touched")
                let known = try await ledger(oakum)
                #expect(known.current == .configured && known[ReleaseID("bad") ?? .configured]?.outcome == .undone)
            }
        }
    }

    @Test func `SIGKILL of oakum in the middle of a trial: the next one finishes it`() async throws {
        try await withTemporaryFolder { folder in
            let artefact = try await good("r2", in: folder)
            try await withOakum(configuration, in: folder, keepingWorkers: true) { oakum in
                _ = try await oakum.allServing(2)
                let request = DeployRequest(service: "registrar", artefact: artefact, by: "a test", canarySeconds: 300)
                _ = try await oakum.plane.perform(.deploy(request))
                _ = try await eventually("canaries are compared", within: .seconds(60)) {
                    let step = try await ledger(oakum).course?.step
                    return step == .judging ? true : nil
                }
                oakum.process.send(SIGKILL)
                _ = try await oakum.process.waitForExit()
            }
            try await withOakum(configuration, in: folder) { oakum in
                _ = try await eventually("the trial is under way again", within: .seconds(60)) {
                    let step = try await ledger(oakum).course?.step
                    return step == .judging ? true : nil
                }
                let (code, output) = try await deploy(oakum, "rollback", "registrar")
                #expect(code == 0, "\(output)")
                _ = try await oakum.allServing(2)
                let restored = try await ledger(oakum)
                #expect(restored.current == .configured)
            }
        }
    }

    @Test func `what is no artefact is refused with a reason, and nothing happens`() async throws {
        try await withOakum(configuration) { oakum in
            let nothing = try await deploy(oakum, "deploy", "registrar", oakum.folder.file("nothing"))
            #expect(nothing.code == 2 && nothing.output.contains("nothing"), "\(nothing.output)")
            try "not an archive".write(toFile: oakum.folder.file("text"), atomically: true, encoding: .utf8)
            let text = try await deploy(oakum, "deploy", "registrar", oakum.folder.file("text"))
            #expect(text.code == 2, "\(text.output)")
            let unknown = try await deploy(oakum, "deploy", "web", oakum.folder.file("text"))
            #expect(unknown.code == 2 && unknown.output.contains("no service web"), "\(unknown.output)")
            let known = try await ledger(oakum)
            #expect(known.records.isEmpty)
        }
        try await withOakum { oakum in
            let (code, output) = try await deploy(oakum, "deploy", "registrar", oakum.folder.path)
            #expect(code == 4 && output.contains("takes no releases"), "\(output)")
        }
    }
}
