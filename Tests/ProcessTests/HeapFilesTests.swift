import Foundation
import OakumApp
import OakumModel
import OakumTestKit
import Testing

/// Heap files of dead workers are evidence, but not for ever.
struct HeapFilesTests {
    private static let companions = ["", ".types", ".evidence", ".base.61000", ".base.3661000", ".base-new"]

    @Test func `of the dead the newest files stay, with what was kept beside them; the living keep theirs`()
        async throws
    {
        try await withTemporaryFolder { folder in
            // Pids beyond the kernel's limit are nobody's.
            let dead = (0..<20).map { "web-\(900_000_000 + $0).heap" }
            let others = ["web-\(getpid()).heap", "other-900000000.heap", "web-notes.heap"]
            for (age, name) in dead.enumerated() {
                for suffix in Self.companions {
                    try Data("x".utf8).write(to: URL(filePath: folder.file(name + suffix)))
                }
                let written = Date(timeIntervalSinceNow: -1_000 * Double(age + 1))
                try FileManager.default.setAttributes([.modificationDate: written], ofItemAtPath: folder.file(name))
            }
            for name in others { try Data("x".utf8).write(to: URL(filePath: folder.file(name))) }
            HeapFiles(folder: folder.path, service: "web").prune(now: Uptime(seconds: 10_000))
            let left = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
            let kept = dead.prefix(HeapFiles.keptOfTheDead)
            #expect(left == Set(kept.flatMap { name in Self.companions.map { name + $0 } } + others))
            HeapFiles(folder: folder.file("none"), service: "web").prune(now: Uptime(seconds: 10_000))
        }
    }

    @Test func `of the earlier moments of a living heap the newest two stay`() async throws {
        try await withTemporaryFolder { folder in
            let heap = "web-\(getpid()).heap"
            let odd = [".base.", ".base.x", ".base.99999999999999999999", ".base.-5"].map { heap + $0 }
            let moments = [60_000, 3_660_000, 7_260_000, 10_860_000, 999_000_000].map { "\(heap).base.\($0)" }
            for name in [heap] + odd + moments { try Data("x".utf8).write(to: URL(filePath: folder.file(name))) }
            HeapFiles(folder: folder.path, service: "web").prune(now: Uptime(seconds: 10_900))
            let left = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
            #expect(left == Set([heap, moments[2], moments[3]] + odd), "the last is of another boot")
        }
    }
}
