import OakumModel

/// A chart of a postmortem: a file that lies beside it.
package struct PostmortemChart: Hashable, Sendable {
    /// "INCIDENT-12-registrar-memory-leak-memory.svg".
    package var fileName: String
    package var title: String
    /// What it shows, for who cannot see it.
    package var description: String
    package var svg: String

    /// Measures drawn beside memory.
    private static let measureLimit = 4
    /// Processes drawn; a service that is recycled all the time has very many.
    private static let processLimit = 40
    /// Marks drawn; of more, those of recycles go first.
    private static let markLimit = 14

    static func all(_ reading: IncidentReading, time: TimeWords, fileStem: String) -> [PostmortemChart] {
        let memory = reading.facts.memory.flatMap { self.memory($0, reading, time, fileStem) }
        let measures = reading.facts.measures.prefix(measureLimit).compactMap { measure($0, reading, time, fileStem) }
        return [memory].compactMap { $0 } + measures
    }

    // MARK: - Memory

    private static func memory(
        _ record: MemoryRecord, _ reading: IncidentReading, _ time: TimeWords, _ fileStem: String
    ) -> PostmortemChart? {
        let processes = record.processes.filter { !$0.points.isEmpty }
        guard !processes.isEmpty else { return nil }
        let service = reading.incident.service ?? "host"
        let shown = processes.prefix(processLimit)
        var description =
            "Resident memory of \(Amount.count(shown.count, "process", "processes")) of \(service) over time"
        if processes.count > shown.count { description += " (of \(processes.count))" }
        if record.budget.bytes > 0 { description += "; the budget of one worker is \(record.budget)" }
        if let share = reading.peakShare { description += "; at most \(Amount.share(share)) of it was held" }
        description += "."
        let marks = marks(reading)
        let chart = SVGChart(
            title: "Memory of \(service)", description: description + sentence(marks, time), axis: .bytes,
            lines: shown.map { process in
                SVGChart.Line(
                    name: "\(service)/\(process.worker)", color: Int(process.worker % 8),
                    points: process.points.map {
                        .init(at: $0.at, low: Double($0.floor.bytes), high: Double($0.peak.bytes))
                    })
            },
            levels: record.budget.bytes > 0
                ? [.init(name: "budget \(record.budget)", value: Double(record.budget.bytes))] : [],
            marks: marks, time: time)
        return PostmortemChart(
            fileName: "\(fileStem)-memory.svg", title: "Memory", description: description, svg: chart.svg)
    }

    // MARK: - Measures

    private static func measure(
        _ series: MeasuredSeries, _ reading: IncidentReading, _ time: TimeWords, _ fileStem: String
    ) -> PostmortemChart? {
        guard !series.points.isEmpty, SectionMarker.isID(series.id) else { return nil }
        let limit = series.limit.map { "; an alert rings at \(Amount.number($0)) \(series.unit)" } ?? ""
        let band = series.expected.isEmpty ? "" : ", against what was expected"
        let description = "\(series.title) over time\(band)\(limit)."
        let marks = milestoneMarks(reading)
        let chart = SVGChart(
            title: series.title, description: description + sentence(marks, time), axis: .number(unit: series.unit),
            lines: [
                .init(
                    name: "measured", color: 0,
                    points: series.points.map { .init(at: $0.at, low: $0.value, high: $0.value) })
            ],
            band: series.expected.isEmpty
                ? nil
                : .init(
                    name: "expected", color: 0,
                    points: series.expected.map { .init(at: $0.at, low: $0.low, high: $0.high) }),
            levels: series.limit.map { [.init(name: "limit \(Amount.number($0)) \(series.unit)", value: $0)] } ?? [],
            marks: marks, time: time)
        return PostmortemChart(
            fileName: "\(fileStem)-\(series.id).svg", title: series.title, description: description, svg: chart.svg)
    }

    // MARK: - Marks

    private static func milestoneMarks(_ reading: IncidentReading) -> [SVGChart.Mark] {
        let milestones = reading.milestones
        let all: [(WallTime?, String, SVGChart.Mark.Kind)] = [
            (milestones.leakOnset, "leak onset", .cause), (milestones.impactOnset, "users affected", .harm),
            (milestones.detected, "detected", .finding), (milestones.causeNamed, "cause named", .finding),
            (milestones.paged, "paged", .people), (milestones.acknowledged, "acknowledged", .people),
            (milestones.mitigated, "mitigated", .act), (milestones.restored, "restored", .act),
        ]
        return all.compactMap { at, name, kind in at.map { SVGChart.Mark(at: $0, name: name, kind: kind) } }
    }

    private static func marks(_ reading: IncidentReading) -> [SVGChart.Mark] {
        let milestones = milestoneMarks(reading)
        let deploys = reading.entries(.deploy).prefix(2).map { SVGChart.Mark(at: $0.at, name: "deploy", kind: .cause) }
        let finished = reading.events?.filter { $0.kind == .recycleFinished && $0.facts["cause"] != "left_over" } ?? []
        let recycles = finished.map { event in
            SVGChart.Mark(
                at: event.at.wall, name: event.worker.map { "recycle of \($0)" } ?? "recycle", kind: .act)
        }
        let room = max(0, markLimit - milestones.count - deploys.count)
        let drawn = Array(recycles.prefix(room))
        return (milestones + deploys + drawn).sorted { ($0.at, $0.name) < ($1.at, $1.name) }
    }

    private static func sentence(_ marks: [SVGChart.Mark], _ time: TimeWords) -> String {
        guard !marks.isEmpty else { return "" }
        return " Marked: " + marks.map { "\($0.name) \(time.clock($0.at))" }.joined(separator: ", ") + "."
    }
}
