import Foundation
import Glibc
import LoadGenerator
import OakumModel
import OakumTestKit
import Spawning
import Synchronization
import Testing

@testable import DrillRunner

/// Drills with real processes: a little leaking fixture as the service, a script as `oakum`.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct DrillRunTests {
    private static let leak: [(EventKind, Verdict?)] = [
        (.verdict, Verdict(code: .leak, onsetSeconds: 0)), (.recycleFinished, nil),
    ]

    /// The good document with the fixture's path, a mark in every process's environment, and some replacements.
    private func document(_ mark: String, _ changes: [(String, String)] = []) throws -> DrillDocument {
        let leaker = try builtExecutable("fixture-leaker")
        var text = goodDocument.replacingOccurrences(of: "[fixture-leaker", with: "[\(leaker)")
            .replacingOccurrences(of: "MODE: test", with: "MARK: \(mark)")
        for (old, new) in changes {
            #expect(text.contains(old), "\(old)")
            text = text.replacingOccurrences(of: old, with: new)
        }
        return try DrillDocumentReader.parse(text)
    }

    private func mark() -> String { UUID().uuidString }

    /// Processes that carry the mark of a drill.
    private func processes(_ mark: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init).filter { pid in
            TextFile.text("/proc/\(pid)/environ")?.contains(mark) ?? false
        }
    }

    @Test func `a whole drill passes when control fails and the rest does not`() async throws {
        try await withTemporaryFolder { folder in
            let fake = try FakeOakum(in: folder, journal: Self.leak)
            let news = Mutex<[DrillNews]>([])
            let mark = mark()
            var document = try document(mark, [("256KiB", "4MiB"), ("timeout: 2s", "timeout: 20s")])
            // Both arms under Oakum get the same journal here, and a repaired build must raise no alarm.
            document.arms.control = 4
            let report = try await DrillRun(
                document, documentPath: folder.file("drill.md"), tools: fake.tools,
                tell: { item in news.withLock { $0.append(item) } }
            ).run()
            #expect(try #require(report.control).restarts >= 1)
            #expect(try #require(report.control).load.failures[.refused] > 0)
            #expect(report.control?.firstFailureSeconds != nil)
            #expect(report.protected.load.failed == 0)
            #expect(report.protected.load.requests > 10)
            #expect(report.protected.verdict == .leak)
            #expect(report.protected.ownMemory == OwnMemory(first: 40 << 20))
            #expect(report.patched?.alarms.count == 2)
            #expect(report.exit == 1)
            #expect(report.reasons.count == 1)
            #expect(try processes(mark).isEmpty)
            let told = news.withLock { $0 }
            #expect(told.contains { if case .status(let status) = $0 { status.failed > 0 } else { false } })
            #expect(told.contains(.armStarted(.patched, seconds: 1)))
            #expect(
                told.contains { if case .note(.control, _, let text) = $0 { text.contains("killed") } else { false } })
        }
    }

    @Test func `a process over its budget is killed and started again after a second`() async throws {
        try await withTemporaryFolder { folder in
            let mark = mark()
            let document = try document(mark)
            let leaker = try builtExecutable("fixture-leaker")
            let notes = Mutex<[(seconds: Double, text: String)]>([])
            let arm = ControlArm(
                service: document.service, command: [leaker, "--fault", "hoard", "--fault-bytes", "4194304"],
                folder: folder.path
            ) { news in
                guard case .note(_, let seconds, let text) = news else { return }
                notes.withLock { $0.append((seconds ?? -1, text)) }
            }
            let outcome = try await arm.run(document.load, seconds: 5)
            #expect(outcome.restarts >= 2)
            #expect(outcome.load.failures[.refused] > 0)
            let told = notes.withLock { $0 }
            let killed = try #require(told.first { $0.text.hasPrefix("process 1 is killed") })
            let again = try #require(told.first { $0.text.hasPrefix("process 1 is started") })
            #expect(again.seconds - killed.seconds >= 1)
            #expect(try processes(mark).isEmpty)
        }
    }

    @Test func `a process that dies by itself is started again too`() async throws {
        try await withTemporaryFolder { folder in
            let document = try document(mark())
            let arm = ControlArm(
                service: document.service, command: [try builtExecutable("fixture-leaker"), "--die-after", "30"],
                folder: folder.path, tell: { _ in })
            let outcome = try await arm.run(document.load, seconds: 3)
            #expect(outcome.restarts >= 2)
            #expect(outcome.load.failed > 0)
        }
    }

    @Test func `a service that cannot start is told with what it wrote`() async throws {
        try await withTemporaryFolder { folder in
            let mark = mark()
            let document = try document(mark, [("--listen, \"127.0.0.1:{{port}}\"", "--lisen, \"{{port}}\"")])
            let fake = try FakeOakum(in: folder)
            let error = await failure(of: DrillRun(document, documentPath: "drill.md", tools: fake.tools))
            #expect(error?.exitCode == 4)
            #expect(try #require(error).message.contains("unknown option --lisen"))
            #expect(try processes(mark).isEmpty)
        }
    }

    @Test func `an oakum that dies is told with what it wrote`() async throws {
        try await withTemporaryFolder { folder in
            let document = try document(mark(), [("control: 3s", "control: 1s")])
            let fake = try FakeOakum(in: folder, .dies)
            let error = await failure(of: DrillRun(document, documentPath: "drill.md", tools: fake.tools))
            #expect(error?.exitCode == 4)
            #expect(try #require(error).message.contains("exit code 7"), "\(error?.message ?? "")")
            #expect(try #require(error).message.contains("the port is taken, say"))
        }
    }

    @Test func `a fault that the build does not offer is refused with those it does`() async throws {
        try await withTemporaryFolder { folder in
            let document = try document(mark(), [("name: hoard", "name: amnesia")])
            let fake = try FakeOakum(in: folder)
            let error = await failure(of: DrillRun(document, documentPath: "drill.md", tools: fake.tools))
            #expect(error?.exitCode == 2)
            #expect(try #require(error).message.contains("drill.md, line 17"))
            #expect(try #require(error).message.contains("it offers: hoard"))
        }
    }

    @Test func `a missing program is told with its line`() async throws {
        try await withTemporaryFolder { folder in
            let leaker = try builtExecutable("fixture-leaker")
            let document = try document(mark(), [("fault: [\(leaker)", "fault: [./missing")])
            let fake = try FakeOakum(in: folder)
            let run = DrillRun(document, documentPath: folder.file("drill.md"), tools: fake.tools)
            let error = await failure(of: run)
            #expect(error?.exitCode == 2)
            #expect(try #require(error).message.contains("line 9: there is no program `./missing`"))
            #expect(try #require(error).message.contains(folder.file("missing")))
        }
    }

    @Test func `a cancelled drill leaves nothing behind`() async throws {
        try await withTemporaryFolder { folder in
            let mark = mark()
            let document = try document(mark, [("control: 3s", "control: 600s")])
            let fake = try FakeOakum(in: folder)
            let run = DrillRun(document, documentPath: "drill.md", tools: fake.tools)
            let error = try await withThrowingTaskGroup(of: DrillError?.self) { group in
                group.addTask { await failure(of: run) }
                try await eventually("both processes run") { try processes(mark).count == 2 }
                group.cancelAll()
                return try await group.next() ?? nil
            }
            guard case .interrupted = try #require(error) else {
                Issue.record("ended otherwise: \(error?.message ?? "")")
                return
            }
            #expect(try processes(mark).isEmpty)
        }
    }

    @Test func `a worker that outlives its oakum is killed`() async throws {
        try await withTemporaryFolder { folder in
            let drill = try ScratchFolder(prefix: "oakum-drill")
            defer { drill.remove() }
            let fake = try FakeOakum(in: folder, .stubborn)
            let process = try SpawnedProcess(
                [fake.path, "up"], environment: [(ScratchFolder.marker, drill.path)], logPath: folder.file("log"))
            try await eventually("script and worker run") { drill.leftoverProcesses().count == 2 }
            process.send(SIGINT)
            #expect(drill.killLeftovers().isEmpty)
            #expect(try await eventually("the script is reaped") { process.exitNow() } == .signal(SIGKILL))
            #expect(drill.leftoverProcesses().isEmpty)
        }
    }

    @Test func `Ctrl-C during a drill cleans up and exits with 130`() async throws {
        try await withTemporaryFolder { folder in
            let mark = mark()
            let leaker = try builtExecutable("fixture-leaker")
            let text = goodDocument.replacingOccurrences(of: "[fixture-leaker", with: "[\(leaker)")
                .replacingOccurrences(of: "MODE: test", with: "MARK: \(mark)")
                .replacingOccurrences(of: "control: 3s", with: "control: 600s")
            try text.write(toFile: folder.file("drill.md"), atomically: false, encoding: .utf8)
            try await withProcess(
                builtExecutable("oakum"), ["drill", folder.file("drill.md")], environment: ["TMPDIR": folder.path]
            ) { process in
                try await eventually("both processes run") { try processes(mark).count == 2 }
                process.send(SIGINT)
                #expect(try await process.waitForExit() == .code(130))
                #expect(process.output().contains("interrupted by signal 2"))
            }
            #expect(try processes(mark).isEmpty)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.filter { $0.hasPrefix("oakum-drill-") }.isEmpty, "\(left)")
        }
    }

    private func failure(of run: DrillRun) async -> DrillError? {
        do throws(DrillError) {
            _ = try await run.run()
            return nil
        } catch {
            return error
        }
    }
}
