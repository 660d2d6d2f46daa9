import OakumModel

extension DraftWriter {
    var resolution: String {
        let steps = reading.entries(.mitigated, .restored, .resolved, .reopened).prefix(30).map { line($0) }
        let buys = evidence.cause?.restartBuysSeconds.map {
            "A restart was expected to buy \(Amount.duration($0.estimate)) "
                + "(\(Amount.duration($0.low)) to \(Amount.duration($0.high))): time, not a cure."
        }
        return paragraphs([
            incident.mitigation.map { "Mitigation, judged afterwards: " + Markdown.sentence($0) }
                ?? "What the mitigation brought was not judged.",
            buys,
            milestones.restored.map { "Users were served as before from \(time.full($0)) on." },
            steps.isEmpty ? nil : Markdown.list(steps),
            reading.end == nil ? "**It is not over.**" : nil,
        ])
    }

    /// "10:00:03 EST: text."
    func line(_ entry: TimelineEntry) -> String {
        let by = entry.by == "oakum" ? "" : " (\(Markdown.text(entry.by, limit: 100)))"
        return "\(time.clock(entry.at)): \(Markdown.sentence(entry.text))\(by)"
    }

    // MARK: - What Oakum did

    private static let actLimit = 30

    var acts: String {
        let entries = reading.entries(.acted)
        let items =
            entries.isEmpty ? evidence.acts.map { Markdown.sentence($0) } : entries.map { line($0) }
        let slopes = (reading.events ?? []).filter { $0.kind == .slopeAfterwards }.map {
            "\(time.clock($0.at.wall)): \(Markdown.sentence($0.message))"
        }
        return paragraphs([
            recycleCounts,
            items.isEmpty ? nil : bounded(items, Self.actLimit, rest: "`oakum incidents show \(incident.id)`"),
            slopes.isEmpty ? nil : "What that bought:\n\n" + bounded(slopes, 12, rest: "the journal has them"),
            items.isEmpty && (reading.recycles?.finished ?? 0) == 0 ? nothingDone : nil,
        ])
    }

    private var recycleCounts: String? {
        guard let recycles = reading.recycles else { return "The journal of that time was not read." }
        guard recycles.finished + recycles.byHand + recycles.failed + recycles.withheld > 0 else { return nil }
        let took = recycles.took.map { range in
            let (low, high) = (Amount.duration(range.lowerBound), Amount.duration(range.upperBound))
            return low == high ? ", in \(low)" : ", in \(low) to \(high) each"
        }
        var parts: [String] = []
        if recycles.finished > 0 || recycles.withheld == 0 {
            parts.append(
                "replaced \(Amount.count(recycles.finished, "worker"))\(recycles.finished > 0 ? took ?? "" : "")")
        }
        if recycles.byHand > 0 {
            parts.append("replaced \(Amount.count(recycles.byHand, "worker")) that people told it to")
        }
        if recycles.failed > 0 { parts.append("failed to replace one \(Amount.count(recycles.failed, "time"))") }
        if recycles.withheld > 0 {
            parts.append(
                "held \(Amount.count(recycles.withheld, "recycle")) back, because it may not act or was paused")
        }
        return "It \(Self.joined(parts)). A recycle buys time; it never fixes a leak."
    }

    private var nothingDone: String {
        switch facts.treatment?.recycles {
        case false: "Nothing: it was told to observe only."
        case true: "Nothing: it may replace workers, and had no reason to."
        case nil: "Nothing is recorded."
        }
    }

    // MARK: - Who was told

    private static let pageLimit = 60

    var communication: String {
        let pages = reading.alarms
        let escalations = reading.entries(.escalated, .exhausted, .acknowledgementEnded, .deliveryFailed)
        return paragraphs([
            policySentence,
            pages.isEmpty ? noPage : pageTable(pages),
            escalations.isEmpty ? nil : bounded(escalations.map { line($0) }, 30, rest: "see the timeline"),
            stakeholders,
        ])
    }

    private var noPage: String {
        reading.wasToPageNobody ? "Nobody is paged for the service: `policy: none`." : "**No page was made.**"
    }

    private var policySentence: String? {
        let policy = incident.policy.map { "Escalation policy: \(Markdown.code($0))." }
        guard let held = incident.acknowledgement else { return policy }
        return sentences([
            policy, "Acknowledged by \(Markdown.text(held.by, limit: 100)) at \(time.clock(held.at)).",
        ])
    }

    private func pageTable(_ pages: [PageTold]) -> String {
        let rows = pages.prefix(Self.pageLimit).map { told in
            let who = told.page.person.map { Markdown.text($0, limit: 100) } ?? "–"
            return [
                time.row(told.page.at), Names.page(told.page.kind), who,
                Markdown.code(told.page.channel, inTable: true), fate(told), Markdown.code(told.page.id, inTable: true),
            ]
        }
        let table = Markdown.table(
            ["Made at (\(time.column))", "Page", "To", "Channel", "What became of it", "Delivery id"], rows)
        guard pages.count > Self.pageLimit else { return table }
        return table + "\n\n\(Amount.count(pages.count - Self.pageLimit, "page")) more are not shown."
    }

    private func fate(_ told: PageTold) -> String {
        let attempts = Amount.count(told.attempts, "attempt")
        let words = told.words.map { ": \(Markdown.text($0, limit: 200))" } ?? ""
        switch told.state {
        case .delivered: return "delivered, \(attempts)"
        case .waiting: return "waiting, \(attempts)\(words)"
        case .dead: return "**not delivered**, \(attempts)\(words)"
        case .withdrawn: return "withdrawn\(words)"
        }
    }

    private var stakeholders: String? {
        let pages = reading.stakeholderPages
        if pages.isEmpty {
            let told = reading.entries(.stakeholdersTold)
            guard !told.isEmpty else { return "The business was not told of it by Oakum." }
            return "The business was told:\n\n" + bounded(told.map { line($0) }, 20, rest: "see the timeline")
        }
        let items = pages.map { "\(time.clock($0.page.at)), \(fate($0)): \(Markdown.sentence($0.page.title))" }
        return "The business was told:\n\n" + bounded(items, 20, rest: "see the timeline")
    }
}
