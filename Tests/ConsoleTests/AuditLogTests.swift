import Foundation
import Logging
import OakumHTTP
import OakumTestKit
import Testing

@Suite struct AuditLogTests {
    private func entry(_ object: String) -> AuditEntry {
        AuditEntry(
            at: "2025-11-13T02:13:20.000Z", who: "ada", role: "responder", via: "session", from: "127.0.0.1",
            what: "incident.note", object: object, result: .done, status: 200, words: "a \"quoted\"\nline")
    }

    private func lines(_ path: String) throws -> [AuditEntry] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.isEmpty || text.hasSuffix("\n"))
        return try text.split(separator: "\n").map { try JSONDecoder().decode(AuditEntry.self, from: Data($0.utf8)) }
    }

    @Test func `each act is one line of a private file, which is appended to`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("audit.jsonl")
            for round in 0..<2 {
                let log = AuditLog(path: path, logger: quiet)
                for number in 0..<3 { await log.record(entry("\(round * 3 + number)")) }
            }
            let found = try lines(path)
            #expect(found == (0..<6).map { entry("\($0)") })
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `a full file is put aside, and the oldest goes`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("audit.jsonl")
            let log = AuditLog(path: path, fileBytes: 600, files: 2, logger: quiet)
            for number in 0..<40 { await log.record(entry("\(number)")) }
            let kept = try ["audit.2.jsonl", "audit.1.jsonl", "audit.jsonl"].flatMap { try lines(folder.file($0)) }
            #expect(kept == (40 - kept.count..<40).map { entry("\($0)") })
            #expect(kept.count >= 5 && kept.count < 12)
            #expect(access(folder.file("audit.3.jsonl"), F_OK) != 0)
            for name in ["audit.2.jsonl", "audit.1.jsonl", "audit.jsonl"] {
                let size = try FileManager.default.attributesOfItem(atPath: folder.file(name))[.size] as? Int
                #expect((size ?? 0) <= 600)
            }
        }
    }

    @Test func `after a line that was cut off a new one begins`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("audit.jsonl")
            try Data("{\"at\":\"2025".utf8).write(to: URL(fileURLWithPath: path))
            await AuditLog(path: path, logger: quiet).record(entry("1"))
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.hasPrefix("{\"at\":\"2025\n{"))
        }
    }

    @Test func `what cannot be written is told in the log, and the act goes on`() async throws {
        let recorded = RecordedMessages()
        let log = AuditLog(path: "/nonexistent/audit.jsonl", logger: Logger(label: "test") { _ in recorded })
        await log.record(entry("1"))
        #expect(recorded.texts == ["an act is not in the audit log"])
    }
}
