@testable import Artefacts
import CLinux
import Glibc
import OakumTestKit
import Testing

/// Archives that mean harm. Each of them is a good release with one thing more, which the manifest lists where it can.
@Suite(.timeLimit(.minutes(1)))
struct HostileArchiveTests {
    private let release = TestRelease()

    private func kind(adding items: TarBytes.Item..., limits: ArtefactLimits = ArtefactLimits()) async throws
        -> ArtefactError.Kind?
    {
        var tar = release.tar
        tar.items += items
        return try await refusal(of: tar.packed, limits: limits)?.kind
    }

    @Test func `what the others are compared with is taken`() async throws {
        #expect(try await refusal(of: release.tar.packed) == nil)
    }

    @Test(arguments: [
        "../evil", "a/../../evil", "a/..", "..", "/tmp/oakum-evil", "//evil", "./../evil", "bin/../../../evil", "a\nb",
        "a\u{1B}[2J",
        "a\u{7F}", "gpj.\u{202E}exe", "a\u{85}b",
    ])
    func `a name that leaves the folder or a line is refused`(name: String) async throws {
        #expect(try await kind(adding: .file(name, [1])) == .unsafeName)
        #expect(try await kind(adding: .init(name, "5")) == .unsafeName)
        #expect(try await kind(adding: .pax([("path", name)]), .file("plain", [1])) == .unsafeName)
        var long = TarBytes.Item("././@LongLink", "L")
        long.data = Array(name.utf8) + [0]
        #expect(try await kind(adding: long, .file("plain", [1])) == .unsafeName)
        var listed = release
        listed.files.append(.init(path: name, data: [1]))
        #expect(try await refusal(of: listed.tar.packed)?.kind == .unsafeName)
    }

    @Test func `names that are not UTF-8, hold a zero byte or are too long are refused`() async throws {
        var item = TarBytes.Item.file("x", [1])
        item.name = [0xC3, 0x28]
        #expect(try await kind(adding: item) == .unsafeName)
        item.name = [0xED, 0xA0, 0x80]  // half of a surrogate pair
        #expect(try await kind(adding: item) == .unsafeName)
        #expect(try await kind(adding: .pax([("path", "a\u{0}b")]), .file("x", [1])) == .unsafeName)
        #expect(try await kind(adding: .pax([("path", "")]), .file("x", [1])) == .unsafeName)
        #expect(try await kind(adding: .file("", [1])) == .unsafeName)
        let long = String(repeating: "n", count: 256)
        #expect(try await kind(adding: .pax([("path", long)]), .file("x", [1])) == .unsafeName)
        let deep = String(repeating: "d/", count: 33) + "x"
        #expect(try await kind(adding: .pax([("path", deep)]), .file("x", [1])) == .unsafeName)
        let endless = String(repeating: "directory/", count: 200)
        #expect(try await kind(adding: .pax([("path", endless)]), .file("x", [1])) == .unsafeName)
    }

    @Test(arguments: ["/etc/passwd", "..", "../..", "bin/..", "share/../../x", "a/../b", "", "x\ny"])
    func `a symbolic link that may leave the folder is refused`(target: String) async throws {
        let error = try await kind(adding: .init("evil", "2", link: target))
        #expect(error == (["", "x\ny"].contains(target) ? .unsafeName : .unsafeLink))
        var listed = release
        listed.links = [("evil", target)]
        #expect(try await refusal(of: listed.tar.packed) != nil)
    }

    @Test func `nothing is written through a link`() async throws {
        // Inside the folder, so the link itself may be; the file below it may not.
        let items = [TarBytes.Item("docs", "2", link: "share"), .file("docs/evil", [1])]
        var listed = release
        listed.links = [("docs", "share")]
        #expect(try await refusal(of: listed.tar.packed) == nil)
        #expect(try await refusal(of: listed.packed(adding: items[1]))?.kind == .unsafeLink)
        // Over it: the same name twice.
        #expect(try await refusal(of: listed.packed(adding: .file("docs", [1])))?.kind == .duplicate)
        #expect(try await refusal(of: listed.packed(adding: .init("docs", "5")))?.kind == .duplicate)
    }

    @Test func `a chain of links that climbs out is refused`() async throws {
        // Each `..` is inside by its spelling; together they would lead out.
        var listed = release
        listed.links = [("share/up", ".."), ("evil", "share/up/../secret")]
        #expect(try await refusal(of: listed.tar.packed)?.kind == .unsafeLink)
    }

    @Test(arguments: ["/etc/passwd", "../evil", "nowhere", "bin", "docs", "."])
    func `a hard link goes to a file unpacked before, and nowhere else`(target: String) async throws {
        var listed = release
        listed.links = [("docs", "share")]
        let error = try await refusal(of: listed.packed(adding: .init("evil", "1", link: target)))
        #expect([.unsafeLink, .unsafeName].contains(error?.kind))
    }

    @Test(arguments: ["3", "4", "6", "7", "S", "V", "M", "D", "A", "Z"] as [Character])
    func `devices, pipes and whatever else is no file are refused`(flag: Character) async throws {
        #expect(try await kind(adding: .init("evil", flag)) == .unsafeKind)
    }

    @Test func `a sparse file is refused`() async throws {
        let sparse = TarBytes.Item.pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")])
        #expect(try await kind(adding: sparse, .file("x", [1])) == .unsafeKind)
    }

    @Test(arguments: [0o4755, 0o2755, 0o6755])
    func `setuid and setgid files are refused`(mode: Int) async throws {
        #expect(try await kind(adding: .file("evil", [1], mode: mode)) == .setuid)
    }

    @Test func `one name is one thing`() async throws {
        #expect(try await kind(adding: .file("bin/web", [1])) == .duplicate)
        #expect(try await kind(adding: .file("./bin//web", [1])) == .duplicate)
        #expect(try await kind(adding: .init("bin/web", "5")) == .duplicate)
        #expect(try await kind(adding: .file("bin/web/below", [1])) == .duplicate)
        #expect(try await kind(adding: .init("new", "5"), .init("new/", "5")) == .duplicate)
        #expect(try await kind(adding: .file("bin", [1])) == .duplicate)
        #expect(try await kind(adding: .file("manifest.json", [1])) == .duplicate)
        // Made because of what is in it, then listed: one folder all the same.
        #expect(try await kind(adding: .init("bin", "5"), .init("./", "5")) == nil)
        #expect(try await kind(adding: .file(".", [1])) == .unsafeName)
        #expect(try await kind(adding: .file("folder/", [1])) == .unsafeName)
    }

    @Test func `a bomb is stopped while it unpacks`() async throws {
        var limits = ArtefactLimits()
        limits.ratioFromBytes = 1 << 20
        var bomb = release
        bomb.files.append(.init(path: "zeros", data: [UInt8](repeating: 0, count: 4 << 20)))
        #expect(try await refusal(of: bomb.tar.packed, limits: limits)?.kind == .tooDense)
        var end = release.tar
        end.end = [UInt8](repeating: 0, count: 4 << 20)
        #expect(try await refusal(of: end.packed, limits: limits)?.kind == .tooDense)
    }

    @Test func `too many entries, too large a file, too much in all are refused`() async throws {
        var limits = ArtefactLimits()
        limits.entries = 6
        #expect(try await refusal(of: release.tar.packed, limits: limits) == nil)
        #expect(try await kind(adding: .init("a", "5"), limits: limits) == .tooManyEntries)
        #expect(try await kind(adding: .init("a/b/c", "5"), limits: limits) == .tooManyEntries)
        limits = ArtefactLimits()
        limits.fileBytes = 1000
        limits.manifestBytes = 4000
        #expect(try await kind(adding: .file("large", [UInt8](repeating: 1, count: 1001)), limits: limits) == .tooLarge)
        var lying = TarBytes.Item("large")
        lying.size = 0o77777777777
        #expect(try await kind(adding: lying) == .tooLarge)
        limits = ArtefactLimits()
        limits.totalBytes = 3000
        #expect(try await kind(adding: .file("large", [UInt8](repeating: 1, count: 3000)), limits: limits) == .tooLarge)
        limits = ArtefactLimits()
        limits.manifestBytes = 100
        #expect(try await refusal(of: release.tar.packed, limits: limits)?.kind == .tooLarge)
        limits = ArtefactLimits()
        limits.entries = 10
        let globals = [TarBytes.Item](repeating: .pax([("comment", "again")], flag: "g"), count: 50)
        var tar = release.tar
        tar.items += globals
        #expect(try await refusal(of: tar.packed, limits: limits)?.kind == .tooManyEntries)
        #expect(try await kind(adding: .pax([("comment", String(repeating: "c", count: 70_000))])) == .tooLarge)
    }

    @Test func `what two programs would read differently is refused`() async throws {
        let long = { (name: String) in
            var item = TarBytes.Item("././@LongLink", "L")
            item.data = Array(name.utf8) + [0]
            return item
        }
        let file = TarBytes.Item.file("x", [1])
        #expect(try await kind(adding: long("a"), .pax([("path", "b")]), file) == .damaged)
        #expect(try await kind(adding: long("a"), long("b"), file) == .damaged)
        #expect(try await kind(adding: .pax([("path", "a")]), .pax([("path", "b")]), file) == .damaged)
        #expect(try await kind(adding: .pax([("path", "a"), ("path", "b")]), file) == .damaged)
        #expect(try await kind(adding: .pax([("path", "a")], flag: "g"), file) == .damaged)
        #expect(try await kind(adding: .pax([("size", "0")]), file) == .damaged)
        #expect(try await kind(adding: .pax([("size", "512")]), file) == .damaged)
        #expect(try await kind(adding: .pax([("size", "-1")]), file) == .damaged)
        #expect(try await kind(adding: .pax([("path", "b")])) == .damaged)
        var old = file
        old.magic = [UInt8](repeating: 0, count: 8)
        #expect(try await kind(adding: old) == .notAnArtefact)
        var loaded = TarBytes.Item("share/dir", "5")
        loaded.data = [1]
        #expect(try await kind(adding: loaded) == .damaged)
        var tail = release.tar
        tail.end += TarBytes.Item.file("hidden", [1]).bytes
        #expect(try await refusal(of: tail.packed)?.kind == .damaged)
        var lone = release.tar
        lone.end = [UInt8](repeating: 0, count: 512) + TarBytes.Item.file("hidden", [1]).bytes + lone.end
        #expect(try await refusal(of: lone.packed)?.kind == .damaged)
        let two = release.tar.packed + release.tar.packed
        #expect(try await refusal(of: two)?.kind == .damaged)
        #expect(try await refusal(of: release.tar.bytes)?.kind == .notAnArtefact)
        #expect(try await refusal(of: [])?.kind == .notAnArtefact)
    }

    @Test func `a link put in the way while it is unpacked is not followed`() async throws {
        try await withTemporaryFolder { folder in
            mkdir(folder.file("outside"), 0o755)
            let writer = try FolderWriter(path: folder.file("new"))
            try writer.makeFolder(EntryPath("bin"))
            let staging = folder.file(".new.unpacking")
            rmdir("\(staging)/bin")
            symlink(folder.file("outside"), "\(staging)/bin")
            #expect(throws: ArtefactError.self) { try writer.begin(EntryPath("bin/evil"), mode: 0o644) }
            #expect(throws: ArtefactError.self) { try writer.makeFolder(EntryPath("bin/evil")) }
            #expect(throws: ArtefactError.self) { try writer.makeLink(EntryPath("bin/evil"), to: "x") }
            #expect(listing(folder.file("outside")) == [])
        }
    }

    @Test func `both ways of opening below a folder refuse what leaves it`() async throws {
        try await withTemporaryFolder { folder in
            mkdir(folder.file("in"), 0o755)
            mkdir(folder.file("in/deep"), 0o755)
            try put([7], folder.file("in/deep/file"))
            try put([8], folder.file("outside"))
            symlink("deep", folder.file("in/inside"))
            symlink("../outside", folder.file("in/out"))
            symlink("file", folder.file("in/deep/link"))
            let number = open(folder.file("in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            defer { close(number) }
            for way in [linux_open_beneath, linux_open_walking] {
                func result(_ path: String) -> Int32 {
                    let opened = way(number, path, O_RDONLY, 0)
                    if opened >= 0 { close(opened) }
                    return min(opened, 0)
                }
                #expect(result("deep/file") == 0)
                #expect(result("deep/./file") == 0)
                #expect(result("../outside") == -EXDEV)
                #expect(result("deep/../../outside") == -EXDEV)
                #expect(result(folder.file("outside")) == -EXDEV)
                #expect(result("out") == -ELOOP)
                #expect(result("inside/file") == -ELOOP)
                #expect(result("deep/link") == -ELOOP)
                #expect(result("deep/file/x") == -ENOTDIR)
                #expect(result("nothing/x") == -ENOENT)
            }
        }
    }
}
