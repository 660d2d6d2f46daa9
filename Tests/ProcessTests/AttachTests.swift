import OakumTestKit
import Spawning
import Testing

/// `oakum attach` on processes that know nothing of Oakum.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(5)))
struct AttachTests {
    @Test func `a process that leaks is told, with what grew, and is left alone`() async throws {
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
}
