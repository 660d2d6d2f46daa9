import OakumAPI
import OakumModel

/// All incidents, the newest first.
struct IncidentListPage {
    var incidents: [Incident]
    var query: IncidentQuery
    var now: WallTime
    var navigation: ConsoleNavigation
    var mayAct: Bool

    var markup: Markup {
        """
        \(ConsolePage.head(title: "Oakum · incidents", script: "incidents.js", style: "incidents.css"))
        <body data-page="incidents">
        <a class="skip" href="#incidents">Skip to the incidents</a>
        \(IncidentFrame.top(navigation, lede: lede))
        <main class="single" id="live">
        <section class="service" aria-labelledby="incidents-title">
        <header class="service-head"><h2 id="incidents-title">Incidents</h2>\(filters)</header>
        \(table)
        \(older)
        </section>
        \(mayAct ? form : "")
        </main>
        \(IncidentFrame.footer(navigation, json: "/api/v1/incidents"))
        </body>
        </html>

        """
    }

    private var lede: Markup {
        let open = incidents.count { $0.state == .open }
        if open == 0 { return "No incident waits for somebody." }
        return open == 1 ? "One incident waits for somebody." : "\(open) incidents wait for somebody."
    }

    private var filters: Markup {
        let all = query.states.isEmpty
        return """
            <p class="filters"><a href="/incidents"\(Self.current(all))>All</a> \
            <a href="/incidents?state=open,acknowledged,mitigated"\(Self.current(!all))>Not resolved</a></p>
            """
    }

    private static func current(_ isCurrent: Bool) -> Markup { isCurrent ? " aria-current=\"true\"" : "" }

    private var table: Markup {
        guard !incidents.isEmpty else { return "<p class=\"empty\">There is none.</p>" }
        return """
            <div class="table-frame"><table class="incidents" id="incidents">
            <thead><tr><th scope="col">Incident</th><th scope="col">State</th><th scope="col">Severity</th>\
            <th scope="col">Detected</th><th scope="col" class="right">For</th><th scope="col" class="right">Alerts</th></tr></thead>
            <tbody>\(incidents.map(row))</tbody>
            </table></div>
            """
    }

    private func row(_ incident: Incident) -> Markup {
        let end = incident.milestones.resolved ?? now
        let length = Double(end.milliseconds - incident.milestones.detected.milliseconds) / 1000
        let by: Markup = incident.acknowledgement.map { "<span class=\"range\">by \($0.by)</span>" } ?? ""
        return """
            <tr data-state="\(incident.state.rawValue)"><th scope="row"><a href="/incidents/\(incident.id)">\
            \(IncidentShown.number(incident.id)) \(incident.title)</a><span class="range">\
            \(incident.service ?? "host or outside") · \(IncidentShown.kind(incident.kind))</span></th>
            <td data-label="State">\(IncidentShown.stateChip(incident.state))\(by)</td>
            <td data-label="Severity">\(IncidentShown.severityChip(incident.severity))</td>
            <td data-label="Detected">\(IncidentShown.time(incident.milestones.detected))</td>
            <td data-label="For" class="right number">\(Shown.seconds(max(0, length)))</td>
            <td data-label="Alerts" class="right number">\(incident.alertCount)</td></tr>

            """
    }

    private var older: Markup {
        guard incidents.count == query.limit, let last = incidents.last else { return "" }
        let states = query.states.map(\.rawValue).sorted().joined(separator: ",")
        let filter: Markup = states.isEmpty ? "" : "&amp;state=\(states)"
        return "<p class=\"older\"><a href=\"/incidents?before=\(last.id)\(filter)\">Older ones</a></p>"
    }

    private var form: Markup {
        let choices: [Markup] = Severity.allCases.reversed().map {
            "<option value=\"\($0.rawValue)\">\(IncidentShown.severity($0))</option>"
        }
        return """
            <section class="service" aria-labelledby="open-title"><h2 id="open-title">Open an incident by hand</h2>
            <form method="post" action="/incidents" class="fields">
            <label>What is wrong<input name="title" required maxlength="\(IncidentRoutes.titleLimit)"></label>
            <label>Service<input name="service" maxlength="\(IncidentRoutes.nameLimit)"></label>
            <label>Severity<select name="severity">\(choices)</select></label>
            <label class="wide">Details<textarea name="details" rows="3" maxlength="\(IncidentRoutes.textLimit)"></textarea></label>
            <button class="button primary" type="submit">Open</button>
            </form></section>
            """
    }
}

/// The frame of the pages about incidents.
enum IncidentFrame {
    static func top(_ navigation: ConsoleNavigation, lede: Markup) -> Markup {
        """
        <header class="top">
        <a class="brand" href="/" title="All services">\(ConsolePage.mark)<h1>Oakum</h1></a>
        \(navigation.markup)
        <p class="lede">\(lede)</p>
        </header>
        """
    }

    static func footer(_ navigation: ConsoleNavigation, json: String) -> Markup {
        """
        <footer><p id="zone">times in UTC</p>\(navigation.signedIn)\
        <p><a href="\(json)">JSON</a> <a href="/openapi.json">API</a></p></footer>
        """
    }
}
