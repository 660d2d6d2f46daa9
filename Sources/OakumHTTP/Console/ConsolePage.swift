import OakumAPI
import OakumModel

/// The page around services and events.
struct ConsolePage {
    var overview: Overview
    /// In rising order of their number.
    var events: [EventRecord]
    /// Whether the chart library is installed.
    var hasCharts: Bool
    var navigation = ConsoleNavigation(place: .overview, open: nil, principal: nil)

    var markup: Markup {
        let lastEvent = events.last?.id ?? 0
        let names = overview.services.map(\.name).joined(separator: ", ")
        return """
            \(Self.head(title: names.isEmpty ? "Oakum" : "Oakum · \(names)", script: "console.js", charts: hasCharts))
            <body data-last-event="\(lastEvent)" data-now="\(overview.at.wall.milliseconds)">
            <a class="skip" href="#services">Skip to the services</a>
            <header class="top">
            <div class="brand">\(Self.mark)<h1>Oakum</h1></div>
            \(navigation.markup)
            <p class="lede" id="lede">\(Shown.lede(overview))</p>
            <p class="live" id="live" role="status" data-state="static"><span class="dot" aria-hidden="true"></span>\
            <span id="live-text">As of \(CivilTime(overview.at.wall).clockText) UTC</span></p>
            </header>
            \(notices)
            <main>
            <div id="services">\(services)</div>
            \(EventList(events: events, now: overview.at).markup)
            </main>
            \(footer)
            \(WorkerRow.template)
            \(EventList.template)
            </body>
            </html>

            """
    }

    /// The page when the control plane does not answer.
    ///
    /// - Parameter again: where to try again.
    static func trouble(_ error: ControlError, again: String = "/") -> Markup {
        notice("Oakum cannot answer.", error.message, "<a href=\"\(again)\">Try again</a>")
    }

    /// The page of a request that was refused.
    static func trouble(_ detail: String) -> Markup {
        notice("That did not work.", detail, "<a href=\"/\">All services</a>")
    }

    private static func notice(_ title: String, _ text: String, _ link: Markup) -> Markup {
        """
        \(head(title: "Oakum"))
        <body>
        <header class="top"><div class="brand">\(mark)<h1>Oakum</h1></div></header>
        <div class="notices"><p class="notice" data-tone="bad" role="alert"><strong>\(title)</strong> \
        \(text)</p></div>
        <p class="retry">\(link)</p>
        </body>
        </html>

        """
    }

    private var notices: Markup {
        let oakum = overview.oakum
        return """
            <div class="notices" id="notices">
            <p class="notice" id="observe-only" data-tone="info"\(Self.hidden(!oakum.observeOnly))>\
            <strong>Observe-only.</strong> Oakum watches and gives verdicts, and recycles nothing.</p>
            <p class="notice" id="paused" data-tone="warn"\(Self.hidden(!oakum.paused))>\
            <strong>Paused.</strong> Nothing is recycled until <code>oakum pause --off</code>.</p>
            <div class="notice" id="problems" data-tone="bad" role="alert"\(Self.hidden(oakum.problems.isEmpty))>\
            <strong>Something does not work.</strong><ul>\(oakum.problems.map { "<li>\($0)</li>" })</ul></div>
            </div>
            """
    }

    private var services: [Markup] {
        if overview.services.isEmpty {
            return ["<p class=\"empty\">No services are configured: name one in <code>oakum.yaml</code>.</p>"]
        }
        return overview.services.enumerated().map { index, service in
            ServiceSection(service: service, index: index, now: overview.at, hasCharts: hasCharts).markup
        }
    }

    private var footer: Markup {
        let oakum = overview.oakum
        let keeper: Markup = oakum.keeperPID.map { " · keeper <span class=\"number\">\($0)</span>" } ?? ""
        let age = Shown.seconds(overview.at.uptime - oakum.startedAt.uptime)
        return """
            <footer><p>oakum \(oakum.version) · pid <span class="number">\(oakum.pid)</span>\(keeper) · \
            <span class="number" id="own-rss">\(Shown.bytes(oakum.rss))</span> resident · up \
            <span class="number" id="own-age">\(age)</span></p>
            \(navigation.signedIn)<p><a href="/api/v1/overview">JSON</a> <a href="/metrics">Metrics</a></p></footer>
            """
    }

    static func hidden(_ isHidden: Bool) -> Markup {
        isHidden ? " hidden" : ""
    }

    // MARK: - Parts that never change

    /// - Parameters:
    ///   - script: the asset with the page's script.
    ///   - style: an asset with more style than all pages have.
    static func head(
        title: String, script: String? = nil, style: String? = nil, charts: Bool = false
    ) -> Markup {
        let chartScript: Markup = charts ? "<script src=\"/assets/dygraphs/dygraph.min.js\" defer></script>\n" : ""
        let pageScript: Markup =
            script.map { "<script type=\"module\" src=\"/assets/\($0)\"></script>\n" } ?? ""
        let moreStyle: Markup = style.map { "<link rel=\"stylesheet\" href=\"/assets/\($0)\">\n" } ?? ""
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title)</title>
            <link rel="icon" href="\(favicon)">
            <link rel="stylesheet" href="/assets/console.css">
            \(moreStyle)\(chartScript)\(pageScript)</head>
            """
    }

    /// A hull's seam, sealed: two planks and the strand between them.
    static let mark: Markup = """
        <svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">\
        <rect width="32" height="32" rx="8" class="mark-ground"/>\
        <path d="M4 9.5h24M4 22.5h24" class="mark-plank"/>\
        <path d="M4 16c3-4.4 5-4.4 8 0s5 4.4 8 0 5-4.4 8 0" class="mark-strand"/></svg>
        """

    private static let favicon: Markup = """
        data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' \
        height='32' rx='8' fill='%2317374a'/%3E%3Cpath d='M4 9.5h24M4 22.5h24' stroke='%237fa6b8' stroke-width='2.4' \
        stroke-linecap='round'/%3E%3Cpath d='M4 16c3-4.4 5-4.4 8 0s5 4.4 8 0 5-4.4 8 0' fill='none' \
        stroke='%23e0a458' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E
        """
}
