import OakumAPI
import OakumModel

/// What people see behind a link of a page: small, and readable on a telephone at night.
enum ActionLinkPage {
    static func question(_ link: ActionLink, _ incident: Incident, isUsed: Bool) -> Markup {
        let name = IncidentShown.number(incident.id)
        let facts: Markup = """
            <p class="eyebrow">\(name) · \(IncidentShown.state(incident.state)) · \
            \(IncidentShown.severity(incident.severity))</p>
            <h2>\(incident.title)</h2>
            <p>\(incident.evidence.verdictSummary ?? incident.alerts.first?.summary ?? "")</p>
            """
        guard !isUsed else {
            return page("\(name): done before", "\(facts)<p role=\"status\">This link has acted before. \(further)</p>")
        }
        return page(
            "\(verb(link.action)) \(name)?",
            """
            \(facts)
            <form method="post"><button class="button primary" type="submit">\(verb(link.action)) \(name)</button></form>
            <p class="small">As \(link.person). The link acts once, until \(CivilTime(link.expires).dateText) \
            \(CivilTime(link.expires).clockText) UTC.</p>
            """)
    }

    static func done(_ link: ActionLink, _ outcome: IncidentOutcome) -> Markup {
        let name = IncidentShown.number(link.incident)
        let title: Markup = outcome.changed ? "\(name): done" : "\(name): nothing changed"
        return page(
            title, "<p role=\"status\">\(outcome.message)</p><p class=\"small\">As \(link.person). \(further)</p>")
    }

    static func usedBefore(_ link: ActionLink) -> Markup {
        page(
            "\(IncidentShown.number(link.incident)): nothing changed",
            "<p role=\"status\">This link has acted before; a second time changes nothing. \(further)</p>")
    }

    static func expired(_ link: ActionLink) -> Markup {
        page(
            "The link has expired",
            """
            <p role="alert">It acted on \(IncidentShown.number(link.incident)) until \
            \(CivilTime(link.expires).dateText) \(CivilTime(link.expires).clockText) UTC. Nothing was done. \(further)</p>
            """)
    }

    static func trouble(_ text: String) -> Markup {
        page("Nothing was done", "<p role=\"alert\">\(text)</p>")
    }

    private static let further: Markup = "What is going on is in the <a href=\"/incidents\">console</a>."

    private static func verb(_ action: ActionLink.Action) -> String {
        switch action {
        case .acknowledge: "Acknowledge"
        case .resolve: "Resolve"
        }
    }

    private static func page(_ title: Markup, _ body: Markup) -> Markup {
        """
        \(ConsolePage.head(title: "Oakum", style: "incidents.css"))
        <body class="narrow">
        <header class="top"><div class="brand">\(ConsolePage.mark)<h1>Oakum</h1></div></header>
        <main class="card"><p class="card-title">\(title)</p>
        \(body)
        </main>
        </body>
        </html>

        """
    }
}
