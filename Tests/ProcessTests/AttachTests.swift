import Foundation
import OakumTestKit
import Spawning
import Testing

/// `oakum attach` on processes that know nothing of Oakum.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct AttachTests {
    /// Both at once: it takes half a minute to see a leak.
    @Test func `leaks are told, with what grew or with their name`() async throws {
        async let plain: Void = aLeakIsToldWithWhatGrew()
        async let sampled: Void = aLeakInAChildIsNamed()
        _ = try await (plain, sampled)
    }

    private func aLeakIsToldWithWhatGrew() async throws {
        // 20 times a second 100 kB that stay; a child comes and goes meanwhile.
        let program = """
            BEGIN {
                text = "x"; while (length(text) < 100000) text = text text
                while (1) { kept[n++] = text n; system("sleep 0.05") }
            }
            """
        try await withProcess("/usr/bin/awk", [program]) { process in
            let attach = try await run(
                "oakum", ["attach", "\(process.pid)", "--for", "3min", "--limit", "150MiB"], within: .seconds(200))
            #expect(attach.code == 2, "\(attach.output)")
            #expect(attach.output.contains("leak: "), "\(attach.output)")
            #expect(attach.output.contains(" grew by "), "\(attach.output)")
            #expect(attach.output.contains("runs without the sampler"), "\(attach.output)")
            #expect(process.exitNow() == nil)
        }
    }

    @Test func `a process that does nothing, ends, or is not there`() async throws {
        try await withProcess("/bin/sleep", ["600"]) { process in
            let short = try await run("oakum", ["attach", "\(process.pid)", "--for", "1s", "--json"])
            #expect(short.code == 3, "\(short.output)")
            #expect(short.output.contains("\"not_enough_data\""), "\(short.output)")
        }
        try await withProcess("/bin/sleep", ["2"]) { process in
            let ended = try await run("oakum", ["attach", "\(process.pid)"])
            #expect(ended.code == 4, "\(ended.output)")
        }
        let missing = try await run("oakum", ["attach", "999999999"])
        #expect(missing.code == 2)
        #expect(missing.output.contains("there is no process"))
    }

    private func aLeakInAChildIsNamed() async throws {
        // The sampler and a sanitizer both take the place of malloc; this program has neither otherwise.
        try await withTemporaryFolder { folder in
            let sampler = folder.file("liboakumheap.so")
            let build = try await LeakingChild.build(into: folder.path)
            #expect(build == .code(0))
            let command =
                "LD_PRELOAD=\(sampler) OAKUM_HEAP_FILE=\(folder.file("%p.heap")) \(folder.file("child")) & wait"
            try await withProcess("/bin/sh", ["-c", command]) { process in
                let attach = try await run(
                    "oakum", ["attach", "\(process.pid)", "--for", "3min", "--limit", "150MiB", "--json"],
                    within: .seconds(200))
                #expect(attach.code == 2, "\(attach.output)")
                #expect(attach.output.contains("keep_for_ever"), "\(attach.output)")
                #expect(!attach.output.contains("are not seen"), "\(attach.output)")
            }
        }
    }

    @Test func `what may not be seen is told at the start, with the right that is missing`() async throws {
        try await withProcess("/bin/sleep", ["600"]) { process in
            let plain = try await run("oakum", ["attach", "\(process.pid)", "--for", "1s"])
            #expect(plain.output.contains("runs without the sampler"), "\(plain.output)")
            #expect(!plain.output.contains("mapping is not seen"), "\(plain.output)")
        }
        // The first process of the machine is root's; root itself may see it all.
        guard getuid() != 0 else { return }
        let foreign = try await run("oakum", ["attach", "1", "--for", "1s"])
        #expect(foreign.output.contains("it runs as user 0, oakum as user \(getuid())"), "\(foreign.output)")
    }
}

/// A program in C that keeps 100 kB every 50 ms, in a function that its profile must name.
private enum LeakingChild {
    private static let source = """
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        void *volatile last;
        __attribute__((noinline)) void keep_for_ever(void) { last = memset(malloc(100000), 1, 100000); __asm__(""); }
        int main(void) { for (;;) { keep_for_ever(); usleep(50000); } }
        """

    /// Builds it and the sampler into a folder.
    static func build(into folder: String) async throws -> SpawnedProcess.Exit {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        try source.write(toFile: "\(folder)/child.c", atomically: true, encoding: .utf8)
        let script = """
            swift=$(readlink -f "$(command -v swift)")
            "${swift%/*}/clang" -O1 -g -fno-omit-frame-pointer child.c -o child && "\(root)/scripts/sampler" "$PWD"
            """
        return try await withProcess("/bin/sh", ["-c", "cd \(folder) && { \(script); }"]) { process in
            try await process.waitForExit(within: .seconds(120))
        }
    }
}
