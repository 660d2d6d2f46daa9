import OakumModel

/// Puts an incident into words, section by section.
struct DraftWriter: Sendable {
    let facts: PostmortemFacts
    let reading: IncidentReading
    let time: TimeWords
    let charts: [PostmortemChart]

    init(_ facts: PostmortemFacts, fileStem: String) {
        self.facts = facts
        reading = IncidentReading(facts)
        let times = [reading.firstSign, reading.endOrNow] + reading.timeline.map(\.at)
        time = TimeWords(facts.zone, times: times)
        charts = PostmortemChart.all(reading, time: time, fileStem: fileStem)
    }

    var incident: Incident { facts.incident }
    var milestones: Milestones { facts.incident.milestones }
    var evidence: Evidence { facts.incident.evidence }

    /// In the order of Google's template, with what both of the incidents Oakum comes from had besides.
    var sections: [PostmortemDocument.Section] {
        [
            section("title", "# Postmortem: \(Markdown.text(incident.title))", room: Room.authors),
            section("facts", factsTable),
            section("summary", heading("Summary") + summary),
            section("impact", heading("Impact") + impact),
            section("timeline", heading("Timeline") + timeline),
            section("detection", heading("Detection") + detection),
            section("trigger", heading("Trigger") + trigger, room: Room.trigger),
            section("root-cause", heading("Root cause") + rootCause),
            section("ruled-out", heading("Ruled out") + ruledOut),
            section("misled", heading("What misled") + misled, room: Room.misled),
            section("resolution", heading("Resolution and recovery") + resolution, room: Room.resolution),
            section("acts", heading("What Oakum did by itself") + acts),
            section("communication", heading("Who was told") + communication),
            section("lessons", heading("Lessons") + lessons, room: Room.lessons),
            section("actions", heading("Corrective actions") + actions, room: Room.actions),
            section("supporting", heading("Supporting information") + supporting),
        ]
    }

    private func section(_ id: String, _ text: String, room: String? = nil) -> PostmortemDocument.Section {
        PostmortemDocument.Section(id: id, text: text, room: room)
    }

    private func heading(_ title: String) -> String { "## \(title)\n\n" }

    // MARK: - Parts of sentences

    /// "`registrar`", or what else the incident is about.
    var subject: String { incident.service.map { Markdown.code($0) } ?? "the host" }

    var subjectInTable: String { incident.service.map { Markdown.code($0, inTable: true) } ?? "the host" }

    /// "`Cache.insert(_:)` (cache.swift:41)" as code, from evidence.
    var site: String? { reading.leak.map { Markdown.code($0.site) } }

    func paragraphs(_ texts: [String?]) -> String {
        texts.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    func sentences(_ texts: [String?]) -> String {
        texts.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// A list with a bound; what is beyond it is counted.
    func bounded(_ items: [String], _ limit: Int, rest: String) -> String {
        let shown = Array(items.prefix(limit))
        let more = items.count > limit ? ["… and \(items.count - limit) more: \(rest)"] : []
        return Markdown.list(shown + more)
    }
}

/// Left for people, outside of the sections that are made anew.
enum Room {
    static let authors = """
        **Authors:** _add names_

        **Document:** draft _(then: in review, reviewed, with the date)_
        """
    static let trigger = "_What people know of the trigger and no counter saw:_"
    static let misled = "_What people believed for a time, why, and what it cost:_"
    static let resolution = "_What people did, as far as the timeline does not say it:_"
    static let lessons = """
        _What people add:_

        - Went well:
        - Went wrong:
        - Got lucky:
        - Why it surprised us:
        """
    static let actions = "_Further actions, with an owner and a date each:_"
}
