import EngineTestKit
import Foundation
import LinuxHost
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// What everything that reads logs promises; runs on the fake that the engine's tests use as well.
enum LogLinesKind: CaseIterable, CustomTestStringConvertible {
    case inMemory
    case files

    var testDescription: String { "\(self)" }

    /// - Parameter body: gets what writes a worker's log beside what reads it.
    func run(_ body: (any LogLines, ([UInt8], WorkerID) throws -> Void) async throws -> Void) async throws {
        switch self {
        case .inMemory:
            let lines = InMemoryLogLines()
            try await body(lines) { lines.write($0, of: $1) }
        case .files:
            try await withTemporaryFolder { folder in
                try await body(LogTail(folder: folder.path)) { bytes, worker in
                    let path = folder.file("\(worker.service)-\(worker.number).log")
                    if !FileManager.default.fileExists(atPath: path) {
                        #expect(FileManager.default.createFile(atPath: path, contents: nil))
                    }
                    let handle = try #require(FileHandle(forWritingAtPath: path))
                    defer { handle.closeFile() }
                    handle.seekToEndOfFile()
                    handle.write(Data(bytes))
                }
            }
        }
    }
}

@Suite(.timeLimit(.minutes(10))) struct LogLinesContractTests {
    private let one = WorkerID(service: "web", number: 1)
    private let two = WorkerID(service: "web", number: 2)

    private func texts(_ harvest: LogHarvest) -> [String] {
        harvest.chunks.map { "\($0.worker): " + String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test(arguments: LogLinesKind.allCases)
    func `whole lines come once, in the order asked`(kind: LogLinesKind) async throws {
        try await kind.run { lines, write in
            let sources = [LogSource(worker: one, isAdopted: false), LogSource(worker: two, isAdopted: false)]
            #expect(await lines.newLines(of: sources) == LogHarvest())
            try write(Array("a\nb\nunfini".utf8), one)
            try write(Array("c\n".utf8), two)
            #expect(texts(await lines.newLines(of: sources)) == ["web/1: a\nb\n", "web/2: c\n"])
            #expect(texts(await lines.newLines(of: sources)) == [])
            try write(Array("shed\n".utf8), one)
            #expect(texts(await lines.newLines(of: sources)) == ["web/1: unfinished\n"])
        }
    }

    @Test(arguments: LogLinesKind.allCases)
    func `what an adopted worker wrote before the first look is left out`(kind: LogLinesKind) async throws {
        try await kind.run { lines, write in
            try write(Array("earlier\n".utf8), one)
            let sources = [LogSource(worker: one, isAdopted: true)]
            #expect(await lines.newLines(of: sources) == LogHarvest())
            try write(Array("now\n".utf8), one)
            #expect(texts(await lines.newLines(of: sources)) == ["web/1: now\n"])
        }
    }

    @Test(arguments: LogLinesKind.allCases)
    func `of a flood the end is given, whole lines, and what was left out is counted`(kind: LogLinesKind) async throws {
        try await kind.run { lines, write in
            let sources = [LogSource(worker: one, isAdopted: false)]
            let flood = Array((0..<40_000).map { "line \($0)\n" }.joined().utf8)
            try write(flood, one)
            let harvest = await lines.newLines(of: sources)
            let text = try #require(harvest.chunks.first.map { String(decoding: $0.bytes, as: UTF8.self) })
            #expect(text.utf8.count <= LogLimits.ofOneWorker && text.utf8.count > LogLimits.ofOneWorker - 32)
            #expect(text.hasPrefix("line ") && text.hasSuffix("line 39999\n"))
            #expect(harvest.skippedBytes == Int64(flood.count - LogLimits.ofOneWorker))
        }
    }

    @Test(arguments: LogLinesKind.allCases)
    func `long lines are cut, and bytes that are no text go through`(kind: LogLinesKind) async throws {
        try await kind.run { lines, write in
            let sources = [LogSource(worker: one, isAdopted: false)]
            try write([UInt8](repeating: 0x78, count: LogLimits.ofOneLine + 100) + [10, 0, 255, 10, 13, 10, 10], one)
            let bytes = await lines.newLines(of: sources).chunks.flatMap(\.bytes)
            #expect(
                bytes == [UInt8](repeating: 0x78, count: LogLimits.ofOneLine) + [10, 0, 255, 10, 13, 10, 10])
        }
    }

    @Test func `a log that is rolled over goes on, and one that cannot be read gives nothing`() async throws {
        try await withTemporaryFolder { folder in
            let tail = LogTail(folder: folder.path)
            let sources = [LogSource(worker: one, isAdopted: false), LogSource(worker: two, isAdopted: false)]
            let path = folder.file("web-1.log")
            try "before\nhalf a li".write(toFile: path, atomically: false, encoding: .utf8)
            try FileManager.default.createSymbolicLink(
                atPath: folder.file("web-2.log"), withDestinationPath: "/etc/passwd")
            #expect(texts(await tail.newLines(of: sources)) == ["web/1: before\n"])
            let handle = try #require(FileHandle(forWritingAtPath: path))
            defer { handle.closeFile() }
            handle.truncateFile(atOffset: 0)
            handle.write(Data("after\n".utf8))
            #expect(texts(await tail.newLines(of: sources)) == ["web/1: after\n"])
        }
    }

    @Test func `of many that flood each has its turn`() async throws {
        try await withTemporaryFolder { folder in
            let tail = LogTail(folder: folder.path)
            let sources = (1...12).map { LogSource(worker: WorkerID(service: "web", number: $0), isAdopted: false) }
            var heard: Set<WorkerID> = []
            for round in 0..<8 {
                for source in sources {
                    let path = folder.file("web-\(source.worker.number).log")
                    try (0..<4_000).map { "\(round) \($0) some words\n" }.joined()
                        .write(toFile: path, atomically: false, encoding: .utf8)
                }
                let harvest = await tail.newLines(of: sources)
                #expect(harvest.chunks.map(\.bytes.count).reduce(0, +) <= LogLimits.ofAll)
                heard.formUnion(harvest.chunks.map(\.worker))
            }
            #expect(heard.count == 12)
        }
    }
}
