import OakumAPI
import OakumModel

/// An incident as a terminal shows it.
enum IncidentText {
    static func show(_ report: IncidentReport) {
        let incident = report.incident
        Terminal.line("#\(incident.id)  \(incident.title)")
        Terminal.line("  \(incident.state.rawValue), \(incident.severity.rawValue), \(incident.alertCount) alerts")
        for (name, time) in milestones(incident.milestones) { Terminal.line("  \(name)  \(Clock.time(time))") }
        if let lead = incident.milestones.leadSeconds {
            let words = lead >= 0 ? "before" : "after"
            Terminal.line("  detected \(Int(abs(lead).rounded())) s \(words) users noticed")
        }
        if let by = incident.acknowledgement { Terminal.line("  acknowledged by \(by.by)") }
        if let runbook = incident.runbook { Terminal.line("  runbook \(runbook)") }
        section("Evidence", evidence(incident.evidence))
        section("Lost", incident.impact.map(loss))
        section(
            "Timeline",
            report.timeline.map { "\(Clock.time($0.at))  \($0.text)\($0.by == "oakum" ? "" : " (\($0.by))")" })
        section(
            "Pages",
            report.deliveries.map { delivery in
                let who = delivery.page.person.map { "\($0) through " } ?? ""
                let words = delivery.words.map { ": \($0)" } ?? ""
                return "\(delivery.page.kind.rawValue) to \(who)\(delivery.page.channel): \(delivery.state.rawValue)"
                    + ", \(delivery.attempts) attempts\(words)"
            })
    }

    private static func section(_ title: String, _ lines: [String]) {
        guard !lines.isEmpty else { return }
        Terminal.line("")
        Terminal.line(title)
        for line in lines { Terminal.line("  \(line)") }
    }

    private static func milestones(_ times: Milestones) -> [(String, WallTime)] {
        [
            ("leak began     ", times.leakOnset), ("users noticed  ", times.impactOnset),
            ("detected       ", times.detected), ("paged          ", times.paged),
            ("acknowledged   ", times.acknowledged), ("cause named    ", times.causeNamed),
            ("mitigated      ", times.mitigated), ("restored       ", times.restored),
            ("resolved       ", times.resolved),
        ].compactMap { name, time in time.map { (name, $0) } }
    }

    private static func evidence(_ evidence: Evidence) -> [String] {
        var lines: [String] = []
        if let summary = evidence.verdictSummary { lines.append(summary) }
        for site in evidence.heap.prefix(3) {
            lines.append("leaks at \(site.site), \(site.type ?? "unknown type"), \(ByteCount(site.liveBytes)) live")
            if !site.chain.isEmpty { lines.append("  held by \(site.chain.joined(separator: " → "))") }
        }
        if let cause = evidence.cause {
            lines.append(cause.summary)
            lines += cause.consequences.map { "  follows from it: \($0)" }
            lines += cause.ruledOut.map { "  ruled out: \($0)" }
        }
        lines += evidence.logs.map { "log: \($0)" }
        lines += evidence.deploys.map { "deploy: \($0)" }
        lines += evidence.acts
        return lines
    }

    private static func loss(_ impact: Impact) -> String {
        let percent = impact.percent.map { ", \(Int($0.rounded())) %" } ?? ""
        let until = impact.until.map { " to \(Clock.time($0))" } ?? " on"
        return "\(impact.what): \(Int(impact.actual.rounded())) of \(Int(impact.expected.estimate.rounded())) expected"
            + "\(percent), from \(Clock.time(impact.from))\(until); by \(impact.basis)"
    }
}
