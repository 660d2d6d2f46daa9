import Foundation
import OakumAPI
import OakumModel
import OakumTestKit
import Outbound
import Testing

/// `oakum heap` and `oakum why` on the registration service with incident A's fault.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct HeapCommandTests {
    /// A leaking service of one worker whose every large block is sampled, after 120 sign-ups.
    private func withLeak(_ body: (OakumUnderTest, _ pid: Int32) async throws -> Void) async throws {
        var configuration = TestConfiguration()
        configuration.program = "registrar-drill"
        configuration.arguments += ["--fault", "verification-context"]
        configuration.workers = 1
        configuration.heap = "{sampler: true, sample_every: 16KiB}"
        try await withOakum(configuration) { oakum in
            let pid = try #require(try await oakum.allServing(1).first?.process?.pid)
            for number in 0..<120 {
                #expect(try await request("POST", oakum.service + "/v1/signup", json: signUp(number)).status == 202)
            }
            try await body(oakum, pid)
        }
    }

    @Test(.disabled(if: Sanitizer.isOn, "the sampler and a sanitizer both take the place of malloc"))
    func `the place of a leak, its type and its holders are named from outside`() async throws {
        try await withLeak { oakum, pid in
            let table = try await run("oakum", ["heap", "registrar", "--state", oakum.state])
            #expect(table.code == 0, "\(table.output)")
            let first = try #require(
                table.output.split(separator: "\n").first { $0.contains("MiB") && $0.contains("%") })
            #expect(first.contains("[UInt8]"), "\(table.output)")
            let json = try await run("oakum", ["heap", "\(pid)", "--json", "--rows", "1"])
            #expect(json.output.contains("VerificationContext.init"), "\(json.output)")
            // 120 blocks of 64 KiB and their heads.
            let why = try await run(
                "oakum", ["why", "registrar/1", "VerificationContext.init", "--state", oakum.state])
            #expect(why.code == 0, "\(why.output)")
            for part in ["[UInt8]", "VerificationContext.renderedMail", "static VerificationContextStore.shared"] {
                #expect(why.output.contains(part), "\(why.output)")
            }
            #expect(!why.output.contains("@example.com"), "a value of the program's memory is shown")
        }
    }

    @Test(.disabled(if: Sanitizer.isOn, "the sampler and a sanitizer both take the place of malloc"))
    func `a killed worker leaves its profile, with what was learnt while it lived`() async throws {
        try await withLeak { oakum, pid in
            let file = "\(oakum.state)/heap/registrar-\(pid).heap"
            kill(pid, SIGKILL)
            _ = try await oakum.event("the death") { $0.kind == .workerExited && $0.process?.pid == pid }
            let folded = oakum.folder.file("folded")
            let pprof = oakum.folder.file("heap.pb")
            let dead = try await run("oakum", ["heap", file, "--folded", folded, "--pprof", pprof, "--json"])
            #expect(dead.code == 0, "\(dead.output)")
            #expect(dead.output.contains("VerificationContext.init"), "\(dead.output)")
            #expect(try String(contentsOfFile: folded, encoding: .utf8).contains("VerificationContext.init"))
            #expect(try Data(contentsOf: URL(filePath: pprof)).count > 1_000)
            let why = try await run("oakum", ["why", file])
            #expect(why.code == 0, "\(why.output)")
        }
    }

    @Test func `what cannot be looked at is told with what to do`() async throws {
        try await withTemporaryFolder { folder in
            let garbage = folder.file("x.heap")
            try Data(repeating: 7, count: 10_000).write(to: URL(filePath: garbage))
            for (target, hint) in [
                (garbage, "not a heap file"), (folder.file("none.heap"), "none.heap"), ("\(getpid())", "LD_PRELOAD"),
                ("999999999", "no process"), ("nobody", "does not run"),
            ] {
                for command in ["heap", "why"] {
                    let result = try await run("oakum", [command, target, "--state", folder.path])
                    #expect(result.code == 2 || result.code == 3, "\(target): \(result.output)")
                    #expect(result.output.contains(hint), "\(target): \(result.output)")
                }
            }
        }
    }
}
