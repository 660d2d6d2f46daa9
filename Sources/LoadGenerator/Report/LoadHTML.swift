/// The outcome of a load run as one HTML page: no script, no font, no picture from elsewhere, so that it can be kept as
/// an artefact and read offline. It is well-formed XML, too.
package enum LoadHTML {
    package static func render(_ outcome: LoadOutcome) -> String {
        let report = outcome.report
        let title = XMLText.content("Load: \(outcome.name)")
        let verdict = outcome.judgement.verdict.rawValue
        var parts = [
            "<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\"/>",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>", "<title>\(title)</title>",
            "<style>\(style)</style>", "</head>", "<body>", "<main>", "<h1>\(title)</h1>",
            "<p class=\"verdict \(verdict)\">\(XMLText.content(outcome.headline))</p>",
        ]
        parts += list(outcome.judgement.reasons, "reasons") + list(outcome.judgement.remarks, "remarks")
        parts += facts(outcome)
        parts += thresholds(outcome.judgement)
        parts += ["<h2>Latency by request</h2>", endpoints(report)]
        for plot in plots(outcome) {
            parts += ["<h2>\(XMLText.content(plot.title))</h2>", plot.render(), plot.legend]
        }
        parts += failures(report)
        parts += ["<footer>oakum load, seed \(outcome.seed)</footer>", "</main>", "</body>", "</html>"]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
    }

    private static func list(_ lines: [String], _ kind: String) -> [String] {
        guard !lines.isEmpty else { return [] }
        return ["<ul class=\"\(kind)\">"] + lines.map { "<li>\(XMLText.content($0))</li>" } + ["</ul>"]
    }

    private static func facts(_ outcome: LoadOutcome) -> [String] {
        let report = outcome.report
        let rate = Figures.number(outcome.goodPerSecond, places: 1)
        var facts = [
            ("started", outcome.startedAt), ("target", outcome.targets.joined(separator: ", ")),
            ("load", outcome.load),
            (
                "requests",
                "\(Figures.grouped(report.requests)) in \(Figures.seconds(report.seconds)), \(rate)/s as expected"
            ),
            ("failed", "\(Figures.grouped(report.failed)): \(report.failures)"),
            ("latency counts from", outcome.loop == .open ? "the schedule" : "the moment of sending"),
            ("generator", LoadText.generator(report)),
        ]
        if let memory = outcome.memory, let first = memory.firstBytes, let last = memory.lastBytes,
            let peak = memory.peakBytes
        {
            let words = [first, last, peak].map { Figures.bytes(Double($0)) }
            facts.append(("memory of the target", "\(words[0]) at first, \(words[1]) at last, \(words[2]) at most"))
        }
        return ["<dl>"] + facts.map { "<dt>\($0.0)</dt><dd>\(XMLText.content($0.1))</dd>" } + ["</dl>"]
    }

    private static func thresholds(_ judgement: LoadJudgement) -> [String] {
        guard !judgement.thresholds.isEmpty else { return [] }
        let rows = judgement.thresholds.map { result in
            let cells = [result.threshold, result.measured ?? "–", result.state.rawValue, result.why ?? ""]
            let texts = cells.map { "<td>\(XMLText.content($0))</td>" }.joined()
            return "<tr class=\"\(result.state.rawValue)\">\(texts)</tr>"
        }
        let head = "<tr><th>threshold</th><th>measured</th><th></th><th></th></tr>"
        return ["<h2>Thresholds</h2>", "<table>", head] + rows + ["</table>"]
    }

    private static func endpoints(_ report: LoadReport) -> String {
        let rows = LoadText.endpoints(report).enumerated().map { number, row in
            let kind = number == 0 ? "th" : "td"
            return "<tr>" + row.map { "<\(kind)>\(XMLText.content($0))</\(kind)>" }.joined() + "</tr>"
        }
        return "<table class=\"figures\">" + rows.joined(separator: "\n") + "</table>"
    }

    private static func failures(_ report: LoadReport) -> [String] {
        guard !report.notes.isEmpty else { return [] }
        return ["<h2>First failures</h2>"] + list(report.notes, "notes")
    }

    // MARK: - Plots

    private static func plots(_ outcome: LoadOutcome) -> [SVGPlot] {
        let report = outcome.report
        func points(_ value: (LoadSecond) -> Double?) -> [(x: Double, y: Double)] {
            report.timeline.compactMap { second in value(second).map { (Double(second.second), $0) } }
        }
        let span = Double(report.timelineResolutionSeconds)
        let counts = withoutGaps(report)
        let seconds: (Double) -> String = { Figures.number($0, places: $0 == $0.rounded() ? 0 : 1) + " s" }
        var plots = [
            SVGPlot(
                title: "Latency over time",
                lines: [
                    SVGPlot.Line(name: "max", style: "c", points: points(\.maxMilliseconds)),
                    SVGPlot.Line(name: "p99", style: "a", points: points(\.p99Milliseconds)),
                    SVGPlot.Line(name: "p50", style: "b", points: points(\.p50Milliseconds)),
                ], xText: seconds, yText: Figures.milliseconds),
            SVGPlot(
                title: "Requests a second",
                lines: [
                    SVGPlot.Line(name: "ended", style: "b", points: counts.map { ($0.x, $0.ended / span) }),
                    SVGPlot.Line(name: "failed", style: "c", points: counts.map { ($0.x, $0.failed / span) }),
                ], xText: seconds, yText: { Figures.number($0, places: $0 < 10 && $0 != $0.rounded() ? 1 : 0) }),
        ]
        if let memory = outcome.memory {
            var unit = 1.0
            while unit * 1_024 <= Double(memory.peakBytes ?? 0) { unit *= 1_024 }
            let samples = memory.samples.map { (x: $0.seconds, y: Double($0.residentBytes)) }
            plots.append(
                SVGPlot(
                    title: "Memory of the target", lines: [SVGPlot.Line(name: "resident", style: "b", points: samples)],
                    yUnit: unit, xText: seconds, yText: Figures.bytes))
        }
        let curve = report.distribution?.curve().map { (x: $0.percentile, y: $0.milliseconds) } ?? []
        plots.append(
            SVGPlot(
                title: "Latency by percentile", lines: [SVGPlot.Line(name: "all requests", style: "a", points: curve)],
                xAxis: .nines, xText: { "p" + Self.percentile($0) }, yText: Figures.milliseconds))
        return plots
    }

    /// Requests of each record; stretches in which none ended, which the timeline leaves out, are zero.
    private static func withoutGaps(_ report: LoadReport) -> [(x: Double, ended: Double, failed: Double)] {
        let span = report.timelineResolutionSeconds
        guard let last = report.timeline.last else { return [] }
        var records: [(x: Double, ended: Double, failed: Double)] = []
        var next = report.timeline.makeIterator()
        var record = next.next()
        for second in stride(from: 0, through: last.second, by: span) {
            if let found = record, found.second == second {
                records.append((Double(second), Double(found.requests), Double(found.failures.failed)))
                record = next.next()
            } else {
                records.append((Double(second), 0, 0))
            }
        }
        return records
    }

    private static func percentile(_ value: Double) -> String {
        let text = Figures.number(value, places: 3)
        return String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed())
    }

    /// The style of reports; verdicts are classes.
    package static let style = """
        :root{color-scheme:light dark;--a:#0b62d6;--b:#2a8a4a;--c:#c2362b;--line:#8884}
        body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
        h1{font-size:1.4rem}h2{font-size:1.05rem;margin:2rem 0 .4rem}
        .verdict{font-weight:600;border-left:.4rem solid var(--line);padding:.2rem .8rem}
        .verdict.passed,.verdict.clean{border-color:var(--b)}.verdict.crossed,.verdict.leak,.verdict.nothing_measured{border-color:var(--c)}
        .verdict.no_evidence,.verdict.inconclusive{border-color:#b58900}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}dt{opacity:.7}dd{margin:0}
        table{border-collapse:collapse}td,th{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:left}
        .figures td:not(:first-child),.figures th:not(:first-child){text-align:right;font-variant-numeric:tabular-nums}
        tr.crossed td:nth-child(3){color:var(--c);font-weight:600}tr.held td:nth-child(3){color:var(--b)}
        svg{width:100%;height:auto}polyline{fill:none;stroke-width:1.6;stroke-linejoin:round}
        polyline.a{stroke:var(--a)}polyline.b{stroke:var(--b)}polyline.c{stroke:var(--c)}
        .grid{stroke:var(--line)}svg text{font-size:12px;fill:currentColor;opacity:.8}
        text.y{text-anchor:end}text.x{text-anchor:middle}
        .legend{display:flex;gap:1.2rem;list-style:none;padding:0;margin:.2rem 0}
        .key{display:inline-block;width:1rem;height:.25rem;margin-right:.4rem;vertical-align:middle}
        .key.a{background:var(--a)}.key.b{background:var(--b)}.key.c{background:var(--c)}
        footer{margin-top:2rem;opacity:.6}
        """
}
