import OakumModel

extension DraftWriter {
    /// The most rows of the timeline; of longer ones the beginning and the end are shown.
    private static let rowLimit = 200
    private static let lastRows = 60

    var timeline: String {
        paragraphs([
            "All times are \(time.zoneSentence).", milestoneTable, lead, timelineTable,
        ])
    }

    // MARK: - Milestones

    private var milestoneTable: String {
        let none = "not recorded"
        let noImpact = "none recorded"
        let rows: [(String, WallTime?, String)] = [
            ("Leak onset, from the memory series", milestones.leakOnset, reading.isLeak ? none : "no leak"),
            ("Impact onset, first breach of what users notice", milestones.impactOnset, noImpact),
            ("Detected", milestones.detected, none),
            ("First page accepted by its receiver", milestones.paged, facts.pages.isEmpty ? "nobody was paged" : none),
            ("Acknowledged", milestones.acknowledged, "by nobody"),
            ("Cause named", milestones.causeNamed, "not named"),
            ("Mitigated, judged by the slope afterwards", milestones.mitigated, none),
            ("Users served as before", milestones.restored, milestones.impactOnset == nil ? noImpact : none),
            ("Resolved", milestones.resolved, "not yet"),
        ]
        let ordered = rows.filter { $0.1 != nil }.sorted { earlier($0.1, $1.1) } + rows.filter { $0.1 == nil }
        return Markdown.table(
            ["Milestone", "Time (\(time.column))", "From detection"],
            ordered.map { name, at, otherwise in
                [name, at.map { time.row($0) } ?? otherwise, at.map { fromDetection($0) } ?? "–"]
            })
    }

    private func earlier(_ left: WallTime?, _ right: WallTime?) -> Bool {
        guard let left, let right else { return false }
        return left < right
    }

    private func fromDetection(_ at: WallTime) -> String {
        let seconds = reading.sinceDetection(at)
        if seconds == 0 { return "0" }
        return (seconds < 0 ? "−" : "+") + Amount.duration(seconds)
    }

    /// What the system earned: the time between its finding and the first user who noticed.
    private var lead: String {
        guard let seconds = milestones.leadSeconds else {
            guard !reading.isLeak || milestones.leakOnset != nil else { return "" }
            return "**Lead time:** nobody is known to have noticed, so there is no end to measure it by."
        }
        if seconds > 0 { return "**Lead time:** detected \(Amount.duration(seconds)) before users noticed." }
        if seconds < 0 {
            return "**Lead time:** none. Users noticed \(Amount.duration(seconds)) before it was detected."
        }
        return "**Lead time:** none. Users noticed at the moment it was detected."
    }

    // MARK: - Every line

    private var timelineTable: String {
        let lines = reading.timeline
        guard !lines.isEmpty else { return "No line of the timeline was recorded." }
        let header = ["Time (\(time.column))", "What happened", "By", "Rests on"]
        guard lines.count > Self.rowLimit else { return Markdown.table(header, lines.map(row)) }
        let first = lines.prefix(Self.rowLimit - Self.lastRows)
        let last = lines.suffix(Self.lastRows)
        let left = lines.count - Self.rowLimit
        let gap = ["…", "\(Amount.count(left, "line")) left out: `oakum incidents show \(incident.id)`", "", ""]
        return Markdown.table(header, first.map(row) + [gap] + last.map(row))
    }

    private func row(_ entry: TimelineEntry) -> [String] {
        let evidence = entry.evidence.map { Markdown.link("evidence", $0, inTable: true) } ?? ""
        return [
            time.row(entry.at), "**\(Names.entry(entry.kind)).** \(Markdown.sentence(entry.text))",
            Markdown.text(entry.by, limit: 100), evidence,
        ]
    }

    // MARK: - Detection

    var detection: String {
        let first = incident.alerts.first
        let by = first.map { "By the alert “\(Markdown.text($0.summary))” (\(Names.kind($0.kind)))" } ?? "By Oakum"
        let sinceOnset = milestones.leakOnset.map { onset in
            "The leak had begun \(Amount.duration(reading.sinceDetection(onset))) earlier, at \(time.clock(onset))."
        }
        let told = milestones.paged.map { "The first page was accepted \(after($0))." }
        let seen = milestones.acknowledged.map { "A person took it on \(after($0))." }
        let alerts = "\(Amount.count(incident.alertCount, "alert")) told of it in all."
        return sentences([
            "\(by), at \(time.full(milestones.detected)).", sinceOnset, leadSentence, told, seen,
            incident.alertCount > 1 ? alerts : nil,
        ])
    }

    /// "3.4 s after detection".
    func after(_ at: WallTime) -> String {
        let seconds = reading.sinceDetection(at)
        if seconds == 0 { return "at the moment of detection" }
        return "\(Amount.duration(seconds)) \(seconds < 0 ? "before" : "after") detection"
    }

    private var leadSentence: String? {
        guard let seconds = milestones.leadSeconds else { return nil }
        if seconds > 0 { return "That was \(Amount.duration(seconds)) before the first breach of what users notice." }
        return "By then users had been affected for \(Amount.duration(seconds))."
    }

    // MARK: - Trigger

    var trigger: String {
        let onset = milestones.leakOnset.map { "Memory began to grow at \(time.full($0))." }
        let before = reading.entries(.deploy).filter { $0.at <= milestones.detected }.suffix(5)
        let seen = before.map { "\(time.clock($0.at)): \(Markdown.sentence($0.text))" }
        let deploys = seen.isEmpty ? evidence.deploys.prefix(5).map { Markdown.sentence($0) } : Array(seen)
        let release = facts.release.map { "The build that ran: \(Markdown.code($0))." }
        guard !deploys.isEmpty else {
            let unknown =
                "No deploy was recorded shortly before, so what set it off is not known from what was measured."
            return sentences([onset, release, unknown])
        }
        return paragraphs([sentences([onset, release, "Deployed shortly before:"]), Markdown.list(deploys)])
    }
}
