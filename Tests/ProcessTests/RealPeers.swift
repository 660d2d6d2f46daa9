import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit
import Outbound
import Spawning
import Testing

/// Prometheus and Alertmanager as Debian ships them, on ports of the kernel's choice, with the files of `docs/api.md`.
struct RealPeers {
    static let programs = ["/usr/bin/prometheus", "/usr/bin/prometheus-alertmanager", "/usr/bin/promtool"]
    static var arePresent: Bool { programs.allSatisfy { access($0, X_OK) == 0 } }
    private static let token = "0f8fad5bd9cb469fa16570867728950e"

    let oakum: OakumUnderTest
    private let intake: String
    private var folder: TemporaryFolder { oakum.folder }

    init(_ oakum: OakumUnderTest) async throws {
        self.oakum = oakum
        intake = try await oakum.intake()
    }

    /// One worker, an intake with a token, and pages to a file.
    static func configuration(_ folder: TemporaryFolder) throws -> TestConfiguration {
        let files = ["intake": "alertmanager \(token)\n", "token": token]
        for (name, text) in files {
            try text.write(toFile: folder.file(name), atomically: true, encoding: .utf8)
            chmod(folder.file(name), 0o600)
        }
        var configuration = TestConfiguration()
        configuration.workers = 1
        configuration.more =
            try block("oakum.yaml", [("127.0.0.1:9105", "127.0.0.1:0"), ("secrets/intake", folder.file("intake"))])
            + "\nchannels:\n  - {name: paper, file: {path: \"\(folder.file("pages.jsonl"))\"}}\n"
        return configuration
    }

    func pages() throws -> [SeenPage] {
        try SeenPage.all(in: folder.file("pages.jsonl"))
    }

    /// Pauses Oakum, and waits for what comes of it.
    func pausedIncident() async throws -> Incident {
        #expect(try await run("oakum", ["pause", "--state", oakum.state]).code == 0)
        let incident = try await eventually("an incident", within: .seconds(30)) {
            try await oakum.incidents.incidents(IncidentQuery()).first
        }
        try await eventually("its page", holds: { try !pages().isEmpty })
        return incident
    }

    /// Ends the pause: the alert ends, and the incident with it. Nothing else was made of it all.
    func endsWithThePause(_ id: Int64) async throws {
        #expect(try await run("oakum", ["pause", "--off", "--state", oakum.state]).code == 0)
        let report = try await oakum.incident(id, "the incident to end") { $0.incident.state == .resolved }
        #expect(report.timeline.contains { $0.kind == .resolved && $0.text.contains("its source says") })
        #expect(report.incident.alertCount >= 2)
        try await eventually("the last page", holds: { try pages().count >= 2 })
        #expect(try pages().map(\.data.kind) == [.opened, .resolved])
        #expect(try await oakum.incidents.incidents(IncidentQuery()).map(\.id) == [id])
        #expect(oakum.complaints.isEmpty, "\(oakum.complaints)")
    }

    // MARK: - Starting them

    func withAlertmanager(_ body: (_ address: String) async throws -> Void) async throws {
        let text = try Self.block(
            "alertmanager.yml",
            [
                ("http://127.0.0.1:9105", intake), ("/etc/prometheus/oakum-token", folder.file("token")),
                ("group_wait: 1s", "group_wait: 0s"), ("group_interval: 10s", "group_interval: 1s"),
                ("repeat_interval: 4h", "repeat_interval: 1s"),
            ])
        try text.write(toFile: folder.file("alertmanager.yml"), atomically: true, encoding: .utf8)
        try await Self.withServer(
            Self.programs[1],
            [
                "--config.file=\(folder.file("alertmanager.yml"))", "--storage.path=\(folder.file("alertmanager"))",
                "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=",
            ], body)
    }

    /// - Parameter alertmanager: nil: it tells Oakum itself.
    func withPrometheus(
        telling alertmanager: String?, _ body: (_ address: String) async throws -> Void
    ) async throws {
        let console = String(oakum.console.dropFirst("http://".count))
        var text = try Self.block(
            "prometheus.yml",
            [
                ("scrape_interval: 15s", "scrape_interval: 500ms"),
                ("evaluation_interval: 15s", "evaluation_interval: 500ms"), ("127.0.0.1:9100", console),
                ("oakum-rules.yml", folder.file("oakum-rules.yml")),
                ("127.0.0.1:9093", alertmanager ?? "127.0.0.1:9093"),
            ])
        if alertmanager == nil {
            let direct = try Self.block(
                "prometheus.yml, without Alertmanager",
                [
                    ("127.0.0.1:9105", String(intake.dropFirst("http://".count))),
                    ("/etc/prometheus/oakum-token", folder.file("token")),
                ])
            text = text.prefix(upTo: try #require(text.range(of: "alerting:")).lowerBound) + direct
        }
        try text.write(toFile: folder.file("prometheus.yml"), atomically: true, encoding: .utf8)
        try Self.block("oakum-rules.yml", [("for: 30m", "for: 0s")])
            .write(toFile: folder.file("oakum-rules.yml"), atomically: true, encoding: .utf8)
        try await Self.withServer(
            Self.programs[0],
            [
                "--config.file=\(folder.file("prometheus.yml"))", "--storage.tsdb.path=\(folder.file("prometheus"))",
                "--web.listen-address=127.0.0.1:0", "--rules.alert.resend-delay=1s",
            ], body)
    }

    private static func withServer(
        _ program: String, _ arguments: [String], _ body: (String) async throws -> Void
    ) async throws {
        try await withProcess(program, arguments) { process in
            let line = try await process.line(containing: "msg=\"Listening on\" address=", within: .seconds(30))
            let address = try #require(line.split(separator: "address=").last.map(String.init))
            do {
                try await body(address)
            } catch {
                throw TestKitError("\(error)\n\(program) wrote:\n\(process.output().suffix(4_000))")
            }
        }
    }

    // MARK: - Asking them

    /// Waits until the first sample that a query of Prometheus gives is as wanted.
    func sample(_ query: String, of prometheus: String, where fits: (Double) -> Bool) async throws -> Double {
        struct Answer: Decodable {
            struct Contents: Decodable {
                var result: [Sample]
            }
            struct Sample: Decodable {
                var value: [Value]
            }
            enum Value: Decodable {
                case time(Double)
                case text(String)

                init(from decoder: any Decoder) throws {
                    let container = try decoder.singleValueContainer()
                    // A sample is its time, a number, and its value, a text.
                    if let time = try? container.decode(Double.self) {
                        self = .time(time)
                    } else {
                        self = .text(try container.decode(String.self))
                    }
                }
            }
            var data: Contents
        }
        return try await eventually("Prometheus to know \(query)", within: .seconds(30)) {
            let response = try await request("GET", "http://\(prometheus)/api/v1/query?query=\(query)")
            let answer = try JSONDecoder().decode(Answer.self, from: Data(response.body))
            guard case .text(let text)? = answer.data.result.first?.value.last, let value = Double(text), fits(value)
            else { return nil }
            return value
        }
    }

    /// Waits until Alertmanager's own count of webhooks is as wanted.
    func metric(_ name: String, of alertmanager: String, where fits: (Double) -> Bool) async throws {
        try await eventually("\(name) of Alertmanager", within: .seconds(30)) {
            let text = String(decoding: try await request("GET", "http://\(alertmanager)/metrics").body, as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix("\(name){integration=\"webhook\"") }
            let value = try #require(line?.split(separator: " ").last.flatMap { Double($0) })
            return fits(value)
        }
    }

    /// Tells Alertmanager of an alert, as Prometheus does.
    func push(_ labels: [String: String], to alertmanager: String) async throws {
        let body = try JSONEncoder().encode([["labels": labels]])
        let response = try await request(
            "POST", "http://\(alertmanager)/api/v2/alerts", json: String(decoding: body, as: UTF8.self))
        #expect(response.status == 200)
    }

    static func shell(_ script: String) async throws -> (exit: SpawnedProcess.Exit, output: String) {
        try await withProcess("/bin/sh", ["-c", script]) { process in
            (try await process.waitForExit(within: .seconds(30)), process.output())
        }
    }

    // MARK: - What the documentation says

    /// The block of `docs/api.md` that begins with `# NAME`, with other words in place of some that stand there once.
    static func block(_ name: String, _ changes: [(String, String)] = []) throws -> String {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/api.md")
        let blocks = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```yaml\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
        var block = try #require(blocks.first { $0.hasPrefix("# \(name)\n") }, "docs/api.md has no block \(name)")
        for (old, new) in changes {
            try #require(block.components(separatedBy: old).count == 2, "`\(old)` in \(name)")
            block = block.replacingOccurrences(of: old, with: new)
        }
        return block + "\n"
    }
}
