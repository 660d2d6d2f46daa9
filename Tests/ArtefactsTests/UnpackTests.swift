@testable import Artefacts
import Glibc
import OakumTestKit
import Spawning
import Testing

@Suite(.timeLimit(.minutes(1)))
struct UnpackTests {
    @Test func `a release is unpacked as it was packed`() async throws {
        var release = TestRelease()
        release.files.append(.init(path: "etc/empty", data: []))
        release.files.append(.init(path: "share/large", data: [UInt8](repeating: 0x41, count: 200_000)))
        release.files.append(.init(path: "private", data: [1, 2], mode: 0o600))
        release.links = [("share/index.html", "page.html"), ("current", "share"), ("share/program", "../bin/web")]
        try await withTemporaryFolder { folder in
            let (path, new) = (folder.file("web.tar.gz"), folder.file("new"))
            try put(release.tar.packed, path)
            let contents = try Artefact(path: path).unpack(into: new)
            #expect(contents.files == 7)
            #expect(contents.manifest.version == "1.4.2")
            for file in release.files { #expect(ArtefactsTests.contents("\(new)/\(file.path)") == file.data) }
            #expect(
                listing(new) == [
                    "bin/", "bin/web", "current -> share", "etc/", "etc/empty", "manifest.json", "private",
                    "sbom.cdx.json",
                    "share/", "share/index.html -> page.html", "share/large", "share/page.html",
                    "share/program -> ../bin/web",
                ])
            let modes = ["", "/bin", "/bin/web", "/share/page.html", "/private"].map { mode(new + $0) }
            #expect(modes == [0o755, 0o755, 0o755, 0o644, 0o600])
            // A folder is an artefact too: what was unpacked can be checked again, and copied.
            let again = try Artefact(path: new).unpack(into: folder.file("copy"))
            #expect(again.manifest == contents.manifest)
            #expect(listing(folder.file("copy")) == listing(new))
            #expect(throws: ArtefactError.self) { try Artefact(path: path).unpack(into: new) }
        }
    }

    @Test(arguments: ["gnu", "pax", "ustar", "posix"])
    func `archives of GNU tar are read, long names and hard links too`(format: String) async throws {
        let long =
            String(repeating: "long-folder/", count: 9) + String(repeating: "n", count: format == "ustar" ? 90 : 200)
        let name = format == "ustar" ? "plain" : "žluťoučký kůň"
        var release = TestRelease()
        release.files += [
            .init(path: long, data: [1, 2, 3]), .init(path: "share/\(name)", data: Array("horse".utf8)),
            .init(path: "share/twin", data: Array("horse".utf8)),
        ]
        let target = format == "ustar" ? "bin/web" : long
        release.links = [("link", target)]
        try await withTemporaryFolder { folder in
            let tree = folder.file("tree")
            try lay(release, in: tree)
            unlink("\(tree)/share/twin")
            link("\(tree)/share/\(name)", "\(tree)/share/twin")
            symlink(target, "\(tree)/link")
            let archive = folder.file("web.tar.gz")
            try await run(
                "/bin/tar", "--format=\(format)", "-C", tree, "-czf", archive, "manifest.json", "bin", "share", "link",
                "long-folder", "sbom.cdx.json")
            let contents = try Artefact(path: archive).unpack(into: folder.file("new"))
            #expect(contents.files == 7)
            #expect(listing(folder.file("new")) == listing(tree))
            for file in release.files {
                #expect(ArtefactsTests.contents(folder.file("new/\(file.path)")) == file.data)
            }
            // With ./ before every name, and the folder itself as an entry.
            try await run(
                "/bin/tar", "--format=\(format)", "-C", tree, "-czf", archive, "./manifest.json", "./bin", "./share")
            let partial = #expect(throws: ArtefactError.self) { try Artefact(path: archive).check() }
            #expect(partial?.kind == .mismatch)
        }
    }

    @Test func `the manifest is read without the rest`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("web.tar.gz")
            var tar = TestRelease().tar
            tar.end = []
            try put(tar.packed, path)
            #expect(try Artefact(path: path).manifest().release == "1.4.2-abc123")
        }
    }

    @Test func `a folder with something in it that no release has is refused`() async throws {
        try await withTemporaryFolder { folder in
            let tree = folder.file("tree")
            try lay(TestRelease(), in: tree)
            func kind() -> ArtefactError.Kind? {
                do throws(ArtefactError) {
                    _ = try Artefact(path: tree).unpack(into: folder.file("new"))
                    return nil
                } catch { return error.kind }
            }
            mkfifo("\(tree)/pipe", 0o600)
            #expect(kind() == .unsafeKind)
            unlink("\(tree)/pipe")
            symlink("/etc", "\(tree)/etc")
            #expect(kind() == .unsafeLink)
            unlink("\(tree)/etc")
            chmod("\(tree)/bin/web", 0o4755)
            #expect(kind() == .setuid)
            chmod("\(tree)/bin/web", 0o755)
            try put([1], "\(tree)/more")
            #expect(kind() == .mismatch)
            unlink("\(tree)/more")
            #expect(listing(folder.path).allSatisfy { $0.hasPrefix("tree/") })
            #expect(kind() == nil)
        }
    }

    @Test func `where it goes must be new, and its folder must be there`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("web.tar.gz")
            try put(TestRelease().tar.packed, path)
            func kind(_ new: String) -> ArtefactError.Kind? {
                do throws(ArtefactError) {
                    _ = try Artefact(path: path).unpack(into: new)
                    return nil
                } catch { return error.kind }
            }
            symlink("/nowhere", folder.file("link"))
            mkdir(folder.file(".busy.unpacking"), 0o700)
            #expect(kind(folder.file("link")) == .exists)
            #expect(kind(folder.file("busy")) == .exists)
            #expect(kind(folder.file("no/new")) == .unwritable)
            #expect(kind(folder.file("new/..")) == .unwritable)
            #expect(kind("") == .unwritable)
            #expect(listing(folder.path) == [".busy.unpacking/", "link -> /nowhere", "web.tar.gz"])
            #expect(kind(folder.file("new/")) == nil)
        }
    }

    @Test func `what appears in its place meanwhile is not replaced`() async throws {
        try await withTemporaryFolder { folder in
            do {
                let writer = try FolderWriter(path: folder.file("new"))
                try writer.makeFolder(EntryPath("bin"))
                mkdir(folder.file("new"), 0o755)
                let error = #expect(throws: ArtefactError.self) { try writer.finish() }
                #expect(error?.kind == .exists)
            }
            #expect(listing(folder.path) == ["new/"])
        }
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"))
    func `a disk without room is told before anything is written`() async throws {
        var generator = SeededGenerator(seed: 3)
        var release = TestRelease()
        release.files.append(.init(path: "share/large", data: generator.bytes(400_000)))
        try await withTemporaryFolder { folder in
            let path = folder.file("web.tar.gz")
            try put(release.tar.packed, path)
            try await withSmallDisk(kibibytes: 256) { disk in
                let error = #expect(throws: ArtefactError.self) {
                    try Artefact(path: path).unpack(into: disk.file("new"))
                }
                #expect(error?.kind == .diskFull)
                #expect(error?.detail.contains("are needed") == true)
                #expect(listing(disk.path) == [])
            }
        }
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"))
    func `a disk that fills up while unpacking is told, and given back`() async throws {
        try await withSmallDisk(kibibytes: 256) { disk in
            do {
                let writer = try FolderWriter(path: disk.file("new"))
                try writer.makeFolder(EntryPath("share"))
                let file = try writer.begin(EntryPath("share/large"), mode: 0o644)
                try disk.fill()
                let error = #expect(throws: ArtefactError.self) {
                    try withUnsafeBytes(of: (0, 0, 0, 0)) { try file.write($0) }
                }
                #expect(error?.kind == .diskFull)
                #expect(error?.place == "share/large")
            }
            #expect(listing(disk.path) == ["filler"])
        }
    }

    // MARK: - Helpers

    /// Puts a release on the disk as a folder.
    private func lay(_ release: TestRelease, in tree: String) throws {
        mkdir(tree, 0o755)
        for file in release.files {
            var above = tree
            for part in file.path.split(separator: "/").dropLast() {
                above += "/\(part)"
                mkdir(above, 0o755)
            }
            try put(file.data, "\(tree)/\(file.path)", mode: mode_t(file.mode))
        }
        try put(Array(release.manifest.utf8), "\(tree)/manifest.json")
    }
}

/// Runs a program of the system that must succeed.
func run(_ program: String, _ arguments: String...) async throws {
    try await withProcess(program, arguments) { process in
        let exit = try await process.waitForExit(within: .seconds(60))
        guard exit == .code(0) else { throw TestKitError("\(program): \(exit): \(process.output())") }
    }
}
