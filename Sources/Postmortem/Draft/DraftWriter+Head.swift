import OakumModel

extension DraftWriter {
    var factsTable: String {
        var rows: [(String, String)] = [
            (
                "Incident",
                "#\(incident.id), \(subjectInTable), \(Names.kind(incident.kind)), \(incident.severity.rawValue)"
            ),
            ("Date", time.date(reading.firstSign)),
            ("State", Names.state(incident.state) + reopenings),
            ("Duration", duration),
            ("Users affected", usersAffected),
            ("Root cause", shortCause),
        ]
        if let release = facts.release { rows.append(("Release", Markdown.code(release, inTable: true))) }
        if let runbook = incident.runbook { rows.append(("Runbook", Markdown.link("runbook", runbook, inTable: true))) }
        return Markdown.table(["Fact", "Value"], rows.map { [$0, $1] })
    }

    private var reopenings: String {
        incident.reopened > 0 ? ", reopened \(Amount.count(incident.reopened, "time"))" : ""
    }

    private var duration: String {
        let seconds = Amount.duration(IncidentReading.seconds(reading.firstSign, reading.endOrNow))
        guard let end = reading.end else { return "\(seconds) so far: since \(time.full(reading.firstSign)); not over" }
        return "\(seconds): \(time.full(reading.firstSign)) to \(time.full(end))"
    }

    private var usersAffected: String {
        guard let onset = milestones.impactOnset else {
            return reading.isImpactUnmeasured ? "not measured" : "no breach recorded"
        }
        let from = "from \(time.clock(onset))"
        guard let seconds = reading.impactSeconds else { return "\(from), not restored yet" }
        let until = milestones.restored ?? reading.end ?? onset
        return "\(Amount.duration(seconds)): \(from) to \(time.clock(until))"
    }

    private var hasImpactFigures: Bool { !incident.impact.isEmpty }

    private var shortCause: String {
        if let leak = reading.leak { return "memory kept by \(Markdown.code(leak.site, inTable: true))" }
        if let cause = evidence.cause { return Markdown.text(Names.cause(cause.firstCause)) }
        return "not named"
    }

    // MARK: - Summary

    var summary: String {
        let detected =
            "On \(time.date(milestones.detected)) at \(time.clock(milestones.detected)) Oakum found: "
            + Markdown.sentence(evidence.verdictSummary.map { "\(incident.title); \($0)" } ?? incident.title)
        return sentences([
            detected, summaryOfCause, summaryOfImpact, summaryOfEnd,
        ])
    }

    private var summaryOfCause: String? {
        if let leak = reading.leak {
            let type = leak.type.map { " (\(Markdown.code($0)))" } ?? ""
            let holder = reading.holder.map { ", held by \(Markdown.code($0))" } ?? ""
            return "What stays in memory is allocated by \(Markdown.code(leak.site))\(type)\(holder)."
        }
        guard let cause = evidence.cause else { return "Its cause was not named." }
        return "The cause: " + Markdown.sentence(cause.summary)
    }

    private var summaryOfImpact: String {
        let figures = incident.impact.prefix(3).map(impactPhrase)
        guard let onset = milestones.impactOnset else {
            if !figures.isEmpty { return "Measured: \(figures.joined(separator: "; "))." }
            if reading.isImpactUnmeasured { return "What users noticed was not measured." }
            return facts.measured == nil
                ? "No breach of what users notice was recorded."
                : "Nothing that is measured on the users' side left its limits."
        }
        let measured = figures.isEmpty ? "; how much was lost was not measured" : ": \(figures.joined(separator: "; "))"
        return "Users noticed it from \(time.clock(onset))\(measured)."
    }

    private var summaryOfEnd: String {
        var parts: [String] = []
        if let mitigated = milestones.mitigated { parts.append("mitigated at \(time.clock(mitigated))") }
        if let restored = milestones.restored { parts.append("restored at \(time.clock(restored))") }
        if let end = reading.end { parts.append("closed at \(time.clock(end))") }
        guard !parts.isEmpty else { return "It is not over." }
        return "It was \(Self.joined(parts))."
    }

    /// "a, b and c".
    static func joined(_ parts: [String]) -> String {
        guard let last = parts.last, parts.count > 1 else { return parts.first ?? "" }
        return parts.dropLast().joined(separator: ", ") + " and " + last
    }

    // MARK: - Impact

    var impact: String {
        paragraphs([impactLead, impactTable, breaches, impactRest])
    }

    private var impactLead: String {
        guard let onset = milestones.impactOnset else {
            if hasImpactFigures { return "No limit on the users' side was breached; these were counted:" }
            if reading.isImpactUnmeasured {
                return
                    "**Not measured.** Nothing that users or the business do was compared with an expectation during this "
                    + "incident; whether anybody noticed is not known from here."
            }
            guard facts.measured == nil else { return "None that was measured." }
            return
                "No breach of what users notice was recorded. Which of error rate, latency and business counts were watched is "
                + "not known here, so this is no proof that nobody noticed."
        }
        let length = reading.impactSeconds.map { "It lasted \(Amount.duration($0))." } ?? "It is not known to be over."
        let counted =
            hasImpactFigures
            ? "Counted, not estimated by people; expectations stand with the interval they lie in:"
            : "**How much was lost was not counted.**"
        return "Users noticed from \(time.full(onset)) on. \(length) \(counted)"
    }

    private var impactTable: String? {
        guard hasImpactFigures else { return nil }
        let rows = incident.impact.prefix(30).map { one in
            let what = Markdown.text(one.what) + (one.service.map { " (\(Markdown.code($0, inTable: true)))" } ?? "")
            let until = one.until.map { time.row($0) } ?? "goes on"
            return [
                what, Amount.number(one.actual), expectation(one.expected),
                one.percent.map { "**\(Amount.change($0))**" } ?? "–", "\(time.row(one.from)) – \(until)",
                Markdown.text(one.basis),
            ]
        }
        return Markdown.table(
            ["What", "Measured", "Expected", "Change", "From – until (\(time.column))", "Expectation from"], rows)
    }

    private var breaches: String? {
        let alerts = reading.breaches
        guard !alerts.isEmpty else { return nil }
        return "Alerts on the users' side:\n\n"
            + bounded(
                alerts.map {
                    "\(Names.kind($0.kind)), since \(time.clock($0.since)): \(Markdown.sentence($0.summary))"
                }, 12,
                rest: "see the alerts below")
    }

    private var impactRest: String? {
        let rest = reading.unbreached.map { Markdown.text($0.name) }
        guard hasImpactFigures || !rest.isEmpty else { return nil }
        let others = rest.isEmpty ? nil : "Measured, without a breach: \(Self.joined(rest))."
        return sentences([others, "What is not in this section was not measured."])
    }

    private func expectation(_ expected: Estimate) -> String {
        let (low, high) = (Amount.number(expected.low), Amount.number(expected.high))
        let interval = low == high ? "" : " (\(low) to \(high))"
        return Amount.number(expected.estimate) + interval
    }

    /// "sign-ups 205 of 412 expected, −50 %".
    func impactPhrase(_ one: Impact) -> String {
        let change = one.percent.map { ", \(Amount.change($0))" } ?? ""
        let expected = Amount.number(one.expected.estimate)
        return "\(Markdown.text(one.what)) \(Amount.number(one.actual)) of \(expected) expected\(change)"
    }
}
