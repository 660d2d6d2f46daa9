import OakumAPI
import OakumModel

/// Who would be paged now, and whether that works.
struct OnCallPage {
    var report: OnCallReport
    var navigation: ConsoleNavigation
    var mayAct: Bool
    var told: String?

    var markup: Markup {
        """
        \(ConsolePage.head(title: "Oakum · on call", script: "incidents.js", style: "incidents.css"))
        <body data-page="on-call">
        <a class="skip" href="#schedules-title">Skip to who is on call</a>
        \(IncidentFrame.top(navigation, lede: lede))
        <main class="single">
        \(told.map { "<p class=\"notice\" data-tone=\"info\" role=\"status\">\($0)</p>" as Markup } ?? "")
        \(problems)
        \(schedules)
        \(policies)
        \(silences)
        <section class="service" aria-labelledby="pages-title"><h2 id="pages-title">Recent pages</h2>
        \(report.deliveries.isEmpty ? "<p class=\"empty\">None yet.</p>" : IncidentDeliveries.table(report.deliveries))
        \(mayAct ? check : "")
        </section>
        </main>
        \(IncidentFrame.footer(navigation, json: "/api/v1/on-call"))
        </body>
        </html>

        """
    }

    private var lede: Markup {
        let names = report.schedules.compactMap(\.now)
        if names.isEmpty { return report.schedules.isEmpty ? "No schedule is configured." : "Nobody is on call." }
        return "On call now: \(names.joined(separator: ", "))"
    }

    private var problems: Markup {
        guard !report.problems.isEmpty else { return "" }
        let items: [Markup] = report.problems.map { "<li>\($0)</li>" }
        return """
            <div class="notice" data-tone="bad" role="alert"><strong>Something would go wrong.</strong><ul>\(items)</ul></div>
            """
    }

    private var schedules: Markup {
        let rows: [Markup] = report.schedules.map { schedule in
            """
            <tr><th scope="row">\(schedule.name)</th><td data-label="Now"><b>\(schedule.now ?? "nobody")</b></td>
            <td data-label="Until">\(IncidentShown.time(schedule.until))</td>
            <td data-label="Then">\(schedule.next ?? "–")</td></tr>
            """
        }
        return """
            <section class="service" aria-labelledby="schedules-title"><h2 id="schedules-title">Schedules</h2>
            \(rows.isEmpty ? "<p class=\"empty\">None is configured.</p>" : Self.table(["Schedule", "Now", "Until", "Then"], rows))
            </section>
            """
    }

    private var policies: Markup {
        let blocks: [Markup] = report.policies.map { policy in
            let steps: [Markup] = policy.steps.map { step in
                """
                <li><span class="number">after \(Shown.seconds(step.afterSeconds))</span>: \
                \(step.targets.isEmpty ? "nobody" : step.targets.joined(separator: ", "))</li>
                """
            }
            let repeats: Markup = policy.repeats > 0 ? ", repeated \(policy.repeats)×" : ""
            return """
                <h3>\(policy.name)</h3><p class="range">for \(policy.services.joined(separator: ", "))\(repeats)</p>
                <ol class="sentences">\(steps)</ol>
                """
        }
        return """
            <section class="service" aria-labelledby="policies-title"><h2 id="policies-title">Escalation</h2>
            \(blocks.isEmpty ? "<p class=\"empty\">No policy is configured: nobody is paged.</p>" : Markup.joined(blocks))
            </section>
            """
    }

    private var silences: Markup {
        guard !report.silences.isEmpty else { return "" }
        let rows: [Markup] = report.silences.map { silence in
            let end: Markup =
                mayAct
                ? """
                <form method="post" action="/silences/\(silence.id)/end"><button class="button" type="submit">End it</button></form>
                """ : ""
            return """
                <tr><th scope="row">\(silence.service ?? "any service")<span class="range">\
                \(silence.kind.map(IncidentShown.kind) ?? "any kind")</span></th>
                <td data-label="Until">\(IncidentShown.time(silence.until))</td>
                <td data-label="By">\(silence.author)<span class="range">\(silence.reason)</span></td><td>\(end)</td></tr>
                """
        }
        return """
            <section class="service" aria-labelledby="silences-title"><h2 id="silences-title">Silences</h2>
            \(Self.table(["What", "Until", "By", ""], rows))</section>
            """
    }

    private var check: Markup {
        """
        <form method="post" action="/on-call/check" class="fields">
        <label>Person (empty: whoever is on call)<input name="person" maxlength="\(IncidentRoutes.nameLimit)"></label>
        <button class="button" type="submit">Send a test page</button></form>
        """
    }

    private static func table(_ names: [String], _ rows: [Markup]) -> Markup {
        let heads: [Markup] = names.map { $0.isEmpty ? "<td></td>" : "<th scope=\"col\">\($0)</th>" }
        return """
            <div class="table-frame"><table class="incidents"><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>
            """
    }
}
