import OakumAPI
import OakumModel

/// One incident: what is known, what was done, and what can be done.
struct IncidentPage {
    var report: IncidentReport
    /// Memory of its service; nil when there is none to show.
    var history: History?
    var now: WallTime
    var navigation: ConsoleNavigation
    var mayAct: Bool
    /// What the last act of this reader brought, in words.
    var told: String?

    private var incident: Incident { report.incident }

    var markup: Markup {
        """
        \(ConsolePage.head(
            title: "Oakum · \(IncidentShown.number(incident.id))", script: "incidents.js", style: "incidents.css"))
        <body data-page="incident" data-incident="\(incident.id)" data-updated="\(incident.updated.milliseconds)">
        <a class="skip" href="#timeline">Skip to the timeline</a>
        \(IncidentFrame.top(navigation, lede: "\(IncidentShown.number(incident.id)) \(incident.title)"))
        <main class="incident">
        <div class="column" id="live">
        \(notice)
        \(summary)
        \(IncidentEvidence(incident: incident, history: history, now: now).markup)
        \(impact)
        \(IncidentDeliveries.section(report.deliveries))
        </div>
        <div class="column">
        \(mayAct ? IncidentForms.markup(incident) : "")
        <div id="live-side">\(timeline)</div>
        </div>
        </main>
        \(IncidentFrame.footer(navigation, json: "/api/v1/incidents/\(incident.id)"))
        </body>
        </html>

        """
    }

    private var notice: Markup {
        told.map { "<p class=\"notice\" data-tone=\"info\" role=\"status\">\($0)</p>" } ?? ""
    }

    // MARK: - Where it stands

    private var summary: Markup {
        let acknowledged: Markup =
            incident.acknowledgement.map { acknowledgement in
                """
                <div><dt>Taken on by</dt><dd>\(acknowledgement.by), \(IncidentShown.time(acknowledgement.at))\
                \(acknowledgement.until.map { ", holds until \(IncidentShown.time($0))" as Markup } ?? "")</dd></div>
                """
            } ?? ""
        let runbook: Markup =
            IntakeText.link(incident.runbook).map { "<div><dt>Runbook</dt><dd><a href=\"\($0)\">\($0)</a></dd></div>" }
            ?? incident.runbook.map { "<div><dt>Runbook</dt><dd>\($0)</dd></div>" } ?? ""
        let reopened: Markup =
            incident.reopened > 0 ? "<div><dt>Came back</dt><dd>\(incident.reopened)×</dd></div>" : ""
        let mitigation: Markup = incident.mitigation.map { "<p class=\"estimates\">\($0)</p>" } ?? ""
        return """
            <section class="service" aria-labelledby="incident-title">
            <header class="service-head"><h2 id="incident-title">\(IncidentShown.number(incident.id)) \(incident.title)</h2>
            <p>\(IncidentShown.stateChip(incident.state))\(IncidentShown.severityChip(incident.severity))</p></header>
            <dl class="pairs"><div><dt>Service</dt><dd>\(incident.service ?? "the host, or from outside")</dd></div>
            <div><dt>Kind</dt><dd>\(IncidentShown.kind(incident.kind))</dd></div>
            \(acknowledged)\(reopened)
            <div><dt>Policy</dt><dd>\(incident.policy ?? "nobody is paged")</dd></div>\(runbook)</dl>
            \(mitigation)
            \(milestones)
            \(alerts)
            </section>
            """
    }

    private var milestones: Markup {
        let times = incident.milestones
        let steps: [(String, WallTime?)] = [
            ("Leak begins", times.leakOnset), ("Users notice", times.impactOnset), ("Detected", times.detected),
            ("Paged", times.paged), ("Taken on", times.acknowledged), ("Cause named", times.causeNamed),
            ("Mitigated", times.mitigated), ("Restored", times.restored), ("Resolved", times.resolved),
        ]
        let items: [Markup] = steps.map { "<div><dt>\($0.0)</dt><dd>\(IncidentShown.time($0.1))</dd></div>" }
        return "<dl class=\"milestones\">\(items)</dl>\(lead)"
    }

    private var lead: Markup {
        guard let lead = incident.milestones.leadSeconds else {
            return "<p class=\"estimates\">No user has noticed, as far as measured.</p>"
        }
        return lead >= 0
            ? "<p class=\"estimates\">Detected \(Shown.seconds(lead)) before users noticed.</p>"
            : "<p class=\"estimates\">Users noticed \(Shown.seconds(-lead)) before it was detected.</p>"
    }

    private var alerts: Markup {
        let items: [Markup] = incident.alerts.map { alert in
            """
            <li>\(IncidentShown.severityChip(alert.severity))\(Shown.glued(alert.summary)) <span class="range">\
            \(IncidentShown.kind(alert.kind)), since \(IncidentShown.time(alert.since)), \
            \(alert.isFiring ? "holds" : "over")\(alert.isSymptom ? ", a symptom of the cause" : "")</span></li>
            """
        }
        let more: Markup =
            incident.alertCount > incident.alerts.count
            ? "<p class=\"left-out\">\(incident.alertCount) were told in all.</p>" : ""
        return items.isEmpty ? "" : "<h3>Alerts</h3><ul class=\"sentences\">\(items)</ul>\(more)"
    }

    // MARK: - Impact and timeline

    private var impact: Markup {
        guard !incident.impact.isEmpty else { return "" }
        let rows: [Markup] = incident.impact.map { impact in
            """
            <tr><th scope="row">\(impact.what)\(impact.service.map { "<span class=\"range\">\($0)</span>" as Markup } ?? "")</th>
            <td class="right number" data-label="Counted">\(IncidentShown.amount(impact.actual))</td>
            <td class="right number" data-label="Expected">\(IncidentShown.amount(impact.expected.estimate))\
            <span class="range">\(IncidentShown.amount(impact.expected.low)) to \
            \(IncidentShown.amount(impact.expected.high))</span></td>
            <td class="right number" data-label="Change"><b>\(IncidentShown.change(impact.percent))</b></td>
            <td data-label="From">\(IncidentShown.time(impact.from))<span class="range">\
            \(impact.until.map { "until \(IncidentShown.time($0))" as Markup } ?? "goes on") · \(impact.basis)</span></td></tr>
            """
        }
        return """
            <section class="service" aria-labelledby="impact-title"><h2 id="impact-title">Impact</h2>
            <div class="table-frame"><table class="incidents"><thead><tr><th scope="col">What</th>\
            <th scope="col" class="right">Counted</th><th scope="col" class="right">Expected</th>\
            <th scope="col" class="right">Change</th><th scope="col">From</th></tr></thead>
            <tbody>\(rows)</tbody></table></div></section>
            """
    }

    private var timeline: Markup {
        let items: [Markup] = report.timeline.reversed().map { entry in
            """
            <li data-tone="\(IncidentShown.tone(entry.kind))"><p class="event-head"><span class="event-kind">\
            \(IncidentShown.timeline(entry.kind))</span>\(IncidentShown.time(entry.at))</p>\
            <p class="event-text">\(Shown.glued(entry.text))</p>\
            \(entry.by == "oakum" ? "" : "<p class=\"leak-site\">by \(entry.by)</p>" as Markup)</li>
            """
        }
        return """
            <aside class="events" id="timeline" aria-labelledby="timeline-title"><header><h2 id="timeline-title">Timeline</h2>
            <p class="zone">newest first</p></header><ol>\(items)</ol></aside>
            """
    }
}
