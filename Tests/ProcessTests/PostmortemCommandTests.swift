import Foundation
import OakumAPI
import OakumApp
import OakumModel
import Postmortem
import OakumRemote
import OakumTestKit
import Spawning
import Testing

/// `oakum postmortem draft` and `oakum plan` as a user meets them.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct PostmortemCommandTests {
    private static func at(_ seconds: Double) -> WallTime {
        WallTime(milliseconds: 1_699_628_400_000 + Int64(seconds * 1_000))
    }

    private static let source: PostmortemSource = {
        let incident = Incident(
            id: 12, title: "registrar: memory leak in Cache.keep", service: "registrar", kind: .memoryLeak,
            severity: .critical, state: .resolved, fingerprint: "leak/registrar/1",
            milestones: Milestones(
                leakOnset: at(-600), detected: at(-60), paged: at(-58), acknowledged: at(30), causeNamed: at(-59),
                mitigated: at(60), resolved: at(600)),
            evidence: Evidence(
                worker: 3,
                heap: [
                    HeapFinding(
                        site: "Cache.keep (Cache.swift:9)", function: "Cache.keep", file: "Cache.swift", line: 9,
                        fingerprint: "f", type: "[UInt8]", chain: ["static Cache.shared", "[UInt8]"],
                        liveBytes: 80 << 20, share: 0.7, tookSeconds: 1)
                ]), policy: "default", updated: at(600))
        let timeline = [
            TimelineEntry(incident: 12, at: at(-60), kind: .detected, text: "it leaks"),
            TimelineEntry(incident: 12, at: at(30), kind: .acknowledged, text: "taken on", by: "ada"),
        ]
        let points = stride(from: -700.0, through: 600, by: 10).map { seconds in
            let bytes = ByteCount(Int64(40e6 + max(0, seconds + 600) * 100_000))
            return HistoryPoint(at: at(seconds), floor: bytes, peak: bytes)
        }
        return PostmortemSource(
            report: IncidentReport(incident: incident, timeline: timeline, deliveries: []),
            history: History(
                service: "registrar", budget: .mebibytes(256),
                workers: [WorkerHistory(number: 3, process: nil, points: points)]),
            onCall: OnCallReport(
                policies: [
                    .init(
                        name: "default", services: ["registrar"],
                        steps: [
                            .init(afterSeconds: 0, targets: ["channel through pages", "grace through mail (g@x.org)"])
                        ],
                        repeats: 0)
                ], schedules: [], silences: [], problems: [], deliveries: []))
    }()

    private static func write(_ source: PostmortemSource, to path: String) throws {
        try JSONEncoder().encode(source).write(to: URL(filePath: path))
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    @Test func `a recorded incident becomes a document with its chart, and is renewed around what people edit`()
        async throws
    {
        try await withTemporaryFolder { folder in
            try Self.write(Self.source, to: folder.file("incident.json"))
            let arguments = [
                "postmortem", "draft", folder.file("incident.json"), "--zone", "America/New_York", "-o", folder.path,
            ]
            let first = try await run("oakum", arguments + ["--json"])
            #expect(first.code == 0, "\(first.output)")
            let outcome = try JSONDecoder().decode(PostmortemOutcome.self, from: Data(first.output.utf8))
            #expect(outcome.isNew && outcome.incident == 12 && outcome.sections.allSatisfy { $0.outcome == .added })
            #expect(outcome.file == folder.file("INCIDENT-12-registrar-memory-leak.md"))
            #expect(outcome.charts.map(\.outcome) == ["written"])
            let text = try Self.text(outcome.file)
            #expect(text.contains("All times are EST (America/New_York, UTC−05:00)."))
            #expect(text.contains("| 09:59:00 | **Detected.** it leaks. | oakum |"))
            #expect(text.contains("`Cache.keep (Cache.swift:9)`") && text.contains("| grace |"))
            #expect(text.contains("INCIDENT-12-registrar-memory-leak-memory.svg"))
            #expect(try Self.text(outcome.charts[0].file).contains("budget 256.0 MiB"))

            // Nothing is known anew: nothing is written.
            let again = try await run("oakum", arguments)
            #expect(again.output.contains("0 of \(outcome.sections.count) sections written"), "\(again.output)")
            #expect(try Self.text(outcome.file) == text)

            try text.replacingOccurrences(of: "## Trigger\n", with: "## Trigger\n\nThe Tuesday release.\n")
                .write(toFile: outcome.file, atomically: true, encoding: .utf8)
            var later = Self.source
            later.report.incident.title = "registrar: memory leak in the cache"
            try Self.write(later, to: folder.file("incident.json"))
            let renewed = try await run("oakum", arguments)
            #expect(renewed.output.contains("left alone: trigger (somebody edited it)"), "\(renewed.output)")
            let new = try Self.text(outcome.file)
            #expect(
                new.contains("The Tuesday release.")
                    && new.contains("# Postmortem: registrar: memory leak in the cache"))
        }
    }

    @Test func `a chart that was edited is left alone`() async throws {
        try await withTemporaryFolder { folder in
            try Self.write(Self.source, to: folder.file("incident.json"))
            let chart = folder.file("paper-memory.svg")
            try "<svg>mine</svg>".write(toFile: chart, atomically: true, encoding: .utf8)
            let result = try await run(
                "oakum", ["postmortem", "draft", folder.file("incident.json"), "-o", folder.file("paper.md")])
            #expect(result.code == 0 && result.output.contains("paper-memory.svg: edited"), "\(result.output)")
            #expect(try Self.text(chart) == "<svg>mine</svg>")
        }
    }

    @Test func `what cannot be done says why, and touches nothing`() async throws {
        try await withTemporaryFolder { folder in
            let incident = folder.file("incident.json")
            try Self.write(Self.source, to: incident)
            try "# My notes\n".write(toFile: folder.file("notes.md"), atomically: true, encoding: .utf8)
            try "{}".write(toFile: folder.file("empty.json"), atomically: true, encoding: .utf8)
            let cases: [([String], Int32, String)] = [
                ([incident, "-o", folder.file("notes.md")], 1, "is no draft of Oakum: it is left alone"),
                ([incident, "--zone", "Europe/Nowhere"], 2, "there is no time zone `Europe/Nowhere`"),
                ([incident, "--zone", "../../etc/passwd"], 2, "cannot be a time zone"),
                ([folder.file("missing.json")], 2, "is neither the number of an incident nor a file"),
                ([folder.file("empty.json")], 2, "is no report of an incident"),
                (["12", "--state", folder.file("s")], 3, "oakum does not run with this state folder"),
            ]
            for (arguments, code, words) in cases {
                let result = try await run("oakum", ["postmortem", "draft"] + arguments)
                #expect(result.code == code && result.output.contains(words), "\(arguments): \(result)")
            }
            #expect(try Self.text(folder.file("notes.md")) == "# My notes\n")
        }
    }

    @Test func `to standard output goes the document alone`() async throws {
        try await withTemporaryFolder { folder in
            try Self.write(Self.source, to: folder.file("incident.json"))
            let result = try await run(
                "oakum", ["postmortem", "draft", folder.file("incident.json"), "-o", "-", "--zone", "UTC"])
            #expect(result.code == 0 && result.output.hasPrefix("<!-- oakum:postmortem 12 "), "\(result.output)")
            #expect(result.output.hasSuffix("<!-- oakum:end supporting -->\n\n"))
        }
    }

    @Test func `an incident of a running oakum becomes a document`() async throws {
        try await withOakum { oakum in
            _ = try await oakum.allServing()
            let opened = try await run(
                "oakum",
                ["incidents", "open", "sign-up answers slowly", "--service", "registrar", "--state", oakum.state])
            #expect(opened.code == 0, "\(opened.output)")
            let result = try await run(
                "oakum", ["postmortem", "draft", "1", "--state", oakum.state, "-o", oakum.folder.path, "--zone", "UTC"])
            #expect(result.code == 0, "\(result.output)")
            let text = try Self.text(oakum.folder.file("INCIDENT-1-registrar-outside.md"))
            #expect(text.contains("# Postmortem: sign-up answers slowly"))
            #expect(text.contains("| State | open |") && text.contains("so far"))
            #expect(text.contains("INCIDENT-1-registrar-outside-memory.svg"))
            let svg = try Self.text(oakum.folder.file("INCIDENT-1-registrar-outside-memory.svg"))
            #expect(svg.contains(">registrar/1<") && svg.contains("budget 512.0 MiB"))
        }
    }

    // MARK: - oakum plan

    private static func planned(_ folder: TemporaryFolder) throws -> String {
        let file = folder.file("oakum.yaml")
        try "hook-secret-0123456789abcdef".write(toFile: folder.file("hook"), atomically: true, encoding: .utf8)
        try "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".write(
            toFile: folder.file("key"), atomically: true, encoding: .utf8)
        for name in ["hook", "key"] { chmod(folder.file(name), 0o600) }
        let more = """

            channels:
              - {name: ops-mail, smtp: {url: "smtp://mail.example.org:587", from: oakum@example.org}}
              - {name: hook, webhook: {url: "https://hooks.example.org/hook-path-secret", secret_file: key}}
            people:
              - {name: ada, contact: [{channel: ops-mail, address: ada@example.org}]}
              - {name: grace, contact: [{channel: ops-mail, address: grace@example.org}]}
            schedules:
              - name: primary
                time_zone: Europe/Vienna
                rotation: {every: 1w, start: 2026-01-05, handover: "Mon 09:00", members: [ada]}
            policies:
              - name: default
                steps:
                  - {notify: [schedule primary, channel hook]}
                  - {after: 5min, notify: [person grace]}
                repeat: 1
            audiences:
              - {name: business, channel: ops-mail, address: business@example.org, when: [impact, restored]}
            """
        try (TestConfiguration().yaml(state: folder.file("s")) + more)
            .write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }

    @Test func `the plan names people, channels and times of the configuration, and no secret`() async throws {
        try await withTemporaryFolder { folder in
            let file = try Self.planned(folder)
            let result = try await run("oakum", ["plan", "-c", file, "--zone", "Europe/Vienna"])
            #expect(result.code == 0, "\(result.output)")
            for words in [
                "# Incident plan: memory leaks",
                "| 1 | at once | schedule primary | ada | `ops-mail` (ada@example.org) |",
                "| 2 | 5 min | person grace | grace | `ops-mail` (grace@example.org) |", "`hook`: webhook, signed",
                "85 % of it, or 30 s before", "after 20 min without an answer", "**Nobody outside notices",
                "| business | `ops-mail` (business@example.org) | all | impact, restored |",
            ] {
                #expect(result.output.contains(words), "\(words)\n\(result.output)")
            }
            #expect(!result.output.contains("whsec_") && !result.output.contains("hook-path-secret"))

            let json = try await run("oakum", ["plan", "-c", file, "--json"])
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect((object["policies"] as? [[String: Any]])?.first?["repeat_after_s"] as? Double == 300)
            let problems = try #require(object["problems"] as? [String])
            #expect(problems.contains { $0.hasPrefix("nobody notices when Oakum itself is silent") }, "\(problems)")
            #expect(!json.output.contains("whsec_") && !json.output.contains("hook-path-secret"))
        }
    }

    @Test func `a configuration without people is said to call nobody`() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.file("oakum.yaml")
            try TestConfiguration().yaml(state: folder.file("s")).write(toFile: file, atomically: true, encoding: .utf8)
            let result = try await run("oakum", ["plan", "-c", file])
            #expect(result.code == 0, "\(result.output)")
            #expect(result.output.contains("writes to files and terminals alone, and calls nobody"), "\(result.output)")
            let missing = try await run("oakum", ["plan", "-c", folder.file("none.yaml")])
            #expect(missing.code == 2 && missing.output.contains("there is no such file"), "\(missing.output)")
        }
    }
}
