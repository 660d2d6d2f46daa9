import OakumModel

extension DraftWriter {
    private static let logLimit = 20

    var supporting: String {
        paragraphs([chartImages, logs, alerts, notes, whereToLook, glossary])
    }

    private var chartImages: String? {
        guard !charts.isEmpty else { return "No chart: no series of that time could be read." }
        return charts.map { chart in
            "### \(Markdown.text(chart.title))\n\n"
                + Markdown.image(chart.description, chart.fileName)
        }.joined(separator: "\n\n")
    }

    private var logs: String? {
        guard !evidence.logs.isEmpty else { return nil }
        let lines = evidence.logs.map { Markdown.code($0, limit: 500) }
        return "### Log lines that belong to it\n\n"
            + bounded(lines, Self.logLimit, rest: "`oakum incidents show \(incident.id)`")
    }

    private var alerts: String? {
        guard !incident.alerts.isEmpty else { return nil }
        let rows = incident.alerts.prefix(Incident.alertLimit).map { alert in
            [
                time.row(alert.since), Names.kind(alert.kind), alert.severity.rawValue, Markdown.text(alert.summary),
                alert.isSymptom ? "symptom, held back" : "counted", alert.isFiring ? "yes" : "no",
            ]
        }
        let table = Markdown.table(
            ["Since (\(time.column))", "Alert", "Severity", "Said", "Treated as", "Still firing"], rows)
        let more =
            incident.alertCount > rows.count
            ? "\n\n\(Amount.count(incident.alertCount - rows.count, "further alert")) told the same." : ""
        return "### Alerts\n\n" + table + more
    }

    private var notes: String? {
        let notes = reading.entries(.note)
        guard !notes.isEmpty else { return nil }
        return "### Notes of people\n\n" + bounded(notes.map { line($0) }, 40, rest: "see the timeline")
    }

    private var whereToLook: String {
        var items = [
            "The incident with all its lines: \(Markdown.code("oakum incidents show \(incident.id)"))",
            "Fingerprint: \(Markdown.code(incident.fingerprint, limit: 512))",
        ]
        if let service = incident.service {
            items.append("What lives in its heap now: \(Markdown.code("oakum heap \(service)"))")
        }
        if let process = evidence.process {
            items.append("Process looked at: pid \(process.pid), started \(process.startTicks) ticks after boot")
        }
        if let took = reading.leak?.tookSeconds { items.append("Looking into the heap took \(Amount.duration(took))") }
        return "### Where to look\n\n" + Markdown.list(items)
    }

    /// The words a reader outside of the team may not know.
    private var glossary: String {
        let link = facts.glossary.map { " More in the \(Markdown.fileLink("glossary", $0))." } ?? ""
        return "### Words\n\n"
            + "_Leak onset_: since when memory grows without a bound, from its series. _Impact onset_: the first breach of what "
            + "users notice. _Lead time_: from detection to impact onset. _Site_: where memory was allocated. _Holder chain_: "
            + "the references that keep it alive, from a root. _Recycle_: a worker is replaced by a fresh one. _Budget_: the "
            + "memory one worker may hold. _Slope_: growth of memory over time, with the interval it lies in.\(link)"
    }
}
