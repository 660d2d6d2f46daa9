import Foundation
import OakumTestKit
import Spawning
import Testing

/// `oakum artifact` as people and scripts use it.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct ArtifactCommandTests {
    /// A release of two empty files, as an archive.
    private func pack(in folder: TemporaryFolder) async throws -> String {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        let manifest = """
            {"format": 1, "name": "web", "version": "1.4.2", "release": "1.4.2-abc", "platform": "linux-x86_64",
             "created": "2026-01-31T12:00:00Z", "build_ids": {}, "system_packages": ["libc6"], "command": ["bin/web"],
             "migration": {"one_way": true}, "sbom": "sbom.json", "files": [
               {"path": "bin/web", "sha256": "\(empty)", "size_bytes": 0, "mode": "0755"},
               {"path": "sbom.json", "sha256": "\(empty)", "size_bytes": 0, "mode": "0644"}]}
            """
        let script = """
            cd \(folder.path) && mkdir -p tree/bin && : >tree/bin/web && : >tree/sbom.json && chmod 755 tree/bin/web &&
            chmod 644 tree/sbom.json && cat >tree/manifest.json <<'END' &&
            \(manifest)
            END
            tar -C tree -czf web.tar.gz manifest.json bin sbom.json
            """
        try await withProcess("/bin/sh", ["-c", script]) { process in
            let exit = try await process.waitForExit()
            #expect(exit == .code(0), "\(process.output())")
        }
        return folder.file("web.tar.gz")
    }

    private func artifact(_ arguments: String...) async throws -> (code: Int32, output: String) {
        try await run("oakum", ["artifact"] + arguments)
    }

    @Test func `keys are made, a release is signed, verified and shown`() async throws {
        try await withTemporaryFolder { folder in
            let archive = try await pack(in: folder)
            let (key, publicKey) = (folder.file("release.key"), folder.file("release.pub"))
            let made = try await artifact("keygen", key, publicKey, "--no-password", "--json")
            #expect(made.code == 0, "\(made.output)")
            let keys = try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: Any]
            let text = try #require(keys?["public_key"] as? String)
            #expect(try await artifact("keygen", key, publicKey, "--no-password").code == 1)

            let signed = try await artifact("sign", archive, "--key", key, "--comment", "web 1.4.2")
            #expect(signed.code == 0, "\(signed.output)")
            for named in [publicKey, text] {
                let verified = try await artifact("verify", archive, "--public-key", named)
                #expect(verified.code == 0, "\(verified.output)")
                #expect(verified.output.contains("web 1.4.2-abc: 3 files, all as the manifest says"))
            }
            let json = try await artifact("verify", archive, "--public-key", text, "--json")
            let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(object?["trusted_comment"] as? String == "web 1.4.2")
            #expect(object?["release"] as? String == "1.4.2-abc")

            let shown = try await artifact("show", archive, "--check")
            #expect(shown.code == 0 && shown.output.contains("one way"), "\(shown.output)")
            let manifest = try await artifact("show", archive, "--json")
            let decoded = try JSONSerialization.jsonObject(with: Data(manifest.output.utf8)) as? [String: Any]
            #expect(decoded?["system_packages"] as? [String] == ["libc6"])
        }
    }

    @Test func `what is wrong ends with 2 and is named`() async throws {
        try await withTemporaryFolder { folder in
            let archive = try await pack(in: folder)
            let key = folder.file("k")
            let password = folder.file("password")
            try "secret words\n".write(toFile: password, atomically: true, encoding: .utf8)
            #expect(try await artifact("keygen", key, key + ".pub", "--no-password").code == 0)
            #expect(try await artifact("sign", archive, "-k", key).code == 0)
            try "not an archive".write(toFile: archive, atomically: true, encoding: .utf8)
            let changed = try await artifact("verify", archive, "-p", key + ".pub")
            #expect(changed.code == 2 && changed.output.contains("the signature is wrong"), "\(changed.output)")
            let shown = try await artifact("show", archive)
            #expect(shown.code == 2 && shown.output.contains("not gzip"), "\(shown.output)")
            #expect(try await artifact("show", folder.file("nothing")).code == 1)
            #expect(try await artifact("verify", archive, "-p", password).code == 2)
            // Nobody is there to ask for a password.
            let unasked = try await artifact("keygen", key + "2", key + "2.pub")
            #expect(unasked.code == 2 && unasked.output.contains("--password-file"), "\(unasked.output)")
        }
    }

    @Test func `every command tells how it is used`() async throws {
        for command in ["keygen", "sign", "verify", "show"] {
            let help = try await artifact(command, "--help")
            #expect(help.code == 0 && help.output.contains("oakum artifact \(command) "), "\(help.output)")
            #expect(help.output.contains("Exit codes"))
        }
    }
}
