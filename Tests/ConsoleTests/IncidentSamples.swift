import OakumAPI
import OakumModel

/// Incidents for the fake plane.
enum IncidentSamples {
    static let leakTitle = "registrar: memory leak in VerificationContext.init (verification.swift:41)"

    private static func at(_ seconds: Double) -> WallTime { Samples.moment(seconds).wall }

    static let finding = HeapFinding(
        site: "VerificationContext.init (verification.swift:41)", function: "VerificationContext.init",
        file: "verification.swift", line: 41, fingerprint: "9f3c", type: "VerificationContext",
        chain: ["PendingRegistrations.shared", "Dictionary<String, VerificationContext>", "VerificationContext"],
        liveBytes: 88_000_000, share: 0.71, neverFreed: Estimate(estimate: 0.98, low: 0.94, high: 1), tookSeconds: 2)

    static let evidence = Evidence(
        worker: 7, process: ProcessIdentity(pid: 901, startTicks: 90_100), verdict: Samples.leak,
        verdictSummary: "leak: 0.78 MiB/s, budget reached in 95 s–2 min", rssBytes: 190_211_686,
        budgetBytes: 268_435_456, heap: [finding],
        cause: CauseFinding(
            firstCause: "memory", summary: "memory came first: registrations are kept for ever",
            ranked: [
                RankedCause(cause: "memory", belief: 0.93, sentence: "grows with every registration"),
                RankedCause(cause: "cpu", belief: 0.04, sentence: "rose 4 min later"),
            ],
            consequences: ["CPU rose 4 min after memory"], ruledOut: ["disk: 54 % free at worst"],
            restartBuysSeconds: Estimate(estimate: 274, low: 250, high: 300)),
        logs: ["cannot allocate <*> bytes: 12 in 5 min, none before"], deploys: ["registrar 1.4.2 at 09:12"],
        acts: ["recycled before the limit"])

    /// #1 resolved, #2 open with everything there is.
    static func state() -> FakeIncidentPlane.State {
        var state = FakeIncidentPlane.State()
        let old = Incident(
            id: 1, title: "catalogue: latency", service: "catalogue", kind: .latency, severity: .warning,
            state: .resolved, fingerprint: "latency:catalogue",
            milestones: Milestones(detected: at(-7_200), resolved: at(-3_600)), updated: at(-3_600))
        let leak = Incident(
            id: 2, title: leakTitle, service: "registrar", kind: .memoryLeak, severity: .critical,
            fingerprint: "leak:registrar:9f3c",
            milestones: Milestones(
                leakOnset: at(12), impactOnset: at(58), detected: at(41), paged: at(42), causeNamed: at(45)),
            evidence: evidence,
            alerts: [
                IncidentAlert(
                    fingerprint: "leak:registrar:9f3c", kind: .memoryLeak, severity: .critical,
                    summary: "registrar/7 leaks 0.78 MiB/s; 255 MiB in 95 to 128 s", isFiring: true, since: at(41),
                    isSymptom: false),
                IncidentAlert(
                    fingerprint: "cpu:registrar", kind: .cpu, severity: .warning, summary: "CPU at 92 %",
                    isFiring: true,
                    since: at(50), isSymptom: true),
            ], alertCount: 3,
            impact: [
                Impact(
                    what: "sign-ups", service: "registrar", actual: 205,
                    expected: Estimate(estimate: 412, low: 380, high: 445), from: at(58),
                    basis: "the same hour of 5 earlier days")
            ], policy: "day and night", runbook: "https://runbooks.example.org/leaks", reopened: 1,
            mitigation: "the slope afterwards is the same: it bought 31 s", updated: at(45))
        state.incidents[1] = IncidentReport(incident: old, timeline: [], deliveries: [])
        state.incidents[2] = IncidentReport(incident: leak, timeline: timeline, deliveries: deliveries)
        state.nextID = 3
        state.onCall = onCall
        return state
    }

    private static let timeline = [
        TimelineEntry(incident: 2, at: at(12), kind: .leakOnset, text: "memory of registrar/7 begins to grow"),
        TimelineEntry(incident: 2, at: at(41), kind: .detected, text: "leak: 0.78 MiB/s"),
        TimelineEntry(incident: 2, at: at(42), kind: .paged, text: "ada by mail", evidence: "page-1"),
        TimelineEntry(incident: 2, at: at(50), kind: .note, text: "looking at it", by: "ada"),
    ]

    private static let deliveries = [
        Delivery(page: page("page-1", "ada"), state: .delivered, attempts: 1, words: "250 2.0.0 queued as 4F1"),
        Delivery(
            page: page("page-2", "grace"), state: .waiting, attempts: 3, words: "503 Service Unavailable",
            nextAttempt: at(70)),
    ]

    private static func page(_ id: String, _ person: String) -> Page {
        Page(
            id: id, kind: .opened, incident: 2, channel: "mail", address: "ops@example.org", person: person,
            severity: .critical, title: leakTitle, thread: "incident-2", at: at(42))
    }

    private static let onCall = OnCallReport(
        policies: [
            .init(
                name: "day and night", services: ["registrar"],
                steps: [
                    .init(afterSeconds: 0, targets: ["ada (mail ops@…)"]),
                    .init(afterSeconds: 300, targets: ["grace (ntfy)"]),
                ], repeats: 2)
        ],
        schedules: [.init(name: "primary", now: "ada", until: at(3_600), next: "grace")], silences: [],
        problems: ["grace has one way to be reached only"], deliveries: deliveries)
}
