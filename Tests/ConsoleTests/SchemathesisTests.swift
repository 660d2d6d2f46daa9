import Foundation
import OakumAPI
import OakumHTTP
import OakumTestKit
import Spawning
import Testing

private enum Schemathesis {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static var isInstalled: Bool {
        // No such folder: not installed.
        let built = (try? FileManager.default.contentsOfDirectory(atPath: root + "/.build")) ?? []
        return built.contains { $0.hasPrefix("schemathesis-") }
    }
}

extension RunningServers {
    /// The API against its own document, by schemathesis: generated requests, valid and not. `scripts/schemathesis --install`
    /// gets it.
    @Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Schemathesis.isInstalled))
    struct SchemathesisTests {
        /// More of them with OAKUM_EXAMPLES, for a long look.
        private static let examples = ProcessInfo.processInfo.environment["OAKUM_EXAMPLES"] ?? "3"

        /// What generated requests cannot be held to: a token that a body must carry, and a stream that does not end.
        private static let checks = [
            "not_a_server_error", "status_code_conformance", "content_type_conformance",
            "response_schema_conformance", "unsupported_method",
        ]

        private func run(_ role: AccessRole, _ paths: String, checks: [String] = []) async throws {
            let guarded = try await GuardedParts()
            var parts = guarded.parts
            let settings = HeartbeatSettings(id: "0123456789abcdef", name: "backup", every: 60)
            parts.heartbeats = HeartbeatDesk([settings], plane: guarded.plane, clock: guarded.clock.own, logger: quiet)
            let state = HeapSamples.state()
            try await withConsole(FakeControlPlane(state), parts: parts) { console, _ in
                let arguments = [
                    "\(console.url)openapi.json", "--header", "Authorization: Bearer \(try guarded.token(role))",
                    "--include-path-regex", paths, "--exclude-path", "/api/v1/stream", "--exclude-path",
                    "/api/v1/commands", "--max-examples", Self.examples, "--seed", "20231110", "--checks",
                    (Self.checks + checks).joined(separator: ","), "--phases", "examples,coverage,fuzzing",
                    "--no-color",
                ]
                try await withProcess(Schemathesis.root + "/scripts/schemathesis", arguments) { process in
                    let exit = try await process.waitForExit(within: .seconds(240))
                    #expect(exit == .code(0), "\(process.output().suffix(12_000))")
                    #expect(process.output().contains("Fuzzing"))
                }
            }
        }

        @Test func `reading and acting are as the document says`() async throws {
            try await run(.admin, "^/(api/v1|metrics|healthz|openapi)", checks: ["negative_data_rejection"])
        }

        /// It takes what it can make sense of: a page must not be lost because a link in it has the wrong type.
        @Test func `intake is as the document says`() async throws {
            try await run(.intake, "^/(intake|api/v2|heartbeat)")
        }
    }
}
