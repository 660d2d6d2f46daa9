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
    @Suite(.serialized, .timeLimit(.minutes(10)), .enabled(if: Schemathesis.isInstalled))
    struct SchemathesisTests {
        /// More of them with OAKUM_EXAMPLES, for a long look.
        private static let examples = ProcessInfo.processInfo.environment["OAKUM_EXAMPLES"] ?? "5"

        /// All of its checks but `ignored_auth`, which wants 401 for every wrong token: after ten of them Oakum answers 429.
        /// `AccessTests` and `RouteTableTests` see to it that nobody comes in without a right one. Of the paths, the stream does not
        /// end, and commands are the control socket's alone.
        private func run(
            _ role: AccessRole, _ paths: String, phases: String, without excluded: [String] = []
        ) async throws {
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
                    "all", "--exclude-checks", (["ignored_auth"] + excluded).joined(separator: ","), "--phases", phases,
                    "--no-color",
                ]
                try await withProcess(Schemathesis.root + "/scripts/schemathesis", arguments) { process in
                    let exit = try await process.waitForExit(within: .seconds(500))
                    #expect(exit == .code(0), "\(process.output().suffix(12_000))")
                    #expect(process.output().contains("Fuzzing"))
                }
            }
        }

        @Test func `reading and acting are as the document says`() async throws {
            try await run(
                .admin, "^/(api/v1|metrics|healthz|openapi)", phases: "examples,coverage,fuzzing,stateful")
        }

        /// `negative_data_rejection` cannot hold: intake takes what it can make sense of, so that a page is not lost because a link in
        /// it has the wrong type, and the document says what senders should send, not all that is forgiven.
        @Test func `intake is as the document says`() async throws {
            try await run(
                .intake, "^/(intake|api/v2|heartbeat)", phases: "examples,coverage,fuzzing",
                without: ["negative_data_rejection"])
        }
    }
}
