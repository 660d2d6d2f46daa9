import Incidents
import OakumModel
import Paging

/// A book with its store in memory: what it wants stored is checked and kept.
struct Desk {
    var book: IncidentBook
    var pages: [Page] = []
    var urgent: Set<String> = []
    var withdrawn: Set<String> = []
    var timeline: [TimelineEntry] = []
    var stored: [Int64: IncidentRecord] = [:]
    var alerts: [String: (incident: Int64, isFiring: Bool)] = [:]
    var now = Moment(uptime: Uptime(seconds: 1_000), wall: WallTime(milliseconds: 1_700_000_000_000))

    static let plan = PagingPlan(
        people: [
            Person(name: "ada", displayName: "Ada", contacts: [Contact(channel: "mail", address: "ada@example.org")]),
            Person(
                name: "ben", displayName: "Ben",
                contacts: [
                    Contact(channel: "mail", address: "ben@example.org"),
                    Contact(channel: "phone", afterSeconds: 60),
                ]),
        ],
        policies: [
            EscalationPolicy(
                name: "default",
                steps: [
                    EscalationStep(targets: [.person("ada")]),
                    EscalationStep(afterSeconds: 300, targets: [.person("ben"), .channel("chat")]),
                ], repeats: 1, repeatAfterSeconds: 300, acknowledgementSeconds: 3_600)
        ], channels: ["mail", "phone", "chat", "board"])

    init(_ change: (inout IncidentSettings) -> Void = { _ in }) {
        var settings = IncidentSettings(
            plan: Self.plan, services: ["web": ServicePaging(runbook: "https://example.org/runbook")],
            defaultPolicy: "default",
            audiences: [
                Audience(
                    name: "business", channel: "board", clock: { "t+\(($0.milliseconds - 1_700_000_000_000) / 1_000)" })
            ])
        change(&settings)
        book = IncidentBook(settings: settings)
    }

    @discardableResult
    mutating func handle(_ event: IncidentEvent) -> IncidentAnswer {
        let answer = book.handle(event, at: now)
        for change in answer.changes { store(change) }
        return answer
    }

    private mutating func store(_ change: IncidentChange) {
        switch change {
        case .save(let record): stored[record.incident.id] = record
        case .line(let line): timeline.append(line)
        case .send(let page, let isUrgent, _):
            pages.append(page)
            if isUrgent { urgent.insert(page.id) }
        case .withdraw(let ids): withdrawn.formUnion(ids)
        case .alert(let incident, let fingerprint, let isFiring): alerts[fingerprint] = (incident, isFiring)
        case .silence, .heard: break
        }
    }

    /// Lets time pass in steps of a second.
    mutating func wait(_ seconds: Int) {
        for _ in 0..<seconds {
            now = Moment(
                uptime: now.uptime + 1, wall: WallTime(milliseconds: now.wall.milliseconds + 1_000))
            handle(.tick)
        }
    }

    func kinds(_ incident: Int64 = 1) -> [TimelineKind] {
        timeline.filter { $0.incident == incident }.map(\.kind)
    }

    /// What a restarted Oakum would know.
    func restarted() -> Desk {
        var copy = self
        copy.book = IncidentBook(settings: book.settings)
        copy.book.restore(
            stored.values.sorted { $0.incident.id < $1.incident.id },
            alerts: alerts.map { ($0.value.incident, $0.key, $0.value.isFiring) },
            silences: Array(book.silences.values),
            nextIncident: (stored.keys.max() ?? 0) + 1, nextSilence: (book.silences.keys.max() ?? 0) + 1)
        return copy
    }

    func alert(
        _ kind: AlertKind, _ fingerprint: String = "f", service: String? = "web", severity: Severity = .critical,
        source: Alert.Source = .rule, status: Alert.Status = .firing, evidence: Evidence? = nil
    ) -> Alert {
        Alert(
            source: source, status: status, fingerprint: fingerprint, kind: kind, service: service, severity: severity,
            summary: "\(kind.rawValue) of \(service ?? "the host")", since: now, at: now, evidence: evidence)
    }

    static func leak(named: Bool, timeToLimit: Double = 300) -> Evidence {
        let site = HeapFinding(
            site: "Cache.put (cache.swift:12)", function: "Cache.put", file: "cache.swift", line: 12,
            fingerprint: "abc", type: "[UInt8]",
            chain: ["static Cache.shared", "[UInt8]"], liveBytes: 64 << 20, share: 0.9, tookSeconds: 1)
        return Evidence(
            worker: 3,
            verdict: Verdict(
                code: .leak, slope: Estimate(estimate: 1_048_576, low: 524_288, high: 2_097_152),
                timeToLimit: TimeToLimit(low: timeToLimit, high: timeToLimit * 1.3)),
            verdictSummary: "leak: 1.0 MiB a second, the limit in \(Int(timeToLimit)) s", heap: named ? [site] : [],
            acts: ["recycled before the limit"])
    }
}
