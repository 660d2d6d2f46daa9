import CacheTraces
import Foundation
import OakumTestKit
import Testing

@Suite(.timeLimit(.minutes(2)))
struct TraceFileTests {
    @Test func `every family is found below a folder and read, compressed or not`() throws {
        let folder = TraceFolder(path: try traces("made"))
        #expect(folder.problems == [])
        #expect(folder.unknown == [])
        #expect(Set(folder.traces.map(\.format)) == Set(TraceFormat.allCases))
        let expected: [TraceFormat: [TraceAccess]] = [
            .arc: [10, 11, 12, 7].map { TraceAccess(key: $0) },
            .lirs: [5, 9, 5].map { TraceAccess(key: $0) },
            .cache2k: [1, 0xFFFF_FFFE, 300].map { TraceAccess(key: $0) },
            .corda: [7, 1 << 40].map { TraceAccess(key: $0) },
            .scarab: [7, 1 << 40].map { TraceAccess(key: $0) },
            .cloudPhysics: [7, 1 << 20].map { TraceAccess(key: $0) },
            .adaptSize: [
                TraceAccess(key: 100, weight: 4_096), TraceAccess(key: 200, weight: 1),
                TraceAccess(key: 100, weight: 4_096),
            ],
            .libCacheSim: [TraceAccess(key: 42, weight: 512), TraceAccess(key: 43, weight: 4_096)],
        ]
        for trace in folder.traces {
            var found: [TraceAccess] = []
            try trace.forEach { found.append($0) }
            #expect(found == expected[trace.format], "\(trace.path)")
        }
    }

    @Test func `the nearest folder that names a format decides, and notes are no traces`() throws {
        try withFolder { root in
            try write("1\n", to: root + "/lirs/deep/one.trace")
            try write("1 1 0 0\n", to: root + "/lirs/ARC/two.lis")
            try write("a licence", to: root + "/lirs/LICENSE.txt")
            try write("notes", to: root + "/lirs/notes.md")
            try write("?", to: root + "/elsewhere/three.trace")
            let folder = TraceFolder(path: root)
            #expect(folder.traces.map(\.name) == ["two", "one"])
            #expect(folder.traces.map(\.format) == [.arc, .lirs])
            #expect(folder.unknown.map { $0.hasSuffix("three.trace") } == [true])
            #expect(TraceFolder(path: root + "/lirs").traces.count == 2)
            #expect(TraceFolder(path: root + "/nowhere").problems.count == 1)
        }
    }

    @Test func `a compressed file without its ending is recognised`() throws {
        try withFolder { root in
            let marks = TraceFile(path: try traces("made/lirs/marks.trace.gz"), format: .lirs)
            let copy = root + "/marks"
            try FileManager.default.copyItem(atPath: marks.path, toPath: copy)
            var found: [UInt64] = []
            try TraceFile(path: copy, format: .lirs).forEach { found.append($0.key) }
            #expect(found == [5, 9, 5])
        }
    }

    @Test func `a file that is cut off or damaged is an error that names it`() throws {
        try withFolder { root in
            let whole = try Data(contentsOf: URL(fileURLWithPath: try traces("public/lirs/multi1.trace.gz")))
            let path = root + "/cut.trace.gz"
            try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
            let cut = #expect(throws: TraceError.self) { try TraceFile(path: path, format: .lirs).forEach { _ in } }
            #expect(cut?.description.hasPrefix(path) == true)
            // Other content than the format says, while the child still writes.
            let wrong = #expect(throws: TraceError.self) {
                try TraceFile(path: traces("public/lirs/multi1.trace.gz"), format: .arc).forEach { _ in }
            }
            #expect(wrong?.description.contains("line 1") == true)
            #expect(throws: TraceError.self) {
                try TraceFile(path: root + "/nothing", format: .lirs).forEach { _ in }
            }
        }
    }

    // MARK: - Pieces

    private func withFolder(_ body: (String) throws -> Void) throws {
        let root = NSTemporaryDirectory() + "/oakum-traces-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer {
            // What is left in the temporary folder harms nobody.
            try? FileManager.default.removeItem(atPath: root)
        }
        try body(root)
    }

    private func write(_ text: String, to path: String) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }
}

/// A folder or file below `Traces`.
func traces(_ path: String) throws -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Traces/\(path)").path
}
