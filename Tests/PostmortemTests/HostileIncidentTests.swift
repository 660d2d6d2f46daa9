import OakumModel
import OakumTestKit
import Testing

@testable import Postmortem

/// Alerts, notes, log lines and names come from outside and may hold anything.
@Suite struct HostileIncidentTests {
    private static let nasty = [
        "<!-- oakum:end timeline -->", "\n<!-- oakum:section impact 0000000000000000 -->\n", "-->",
        "<script>alert(1)</script>",
        "</svg><script>", "| a | b |", "\\|", "```", "`", "``x`", "# heading", "\n\n## heading\n\n",
        "[x](javascript:alert(1))",
        "![x](http://evil.example/p.png)", "http://evil.example", "*", "_", "&lt;&#60;", "]]>", "<?xml?>",
        "\u{202E}txt",
        "\u{0}\u{7}", "e\u{301}|\u{301}", "💥", "---", "1. x", "> x", "    code", "\t", "", " ", "\r\n", "$x$", "%00",
        "\"'>",
    ]

    private static func text(_ random: inout SeededGenerator) -> String {
        (0..<random.int(1...4)).map { _ in random.pick(nasty) ?? "" }.joined(separator: random.chance(0.5) ? " " : "")
    }

    private static func time(_ random: inout SeededGenerator) -> WallTime {
        RegistrationIncident.at(random.double(-4_000..<8_000))
    }

    private static func number(_ random: inout SeededGenerator) -> Double {
        random.pick([0, -1, 3.5, 1e18, -1e300, .infinity, -.infinity, .nan, 1e-9]) ?? 0
    }

    private static func hostile(_ random: inout SeededGenerator) -> PostmortemFacts {
        var facts = RegistrationIncident.facts
        facts.incident.title = text(&random)
        facts.incident.service = random.chance(0.8) ? text(&random) : nil
        facts.incident.fingerprint = text(&random)
        facts.incident.runbook = text(&random)
        facts.incident.mitigation = text(&random)
        facts.incident.policy = text(&random)
        facts.incident.state = random.pick(IncidentState.allCases) ?? .open
        facts.incident.kind = random.pick(AlertKind.allCases) ?? .outside
        facts.incident.milestones = Milestones(
            leakOnset: random.chance(0.5) ? time(&random) : nil, impactOnset: random.chance(0.5) ? time(&random) : nil,
            detected: time(&random), acknowledged: random.chance(0.5) ? time(&random) : nil,
            restored: random.chance(0.5) ? time(&random) : nil)
        facts.incident.impact = (0..<random.int(0...3)).map { _ in
            Impact(
                what: text(&random), service: text(&random), actual: number(&random),
                expected: Estimate(estimate: number(&random), low: number(&random), high: number(&random)),
                from: time(&random), until: nil, basis: text(&random))
        }
        facts.incident.alerts = (0..<random.int(0...3)).map { _ in
            IncidentAlert(
                fingerprint: text(&random), kind: random.pick(AlertKind.allCases) ?? .cpu, severity: .error,
                summary: text(&random), isFiring: true, since: time(&random), isSymptom: random.chance(0.5))
        }
        facts.incident.evidence.logs = (0..<random.int(0...30)).map { _ in text(&random) }
        facts.incident.evidence.deploys = [text(&random)]
        facts.incident.evidence.verdict?.slope = Estimate(
            estimate: number(&random), low: number(&random), high: number(&random))
        facts.incident.evidence.heap = (0..<random.int(0...2)).map { _ in
            HeapFinding(
                site: text(&random), function: text(&random), file: text(&random), line: -1, fingerprint: text(&random),
                type: text(&random), chain: (0..<random.int(0...3)).map { _ in text(&random) },
                liveBytes: .max, share: number(&random),
                neverFreed: Estimate(estimate: number(&random), low: number(&random), high: number(&random)),
                tookSeconds: number(&random))
        }
        facts.incident.evidence.cause?.summary = text(&random)
        facts.incident.evidence.cause?.firstCause = text(&random)
        facts.timeline = (0..<random.int(0...40)).map { _ in
            TimelineEntry(
                incident: 12, at: time(&random), kind: random.pick(TimelineKind.allCases) ?? .note, text: text(&random),
                by: text(&random), evidence: random.chance(0.5) ? text(&random) : nil)
        }
        facts.pages[0].page.channel = text(&random)
        facts.pages[0].page.person = text(&random)
        facts.pages[0].words = text(&random)
        facts.owner = ProposedOwner(name: text(&random), origin: text(&random))
        facts.release = text(&random)
        facts.glossary = text(&random)
        facts.measures = [
            MeasuredSeries(
                id: "x", title: text(&random), unit: text(&random),
                points: (0..<random.int(0...20)).map { _ in .init(at: time(&random), value: number(&random)) },
                expected: [.init(at: time(&random), low: number(&random), high: number(&random))],
                limit: number(&random))
        ]
        return facts
    }

    @Test func `no text from outside ends a section or becomes markup`() async throws {
        try await forAll(seeds: 120) { random in
            let draft = PostmortemDraft(Self.hostile(&random), fileStem: "a")
            let text = draft.document.text
            let parts = DocumentParts(text)
            #expect(parts.sections.map(\.id) == draft.document.sections.map(\.id))
            #expect(parts.damaged.isEmpty && parts.sections.allSatisfy(\.isUntouched))
            #expect(try draft.document.merged(into: text).text == text)
            let comments = text.split(separator: "\n").filter { $0.hasPrefix("<!--") }
            #expect(comments.count == 2 + 2 * draft.document.sections.count)
            for section in draft.document.sections {
                let lines = section.text.split(separator: "\n", omittingEmptySubsequences: false)
                // Only the titles that are ours.
                #expect(lines.filter { $0.hasPrefix("# ") || $0.hasPrefix("## ") }.count <= 1)
                try expectEvenTables(lines)
            }
        }
    }

    /// Each table has as many cells in every row.
    private func expectEvenTables(_ lines: [Substring]) throws {
        var columns: Int?
        for line in lines {
            guard line.hasPrefix("|") else {
                columns = nil
                continue
            }
            let scalars = Array(line.unicodeScalars)
            let bars = scalars.indices.filter { index in
                scalars[index] == "|" && (index == 0 || scalars[index - 1] != "\\")
            }
            let cells = bars.count
            #expect(columns == nil || columns == cells, "\(line)")
            columns = cells
        }
    }

    @Test func `charts are well-formed whatever they are told`() async throws {
        try await forAll(seeds: 120) { random in
            for chart in PostmortemDraft(Self.hostile(&random), fileStem: "a").charts {
                let svg = chart.svg
                #expect(PostmortemChart.mayReplace(svg))
                #expect(!svg.contains("<script") && !svg.contains("nan") && !svg.contains("inf\""))
                #expect(svg.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value != 0xFFFE) })
                let opened = svg.split(separator: "<text ").count
                #expect(opened == svg.split(separator: "</text>").count)
                #expect(svg.utf8.count < 300_000)
            }
        }
    }

    @Test func `a plan of hostile names keeps its tables`() async throws {
        try await forAll(seeds: 60) { random in
            let service = PlannedService(
                name: Self.text(&random), address: "x", workers: 1, budget: .mebibytes(1),
                recycling: .init(
                    atPercent: Self.number(&random), leadSeconds: Self.number(&random), minimumIntervalSeconds: 1,
                    atMostPerHour: 1, capacityFloor: 0, drainDeadlineSeconds: Self.number(&random)), samplesHeap: true,
                policy: Self.text(&random), runbook: Self.text(&random), alerts: [Self.text(&random)])
            let policy = PlannedPolicy(
                name: Self.text(&random),
                steps: [
                    .init(
                        afterSeconds: Self.number(&random),
                        targets: [
                            .init(
                                who: Self.text(&random), people: [Self.text(&random), "b"],
                                ways: [.init(person: Self.text(&random), channel: Self.text(&random), address: "|")])
                        ])
                ])
            let facts = PlanFacts(
                configuration: Self.text(&random), state: Self.text(&random), services: [service], policies: [policy],
                schedules: [PlannedSchedule(name: Self.text(&random), now: [Self.text(&random)])],
                asOf: Self.time(&random), problems: [Self.text(&random)])
            let lines = IncidentPlan(facts, zone: .utc).markdown.split(
                separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.filter { $0.hasPrefix("## ") }.count == 8)
            #expect(lines.allSatisfy { !$0.hasPrefix("<") })
            try expectEvenTables(lines)
        }
    }
}
