import Artefacts
import Foundation
import OakumTestKit
import Testing

/// `scripts/pack`, the second half of `make dist`, on small programs of the system instead of ours.
@Suite(.timeLimit(.minutes(2)))
struct PackTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let archive = "registrar-0.1.0-linux-x86_64.tar.gz"

    private func lay(in folder: TemporaryFolder) throws {
        mkdir(folder.file("built"), 0o755)
        let programs = [
            ("oakum", "true"), ("oakum-keeper", "false"), ("registrar", "sleep"), ("liboakumheap.so", "yes"),
        ]
        for (name, program) in programs {
            try put(try #require(contents("/bin/\(program)")), folder.file("built/\(name)"), mode: 0o755)
        }
        let resolved = """
            {
              "pins" : [
                {
                  "identity" : "swift-nio",
                  "kind" : "remoteSourceControl",
                  "location" : "https://github.com/apple/swift-nio.git",
                  "state" : {
                    "revision" : "0123456789abcdef0123456789abcdef01234567",
                    "version" : "2.101.2"
                  }
                }
              ],
              "version" : 3
            }
            """
        try put(Array(resolved.utf8), folder.file("resolved"))
    }

    private func pack(_ folder: TemporaryFolder, to out: String, mask: String = "022") async throws -> (
        code: Bool, output: String
    ) {
        let version = try String(contentsOfFile: Self.root + "/Sources/OakumApp/OakumVersion.swift", encoding: .utf8)
        try #require(version.contains("\"0.1.0\""), "this test knows the version of the artefacts")
        let environment = [
            "SOURCE_DATE_EPOCH": "1700000000", "RELEASE": "0.1.0-test", "RESOLVED": folder.file("resolved"),
        ]
        return try await withProcess(
            "/bin/sh",
            [
                "-c", "umask \(mask); exec \"$@\"", "sh", Self.root + "/scripts/pack", folder.file("built"),
                folder.file(out),
            ],
            environment: environment
        ) { process in
            let exit = try await process.waitForExit(within: .seconds(90))
            return ("\(exit)" == "exit code 0", process.output())
        }
    }

    @Test func `the same programs give the same bytes, and a good artefact`() async throws {
        try await withTemporaryFolder { folder in
            try lay(in: folder)
            let first = try await pack(folder, to: "first")
            #expect(first.code, "\(first.output)")
            // Later, with other permissions and another mask: none of it may show.
            let later = [timeval(tv_sec: 1_800_000_000, tv_usec: 0), timeval(tv_sec: 1_800_000_000, tv_usec: 0)]
            utimes(folder.file("built/registrar"), later)
            chmod(folder.file("built/registrar"), 0o775)
            let second = try await pack(folder, to: "second", mask: "007")
            #expect(second.code, "\(second.output)")
            let names = listing(folder.file("first"))
            #expect(names.count == 5)
            #expect(names == listing(folder.file("second")))
            for name in names {
                #expect(contents(folder.file("first/\(name)")) == contents(folder.file("second/\(name)")), "\(name)")
            }

            let found = try Artefact(path: folder.file("first/\(Self.archive)")).unpack(into: folder.file("release"))
            let manifest = found.manifest
            #expect(manifest.name == "registrar")
            #expect(manifest.release == "0.1.0-test")
            #expect(manifest.created == "2023-11-14T22:13:20Z")
            #expect(manifest.systemPackages == ["libc6"])
            #expect(manifest.command == ["bin/registrar"])
            #expect(manifest.files.map(\.path) == ["LICENSE", "NOTICE", "bin/registrar", "sbom.cdx.json"])
            #expect(try Artefact(path: folder.file("first/oakum-0.1.0-linux-x86_64.tar.gz")).check().files > 20)

            // The debugger finds its half by the build id.
            let id = try #require(manifest.buildIDs["bin/registrar"])
            try await run(
                "/bin/tar", "-C", folder.path, "-xzf", folder.file("first/registrar-0.1.0-linux-x86_64-debug.tar.gz"))
            let debug = contents(folder.file(".build-id/\(id.prefix(2))/\(id.dropFirst(2)).debug"))
            #expect(debug?.starts(with: [0x7F, 0x45, 0x4C, 0x46]) == true)

            let bill = try JSONSerialization.jsonObject(
                with: Data(try #require(contents(folder.file("release/sbom.cdx.json")))))
            let components = try #require((bill as? [String: Any])?["components"] as? [[String: Any]])
            let named = components.compactMap { $0["purl"] as? String }
            #expect(named.contains("pkg:swift/github.com/apple/swift-nio@2.101.2"))
            #expect(named.contains { $0.hasPrefix("pkg:deb/debian/libc6") })
            #expect(components.contains { $0["name"] as? String == "bin/registrar" && $0["type"] as? String == "file" })
        }
    }

    @Test func `a library nobody knows the package of is no release`() async throws {
        try await withTemporaryFolder { folder in
            try lay(in: folder)
            // GNU tar needs a library that Oakum does not.
            try put(try #require(contents("/bin/tar")), folder.file("built/oakum"), mode: 0o755)
            let packed = try await pack(folder, to: "out")
            #expect(!packed.code)
            #expect(packed.output.contains("does not know which package has it"))
            #expect(listing(folder.file("out")) == [])
        }
    }
}
