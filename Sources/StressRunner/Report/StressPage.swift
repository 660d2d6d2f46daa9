import LeakTrial
import LoadGenerator

/// A stress test as one HTML page with a chart for each endpoint: no script, nothing from elsewhere.
package enum StressPage {
    package static func render(_ report: StressReport) -> String {
        let title = XMLText.content("Stress: \(report.command.first.map(fileName) ?? "a program")")
        var parts = [
            "<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\"/>",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>", "<title>\(title)</title>",
            "<style>\(LoadHTML.style)</style>", "</head>", "<body>", "<main>", "<h1>\(title)</h1>",
            "<p><code>\(XMLText.content(report.command.joined(separator: " ")))</code></p>", summary(report),
        ]
        for endpoint in report.endpoints { parts += section(endpoint) }
        parts += ["<footer>oakum stress</footer>", "</main>", "</body>", "</html>"]
        return parts.joined(separator: "\n") + "\n"
    }

    private static func summary(_ report: StressReport) -> String {
        let rows = report.endpoints.map { endpoint in
            let cells = [endpoint.name, StressText.headline(endpoint)]
            return "<tr>" + cells.map { "<td>\(XMLText.content($0))</td>" }.joined() + "</tr>"
        }
        return "<table><tr><th>endpoint</th><th>verdict</th></tr>\(rows.joined())</table>"
    }

    private static func section(_ endpoint: EndpointReport) -> [String] {
        var parts = [
            "<h2>\(XMLText.content(endpoint.name))</h2>",
            "<p class=\"verdict \(endpoint.verdict.rawValue)\">\(XMLText.content(StressText.headline(endpoint)))</p>",
        ]
        if !endpoint.remarks.isEmpty {
            parts.append("<ul>" + endpoint.remarks.map { "<li>\(XMLText.content($0))</li>" }.joined() + "</ul>")
        }
        if let plot = plot(endpoint) { parts += [plot.render(), plot.legend] }
        for site in endpoint.sites {
            let facts = [
                ("kept", "\(StressText.bytes(site.bytesPerOperation)) a request"), ("at", site.site),
                ("type", site.type ?? "unknown"),
                ("held by", site.chain.isEmpty ? "unknown" : site.chain.joined(separator: " → ")),
            ]
            let list = facts.map { "<dt>\($0.0)</dt><dd>\(XMLText.content($0.1))</dd>" }.joined()
            parts.append("<dl>\(list)</dl>")
        }
        return parts
    }

    /// Growth since the first reading, over the requests since then.
    private static func plot(_ endpoint: EndpointReport) -> SVGPlot? {
        let all = endpoint.sameKeys + endpoint.freshKeys
        guard let first = all.first, all.count > 2 else { return nil }
        var unit = 1.0
        while unit * 1_024 <= all.map({ $0.bytes - first.bytes }).max() ?? 0 { unit *= 1_024 }
        func line(_ name: String, _ style: String, _ readings: [EndpointReport.Reading]) -> SVGPlot.Line {
            SVGPlot.Line(
                name: name, style: style,
                points: readings.map { ($0.requests - first.requests, max(0, $0.bytes - first.bytes)) })
        }
        return SVGPlot(
            title: "memory since the first reading, by requests",
            lines: [
                line("the same keys", "a", endpoint.sameKeys), line("fresh keys", "c", endpoint.freshKeys),
            ],
            yUnit: unit, xText: { Figures.grouped(UInt64(max(0, $0))) }, yText: { StressText.bytes($0) })
    }

    private static func fileName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
