import Foundation
import HeapProfile
import OakumModel
import OakumTestKit
import Spawning
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
private let canRun = FileManager.default.isExecutableFile(atPath: root + "/scripts/sampler")

/// A file that the sampler itself wrote, in a process that was killed: the reader must agree with the writer about every
/// field, and the statistics with a program whose allocations are known.
@Suite(.serialized, .timeLimit(.minutes(10)), .enabled(if: canRun))
struct RealSamplerTests {
    /// Keeps 4,000 blocks of 1,000 bytes, frees as many of 3,000, and dies by SIGKILL.
    private static let program = """
        #include <stdlib.h>
        #include <signal.h>
        static void *kept[4000];
        __attribute__((noinline)) static void remember(int i) { kept[i] = malloc(1000); }
        __attribute__((noinline)) static void *borrow(int n) { return malloc(n); }
        int main(void) {
            for (int i = 0; i < 4000; i++) {
                remember(i);
                void *volatile block = borrow(3000);
                free(block);
            }
            raise(SIGKILL);
        }
        """

    private func sampled(mode: String) async throws -> HeapImage {
        try await withTemporaryFolder { folder in
            try await run("/bin/sh", ["-c", "cd \(root) && scripts/sampler \(folder.path)"])
            try Self.program.write(toFile: folder.file("leak.c"), atomically: true, encoding: .utf8)
            try await run(
                "/bin/sh",
                [
                    "-c",
                    "$(dirname $(readlink -f $(command -v swift)))/clang -O1 -g -fno-omit-frame-pointer "
                        + "-o \(folder.file("leak")) \(folder.file("leak.c"))",
                ])
            let environment = [
                "LD_PRELOAD": folder.file("liboakumheap.so"), "OAKUM_HEAP_FILE": folder.file("heap"),
                "OAKUM_HEAP_MODE": mode, "OAKUM_HEAP_MEAN_BYTES": "16384",
                "OAKUM_HEAP_RECORDS": "8192",
            ]
            try await withProcess(folder.file("leak"), environment: environment) { process in
                let exit = try await process.waitForExit()
                #expect(exit == .signal(SIGKILL))
            }
            let file = try FileHandle(forReadingFrom: URL(filePath: folder.file("heap")))
            defer { file.closeFile() }
            let fileBytes = Int(file.seekToEndOfFile())
            func read(_ range: Range<Int>) throws -> [UInt8] {
                try file.seek(toOffset: UInt64(range.lowerBound))
                return Array(try #require(try file.read(upToCount: range.count)))
            }
            var bytes = [UInt8](repeating: 0, count: fileBytes)
            for range in try HeapImage.rangesInUse(header: try read(0..<4096), fileBytes: fileBytes) {
                bytes.replaceSubrange(range, with: try read(range))
            }
            return try HeapImage.parse(bytes)
        }
    }

    private func run(_ command: String, _ arguments: [String]) async throws {
        try await withProcess(command, arguments) { process in
            let exit = try await process.waitForExit(within: .seconds(120))
            #expect(exit == .code(0), "\(process.output())")
        }
    }

    @Test func `in exact mode every block is there`() async throws {
        let image = try await sampled(mode: "exact")
        #expect(image.mode == .exact && image.state == .running && image.skipped == SkippedRecords())
        #expect(image.process.executable.hasSuffix("/leak"))
        #expect(image.modules.contains { $0.name == "leak" && !$0.buildID.isEmpty || $0.name == "libc.so.6" })
        let profile = HeapProfile(image)
        let kept = try #require(profile.sites.first)
        #expect(kept.live.samples == 4000 && kept.live.bytes.estimate == 4_000_000)
        #expect(kept.label.hasPrefix("leak+0x") && kept.stacks[0].quality != .missing)
        let borrowed = try #require(profile.sites.first { ($0.survival?.freedSamples ?? 0) >= 4000 })
        #expect(borrowed.verdict.code == .turnsOver)
        // Within the batches of one thread.
        #expect((image.bytesInUse ?? 0) > 4_000_000 - Int64(image.bytesInUseErrorPerThread))
    }

    @Test func `in sampled mode the known truth lies within wide limits`() async throws {
        let image = try await sampled(mode: "sampled")
        #expect(image.mode == .sampled && image.meanBytes == 16384 && image.skipped == SkippedRecords())
        let profile = HeapProfile(image, confidence: 0.9999)
        let kept = try #require(profile.sites.first)
        #expect(kept.live.bytes.low < 4_000_000 && kept.live.bytes.high > 4_000_000)
        #expect(kept.live.samples > 100 && image.counters.samples > 500)
    }
}
