import Foundation
import Notify
import OakumModel
import OakumTestKit
import Outbound
import Testing

@Suite(.timeLimit(.minutes(5))) struct LocalChannelTests {
    private func notifier(
        _ path: String, _ format: FileSettings.Format = .json, limitBytes: Int64 = 64 << 20
    ) throws -> Notifier {
        try Samples.notifier(
            ChannelSettings(name: "main", kind: .file(FileSettings(path: path, format: format, limitBytes: limitBytes)))
        )
    }

    @Test func `each page is one line of JSON with everything in it`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("pages")
            let notifier = try notifier(path)
            let points = Recorder<String>()
            let progress = SendProgress(
                onConnected: { points.record("open") }, onSent: { points.record("written") },
                onResponse: { points.record("synced") })
            #expect(
                await notifier.send(Samples.page(), progress: progress) == .delivered(receipt: "written to \(path)"))
            _ = await notifier.send(Samples.page(id: "pg_0002"))
            #expect(points.values == ["open", "written", "synced"])
            let lines = try readText(path).split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count == 3 && lines[2].isEmpty)
            let ids = try lines.dropLast().map { try object(Array($0.utf8))["data"] as? [String: Any] }.map {
                $0?["id"] as? String
            }
            #expect(ids == ["pg_0001", "pg_0002"])
            for content in Samples.contents { #expect(lines[0].contains(content), "\(content)") }
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func `the text form is for readers`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("pages")
            _ = await (try notifier(path, .text)).send(Samples.page())
            let text = try readText(path)
            #expect(
                text.hasPrefix(
                    "2026-11-21T10:00:00Z CRITICAL opened: registrar: memory leak in VerificationContext.init\n    "))
            #expect(text.hasSuffix("\n\n"))
            for content in Samples.contents { #expect(text.contains(content), "\(content)") }
        }
    }

    @Test func `a line that a crash cut short spoils itself alone`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("pages")
            try writeText("{\"type\":\"incid", path)
            _ = await (try notifier(path)).send(Samples.page())
            let lines = try readText(path).split(separator: "\n")
            #expect(lines.count == 2)
            _ = try object(Array(lines[1].utf8))
        }
    }

    @Test func `many at once are all whole`() async throws {
        try await withTemporaryFolder { folder in
            let notifier = try notifier(folder.file("pages"))
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<40 { group.addTask { _ = await notifier.send(Samples.page(id: "pg_\(number)")) } }
            }
            let lines = try readText(folder.file("pages")).split(separator: "\n")
            let ids = try lines.map { (try object(Array($0.utf8))["data"] as? [String: Any])?["id"] as? String }
            #expect(Set(ids) == Set((0..<40).map { "pg_\($0)" }))
            #expect(lines.count == 40)
        }
    }

    @Test func `a full file makes room, and the former one stays`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("pages")
            let notifier = try notifier(path, limitBytes: 0)
            try writeText(String(repeating: "x", count: 65_000) + "\n", path)
            _ = await notifier.send(Samples.page())
            #expect(try readText(path).split(separator: "\n").count == 1)
            #expect(try readText("\(path).1").count == 65_001)
        }
    }

    @Test func `what cannot be written is told and tried again`() async throws {
        try await withTemporaryFolder { folder in
            guard case .again(nil, let missing) = await (try notifier(folder.file("none/pages"))).send(Samples.page())
            else {
                Issue.record("a missing folder")
                return
            }
            #expect(missing.contains("none/pages cannot be opened: No such file or directory"))
            guard case .again(nil, let folderWords) = await (try notifier(folder.path)).send(Samples.page()) else {
                Issue.record("a folder")
                return
            }
            #expect(folderWords.contains(folder.path))
            mkfifo(folder.file("pipe"), 0o600)
            guard case .again(nil, let pipe) = await (try notifier(folder.file("pipe"))).send(Samples.page()) else {
                Issue.record("a pipe")
                return
            }
            #expect(pipe.contains("is no file"))
        }
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"))
    func `a full disk loses nothing that was there, and later pages are whole`() async throws {
        try await withSmallDisk(kibibytes: 256) { disk in
            let notifier = try notifier(disk.file("pages"))
            _ = await notifier.send(Samples.page())
            try disk.fill()
            var page = Samples.page(id: "pg_0002")
            // Longer than what is left of the file's last block.
            page.lines = (0..<10).map { _ in String(repeating: "x", count: 1500) }
            guard case .again(nil, let words) = await notifier.send(page) else {
                Issue.record("written to a full disk")
                return
            }
            #expect(words.contains("cannot be written: No space left on device"), "\(words)")
            disk.makeRoom()
            _ = await notifier.send(page)
            let lines = try readText(disk.file("pages")).split(separator: "\n")
            let ids = try lines.map { (try object(Array($0.utf8))["data"] as? [String: Any])?["id"] as? String }
            #expect(ids == ["pg_0001", "pg_0002"])
        }
    }

    @Test func `the console gets readable lines and no way to steer a terminal`() async throws {
        let written = Recorder<String>()
        let notifier = try Samples.notifier(ChannelSettings(name: "main", kind: .console)) { written.record($0) }
        var page = Samples.page()
        page.lines.append("red \u{1B}[31malert\u{7}\u{202E}\r\nnext")
        #expect(await notifier.send(page) == .delivered(receipt: "written"))
        let text = try #require(written.values.first)
        #expect(written.values.count == 1)
        #expect(!text.contains("\u{1B}") && !text.contains("\u{7}") && !text.contains("\u{202E}"))
        #expect(text.contains("red  [31malert    next"))
        for content in Samples.contents { #expect(text.contains(content), "\(content)") }
        #expect(!text.hasSuffix("\n"))
    }
}
