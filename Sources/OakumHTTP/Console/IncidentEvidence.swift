import OakumAPI
import OakumModel

/// What is known of an incident's cause, and the memory of its service.
struct IncidentEvidence {
    var incident: Incident
    var history: History?
    var now: WallTime

    private var evidence: Evidence { incident.evidence }

    var markup: Markup {
        """
        <section class="service" aria-labelledby="evidence-title"><h2 id="evidence-title">Evidence</h2>
        \(verdict)
        \(plot)
        \(leaks)
        \(cause)
        \(Self.list("What Oakum does by itself", evidence.acts))
        \(Self.list("Deploys shortly before", evidence.deploys))
        \(Self.list("Log lines that belong to it", evidence.logs, isCode: true))
        </section>
        """
    }

    private var verdict: Markup {
        var parts: [Markup] = []
        if let verdict = evidence.verdict {
            parts.append(
                """
                <p data-verdict="\(verdict.code.rawValue)"><span class="chip">\(Shown.verdict(verdict.code))</span> \
                \(Shown.glued(evidence.verdictSummary ?? ""))</p>
                """)
            parts.append(Self.list(nil, verdict.evidence))
        } else if let summary = evidence.verdictSummary {
            parts.append("<p>\(Shown.glued(summary))</p>")
        }
        if let rss = evidence.rssBytes {
            let budget: Markup = evidence.budgetBytes.map { " of \(Shown.limit(ByteCount($0)))" } ?? ""
            let worker: Markup = evidence.worker.map { "Worker \($0)" } ?? "The worker"
            let process: Markup = evidence.process.map { ", pid \($0.pid)" } ?? ""
            parts.append("<p class=\"estimates\">\(worker)\(process) held \(Shown.bytes(ByteCount(rss)))\(budget).</p>")
        }
        return parts.isEmpty ? "<p class=\"empty\">Nothing was measured for it.</p>" : Markup.joined(parts)
    }

    private var plot: Markup {
        guard let history else { return "" }
        let times = incident.milestones
        let marks: [(String, WallTime?)] = [
            ("leak", times.leakOnset), ("impact", times.impactOnset), ("detected", times.detected),
            ("mitigated", times.mitigated), ("resolved", times.resolved),
        ]
        return MemoryPlot(
            history: history, marks: marks.compactMap { name, at in at.map { MemoryPlot.Mark(name: name, at: $0) } }
        ).markup
    }

    // MARK: - What leaks

    private var leaks: Markup {
        guard !evidence.heap.isEmpty else { return "" }
        let rows: [Markup] = evidence.heap.map { finding in
            """
            <tr><th scope="row"><span class="place">\(finding.site)</span><span class="type">\
            \(finding.type ?? "type not known")</span></th>
            <td class="right number" data-label="Alive">\(Shown.bytes(ByteCount(finding.liveBytes)))\
            <span class="range">\(HeapShown.percent(finding.share)) of all</span></td>
            <td class="right number" data-label="Never freed">\
            \(finding.neverFreed.map { HeapShown.percent($0.estimate) } ?? "–")</td></tr>
            \(finding.chain.isEmpty ? "" : chain(finding))
            """
        }
        let query = incident.service.flatMap { service in
            evidence.worker.map { HeapQuery(service: service, worker: $0) }
        }
        let link: Markup = query.map { "<p><a href=\"/heap?\($0.parameters)\">Look into its heap</a></p>" } ?? ""
        return """
            <h3>What leaks</h3>
            <div class="table-frame"><table class="incidents"><thead><tr><th scope="col">Where it was allocated</th>\
            <th scope="col" class="right">Alive</th><th scope="col" class="right">Never freed</th></tr></thead>
            <tbody>\(rows)</tbody></table></div>\(link)
            """
    }

    private func chain(_ finding: HeapFinding) -> Markup {
        "<tr class=\"chains\"><td colspan=\"3\"><p class=\"range\">held by</p>\(ChainSteps.steps(finding.chain))</td></tr>"
    }

    // MARK: - Why

    private var cause: Markup {
        guard let cause = evidence.cause else { return "" }
        let ranked: [Markup] = cause.ranked.map { one in
            """
            <li><b>\(one.cause)</b> <span class="number">\(HeapShown.percent(one.belief))</span>\
            <span class="range">\(Shown.glued(one.sentence))</span></li>
            """
        }
        let buys: Markup =
            cause.restartBuysSeconds.map { buys in
                """
                <p class="estimates">A restart now would buy \(Shown.seconds(buys.estimate)) (\(Shown.seconds(buys.low)) to \
                \(Shown.seconds(buys.high))); it would repair nothing.</p>
                """
            } ?? ""
        return """
            <h3>Cause</h3><p>\(Shown.glued(cause.summary))</p>
            \(ranked.isEmpty ? "" : "<ol class=\"sentences\" aria-label=\"Causes, the likeliest first\">\(ranked)</ol>" as Markup)
            \(Self.list("What follows from it", cause.consequences))
            \(Self.list("Ruled out", cause.ruledOut))
            \(buys)
            """
    }

    /// Nothing for an empty list.
    static func list(_ title: String?, _ sentences: [String], isCode: Bool = false) -> Markup {
        guard !sentences.isEmpty else { return "" }
        let items: [Markup] = sentences.map { isCode ? "<li><code>\($0)</code></li>" : "<li>\(Shown.glued($0))</li>" }
        let heading: Markup = title.map { "<h3>\($0)</h3>" } ?? ""
        return "\(heading)<ul class=\"sentences\">\(items)</ul>"
    }
}

/// Pages to people, and what became of them.
enum IncidentDeliveries {
    static func section(_ deliveries: [Delivery]) -> Markup {
        let body: Markup =
            deliveries.isEmpty ? "<p class=\"empty\">Nobody was told.</p>" : table(deliveries)
        return """
            <section class="service" aria-labelledby="deliveries-title"><h2 id="deliveries-title">Who was told</h2>
            \(body)</section>
            """
    }

    static func table(_ deliveries: [Delivery]) -> Markup {
        let rows: [Markup] = deliveries.map { delivery in
            let page = delivery.page
            let next: Markup = delivery.nextAttempt.map { ", again at \(IncidentShown.time($0))" } ?? ""
            let tries = delivery.attempts == 1 ? "1 attempt" : "\(delivery.attempts) attempts"
            return """
                <tr><th scope="row">\(page.person ?? page.channel)<span class="range">\(page.channel) · \
                \(IncidentShown.page(page.kind))</span></th>
                <td data-label="Made">\(IncidentShown.time(page.at))</td>
                <td data-label="State"><span class="chip" data-delivery="\(delivery.state.rawValue)">\
                \(state(delivery.state))</span><span class="range">\(tries)\(next)</span></td>
                <td data-label="Receipt" class="words">\(delivery.words ?? "–")<span class="range">\(page.id)</span></td></tr>

                """
        }
        return """
            <div class="table-frame"><table class="incidents"><thead><tr><th scope="col">To</th><th scope="col">Made</th>\
            <th scope="col">State</th><th scope="col">Receipt</th></tr></thead><tbody>\(rows)</tbody></table></div>
            """
    }

    private static func state(_ state: Delivery.State) -> String {
        switch state {
        case .waiting: "Waiting"
        case .delivered: "Delivered"
        case .dead: "Given up"
        case .withdrawn: "Withdrawn"
        }
    }
}
