import Foundation
import LeakTrial
import OakumTestKit
import Spawning
import StressRunner
import Testing

/// Every endpoint of the registration service and of Oakum's own API, in about a minute: none keeps memory.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct OwnServicesTests {
    private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    @Test func `no endpoint of the registration service keeps memory`() async throws {
        let report = try await stress(
            [
                "--scenario", "\(Self.root)/examples/registration/stress.yaml", "--ready", "/readyz", "--seconds", "3",
                "--patience", "6", "--no-names",
            ],
            [
                try builtExecutable("registrar"), "--database={{folder}}/registrar.sqlite",
                "--listen=127.0.0.1:{{port}}", "--hash-memory=7MiB", "--hash-passes=1",
            ])
        #expect(report.endpoints.count == 11)
        Self.expectNoLeak(report)
    }

    /// `oakum up` watches a worker meanwhile, whose samples come and go: growth of a hundred bytes a request is what can be
    /// told from that in so short a time.
    @Test func `no endpoint of Oakum's API keeps memory`() async throws {
        let programs = URL(filePath: try builtExecutable("oakum")).deletingLastPathComponent().path
        let report = try await stress(
            [
                "--scenario", "\(Self.root)/examples/oakum-api/console.yaml", "--ready", "/healthz", "--reuse",
                "--seconds",
                "1.5", "--patience", "2", "--floor", "128", "--no-names", "--env", "PROGRAMS=\(programs)",
            ],
            [
                "\(Self.root)/examples/oakum-api/start", "console", "{{folder}}", "{{port}}", "{{socket}}",
            ])
        #expect(report.endpoints.count == 19)
        Self.expectNoLeak(report)
    }

    /// What is slow on a busy machine may stay without an answer; a leak, or nothing measured, may not.
    private static func expectNoLeak(_ report: StressReport) {
        for endpoint in report.endpoints {
            let words = "\(endpoint.name): \(StressText.headline(endpoint)) \(endpoint.remarks)"
            #expect(endpoint.verdict != .leak && endpoint.verdict != .nothingMeasured, "\(words)")
            #expect(endpoint.requests > 0, "\(words)")
        }
        #expect(report.endpoints.contains { $0.verdict == .clean })
    }

    private func stress(_ options: [String], _ words: [String]) async throws -> StressReport {
        try await withTemporaryFolder { folder in
            let output = folder.file("out")
            let command = [try builtExecutable("oakum"), "stress", "--json"] + options + ["--"] + words
            return try await withProcess(
                "/bin/sh", ["-c", #"out="$1"; shift; exec "$@" > "$out""#, "sh", output] + command
            ) { process in
                let exit = try await process.waitForExit(within: .seconds(400))
                guard let json = FileManager.default.contents(atPath: output), !json.isEmpty else {
                    throw TestKitError("oakum stress: \(exit)\n\(process.output())")
                }
                return try JSONDecoder().decode(StressReport.self, from: json)
            }
        }
    }
}
