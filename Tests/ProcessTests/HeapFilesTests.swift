import Foundation
import OakumApp
import OakumModel
import OakumTestKit
import Testing

/// Heap files of dead workers are evidence, but not for ever.
struct HeapFilesTests {
    @Test func `of the dead the newest files stay, with what was kept beside them; the living keep theirs`()
        async throws
    {
        try await withTemporaryFolder { folder in
            // Pids beyond the kernel's limit are nobody's.
            let dead = (0..<20).map { "web-\(900_000_000 + $0).heap" }
            let others = ["web-\(getpid()).heap", "other-900000000.heap", "web-notes.heap"]
            for (age, name) in dead.enumerated() {
                for suffix in ["", ".types", ".evidence"] {
                    try Data("x".utf8).write(to: URL(filePath: folder.file(name + suffix)))
                }
                let written = Date(timeIntervalSinceNow: -1_000 * Double(age + 1))
                try FileManager.default.setAttributes([.modificationDate: written], ofItemAtPath: folder.file(name))
            }
            for name in others { try Data("x".utf8).write(to: URL(filePath: folder.file(name))) }
            HeapFiles(folder: folder.path, service: "web").prune(now: Uptime(seconds: 10_000))
            let left = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
            let kept = dead.prefix(HeapFiles.keptOfTheDead)
            #expect(left == Set(kept.flatMap { [$0, $0 + ".types", $0 + ".evidence"] } + others))
            HeapFiles(folder: folder.file("none"), service: "web").prune(now: Uptime(seconds: 10_000))
        }
    }
}
