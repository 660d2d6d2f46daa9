import OakumModel

/// What follows from the facts of an incident, before any of it is put into words.
struct IncidentReading: Sendable {
    let facts: PostmortemFacts
    /// Of the incident's service, while it lasted.
    let events: [Event]?
    /// Of the incident, rising in time.
    let timeline: [TimelineEntry]

    init(_ facts: PostmortemFacts) {
        self.facts = facts
        timeline = facts.timeline.sorted { ($0.at, $0.kind.rawValue) < ($1.at, $1.kind.rawValue) }
        let incident = facts.incident
        let range = Self.firstSign(incident)...max(Self.firstSign(incident), Self.end(incident) ?? facts.madeAt)
        events = facts.events?.filter { event in
            range.contains(event.at.wall) && (incident.service == nil || event.service == incident.service)
        }
    }

    var incident: Incident { facts.incident }
    var milestones: Milestones { facts.incident.milestones }
    var evidence: Evidence { facts.incident.evidence }

    // MARK: - When

    /// The earliest thing that is known of it.
    var firstSign: WallTime { Self.firstSign(incident) }
    /// Nil while it lasts.
    var end: WallTime? { Self.end(incident) }
    var endOrNow: WallTime { max(firstSign, end ?? facts.madeAt) }

    private static func firstSign(_ incident: Incident) -> WallTime {
        let milestones = incident.milestones
        return [milestones.leakOnset, milestones.impactOnset].compactMap { $0 }.reduce(milestones.detected, min)
    }

    private static func end(_ incident: Incident) -> WallTime? {
        incident.state == .resolved ? incident.milestones.resolved ?? incident.updated : nil
    }

    /// Positive when `later` comes later.
    static func seconds(_ earlier: WallTime, _ later: WallTime) -> Double {
        // No overflow with times that nobody can have meant.
        (Double(later.milliseconds) - Double(earlier.milliseconds)) / 1_000
    }

    func sinceDetection(_ time: WallTime) -> Double { Self.seconds(milestones.detected, time) }

    /// How long users were affected, as far as it is known.
    var impactSeconds: Double? {
        guard let onset = milestones.impactOnset, let end = milestones.restored ?? end else { return nil }
        return max(0, Self.seconds(onset, end))
    }

    // MARK: - Users

    /// Alerts about what users or the business notice.
    var breaches: [IncidentAlert] {
        incident.alerts.filter { [.errorRate, .latency, .unresponsive, .businessRate].contains($0.kind) }
    }

    /// Nothing on the users' side is known to have been watched.
    var isImpactUnmeasured: Bool { incident.impact.isEmpty && breaches.isEmpty && facts.measured?.isEmpty == true }

    /// What was measured, and no alert told of a breach.
    var unbreached: [WatchedMeasure] {
        let told = Set(incident.impact.map { $0.what.lowercased() })
        let kinds = Set(breaches.map(\.kind))
        // Two business rates share a kind; which of them was breached stands under the impact.
        return (facts.measured ?? []).filter { measure in
            !told.contains(measure.name.lowercased())
                && (measure.kind == .businessRate || !kinds.contains(measure.kind))
        }
    }

    // MARK: - The cause

    /// The site that leaks most. What a bounded cache holds comes second: it may be what it is meant to hold.
    var leak: HeapFinding? { evidence.heap.first { $0.cache == nil } ?? evidence.heap.first }

    var otherSites: [HeapFinding] { evidence.heap.filter { $0 != leak } }

    /// What holds the leak: the outermost name of its chain.
    var holder: String? { leak?.chain.first }

    var isLeak: Bool { incident.kind == .memoryLeak || evidence.verdict?.code == .leak }

    // MARK: - People

    /// Nobody was to be paged, and nobody was: a decision, and no fault of the response.
    var wasToPageNobody: Bool {
        incident.policy == nil && alarms.isEmpty && facts.treatment?.pagesNobody == true
    }

    /// To people on call, in the order they were made.
    var alarms: [PageTold] {
        facts.pages.filter { $0.page.kind != .stakeholders && $0.page.kind != .test }
            .sorted { ($0.page.at, $0.page.id) < ($1.page.at, $1.page.id) }
    }

    var stakeholderPages: [PageTold] {
        facts.pages.filter { $0.page.kind == .stakeholders }
            .sorted { ($0.page.at, $0.page.id) < ($1.page.at, $1.page.id) }
    }

    /// The first page held where the leak comes from; nil when there was no page or nothing to name.
    var firstPageNamedTheCause: Bool? {
        guard let first = alarms.first?.page, let leak else { return nil }
        let told = [first.title] + first.lines + first.facts.map(\.value)
        return told.contains { $0.contains(leak.site) || $0.contains(leak.function) }
    }

    var deadPages: [PageTold] { facts.pages.filter { $0.state == .dead } }

    func entries(_ kinds: TimelineKind...) -> [TimelineEntry] {
        timeline.filter { kinds.contains($0.kind) }
    }

    // MARK: - What misled

    /// A cause that led for a time and was taken back.
    struct BelievedCause: Hashable, Sendable {
        /// "cpu".
        var cause: String
        /// The sentence that told it.
        var told: String
        var from: WallTime
        var until: WallTime
    }

    var symptoms: [IncidentAlert] { incident.alerts.filter(\.isSymptom) }

    /// In the order they were told, each once; nil when the journal cannot be read.
    var takenBack: [BelievedCause]? {
        guard let diagnoses = events?.filter({ $0.kind == .diagnosed && $0.facts["cause"] != nil }) else { return nil }
        var courses: [String: [Event]] = [:]
        for event in diagnoses {
            let process = event.process.map { "\($0.pid)-\($0.startTicks)" } ?? "unknown"
            courses["\(event.service ?? "")/\(event.worker ?? 0)/\(process)", default: []].append(event)
        }
        var result: [BelievedCause] = []
        for course in courses.values {
            // The last word on a process says which of its causes are held to have misled.
            let misled = Set((course.last?.facts["misled_by"] ?? "").split(separator: ",").map(String.init))
            for (event, next) in zip(course, course.dropFirst()) {
                guard let cause = event.facts["cause"], misled.contains(cause), next.facts["cause"] != cause else {
                    continue
                }
                result.append(
                    BelievedCause(cause: cause, told: event.message, from: event.at.wall, until: next.at.wall))
            }
        }
        var seen: Set<String> = []
        return result.sorted { ($0.from, $0.told) < ($1.from, $1.told) }.filter { seen.insert($0.cause).inserted }
    }

    var diagnosesTold: Int? { events?.filter { $0.kind == .diagnosed }.count }

    // MARK: - What Oakum did

    struct Recycles: Hashable, Sendable {
        /// By Oakum's own decision.
        var finished = 0
        var byHand = 0
        var failed = 0
        var withheld = 0
        /// Seconds, the shortest and the longest.
        var took: ClosedRange<Double>?
    }

    /// Nil when the journal cannot be read.
    var recycles: Recycles? {
        guard let events else { return nil }
        var result = Recycles()
        for event in events {
            switch event.kind {
            case .recycleFinished where event.facts["cause"] == "left_over": break
            case .recycleFinished:
                if event.facts["cause"] == "by_hand" { result.byHand += 1 } else { result.finished += 1 }
                guard let took = event.facts["took_s"].flatMap(Double.init), took.isFinite else { continue }
                result.took = result.took.map { min($0.lowerBound, took)...max($0.upperBound, took) } ?? took...took
            case .recycleFailed: result.failed += 1
            case .recycleWithheld: result.withheld += 1
            default: break
            }
        }
        return result
    }

    /// Workers that died while it lasted without having been told to; nil when the journal cannot be read.
    var crashes: Int? { events?.filter { $0.kind == .workerExited && $0.facts["asked"] == "false" }.count }

    /// The largest memory of any worker as a share of the budget, from the record.
    var peakShare: Double? {
        guard let memory = facts.memory, memory.budget.bytes > 0 else { return nil }
        let range = firstSign...endOrNow
        let peak = memory.processes.flatMap(\.points).filter { range.contains($0.at) }.map(\.peak.bytes).max()
        return peak.map { Double($0) / Double(memory.budget.bytes) }
    }
}
