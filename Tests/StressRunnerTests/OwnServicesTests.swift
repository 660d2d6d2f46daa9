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
        try await withTemporaryFolder { folder in
            let script = folder.file("up")
            let text = """
                #!/bin/sh
                cat > "$1/oakum.yaml" <<END
                state: $1/state
                console: {listen: "127.0.0.1:$2"}
                services:
                  - name: registrar
                    command: [\(try builtExecutable("registrar")), --database=$1/registrar.sqlite]
                    listen: 127.0.0.1:0
                    workers: 1
                    memory_budget: 512MiB
                    health: {path: /readyz}
                END
                exec \(try builtExecutable("oakum")) up -c "$1/oakum.yaml"
                """
            try text.write(toFile: script, atomically: false, encoding: .utf8)
            let paths = [
                "/api/v1/events", "/api/v1/history?service=registrar&worker=1", "/api/v1/incidents",
                "/api/v1/incidents/1",
                "/api/v1/on-call", "/api/v1/overview", "/healthz", "/metrics", "/openapi.json", "/",
            ]
            let report = try await stress(
                paths.flatMap { ["-r", "GET \($0)"] }
                    + [
                        "--expect", "200", "--expect", "404", "--ready", "/healthz", "--reuse", "--seconds", "2",
                        "--patience", "3", "--floor", "128", "--no-names",
                    ],
                ["/bin/sh", script, "{{folder}}", "{{port}}"])
            #expect(report.endpoints.count == paths.count)
            Self.expectNoLeak(report)
        }
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
