import OakumModel
import Postmortem

/// An incident as Oakum would have recorded the registration service's leak of 10 November 2023, written by hand: with acts
/// paused by mistake, so that users were hit, and with two minutes in which the processors were suspected.
enum RegistrationIncident {
    /// So many seconds after 10:00:00 EST.
    static func at(_ seconds: Double) -> WallTime {
        WallTime(milliseconds: 1_699_628_400_000 + Int64(seconds * 1_000))
    }

    static let newYork = DocumentZone(name: "America/New_York") { _ in ZoneOffset(seconds: -18_000, abbreviation: "EST")
    }

    static var facts: PostmortemFacts {
        PostmortemFacts(
            incident: incident, timeline: timeline, pages: pages, events: events, memory: memory, measures: [signUps],
            measured: [
                WatchedMeasure(name: "sign-ups", kind: .businessRate),
                WatchedMeasure(name: "error rate", kind: .errorRate),
                WatchedMeasure(name: "latency", kind: .latency),
            ], owner: ProposedOwner(name: "identity team", origin: "the first step of the policy registration"),
            release: "registrar 4.2.0",
            treatment: ServiceTreatment(recycles: true, samplesHeap: true), zone: newYork, madeAt: at(7_200),
            glossary: "../docs/glossary.md")
    }

    // MARK: - The record

    static let site = "VerificationContext.init(mail:) (VerificationContext.swift:41)"

    static var incident: Incident {
        Incident(
            id: 12, title: "registrar: memory leak in VerificationContext.init(mail:)", service: "registrar",
            kind: .memoryLeak, severity: .critical, state: .resolved, fingerprint: "leak:registrar:9f3c2a11",
            milestones: Milestones(
                leakOnset: at(-1_740), impactOnset: at(0), detected: at(-108.2), paged: at(-104.9),
                acknowledged: at(62), causeNamed: at(-106.7), mitigated: at(1_812), restored: at(1_845),
                resolved: at(3_600)),
            evidence: evidence,
            alerts: [
                IncidentAlert(
                    fingerprint: "leak:registrar:9f3c2a11", kind: .memoryLeak, severity: .critical,
                    summary: "registrar/3 leaks 0.11 MiB/s; 256 MiB in 3.6 to 4.1 min", isFiring: false,
                    since: at(-1_740), isSymptom: false),
                IncidentAlert(
                    fingerprint: "cpu:registrar", kind: .cpu, severity: .error,
                    summary: "registrar uses 1.9 of 2 cores",
                    isFiring: false, since: at(-20), isSymptom: true),
                IncidentAlert(
                    fingerprint: "errors:registrar", kind: .errorRate, severity: .critical,
                    summary: "12 % of 1,840 requests failed in 5 min", isFiring: false, since: at(0), isSymptom: true),
            ],
            alertCount: 41,
            impact: [
                Impact(
                    what: "sign-ups", service: "registrar", actual: 205,
                    expected: Estimate(estimate: 412, low: 371, high: 455), from: at(0), until: at(1_845),
                    basis: "the same hour of 5 earlier days"),
                Impact(
                    what: "acquisition", actual: 96, expected: Estimate(estimate: 120, low: 104, high: 137),
                    from: at(0),
                    until: at(3_600), basis: "the last hour"),
            ],
            acknowledgement: Acknowledgement(by: "ada", at: at(62), severity: .critical, timeToLimitSeconds: 40),
            policy: "registration", runbook: "https://runbooks.example.org/registration#leak", reopened: 0,
            mitigation: "the slope of the patched build is 0.0 MiB/h: the leak is gone", updated: at(3_600))
    }

    static var evidence: Evidence {
        Evidence(
            worker: 3, process: ProcessIdentity(pid: 4711, startTicks: 884_213),
            verdict: Verdict(
                code: .leak, onsetSeconds: 12, decidedSeconds: 1_644,
                slope: Estimate(estimate: 119_000, low: 112_000, high: 127_000),
                timeToLimit: TimeToLimit(low: 214, high: 243),
                evidence: [
                    "the floor of memory rose in 27 of 27 minutes",
                    "65,536 bytes stay for each sign-up (64,100 to 67,000), and none of them goes when traffic does",
                ]),
            verdictSummary: "leak: 0.11 MiB/s, budget reached in 3.6 to 4.1 min", rssBytes: 241_172_480,
            budgetBytes: 268_435_456,
            heap: [
                HeapFinding(
                    site: site, function: "VerificationContext.init(mail:)", file: "VerificationContext.swift",
                    line: 41,
                    fingerprint: "9f3c2a11d04e77b2", type: "[UInt8]",
                    chain: ["static VerificationContextStore.shared", "VerificationContext.renderedMail", "[UInt8]"],
                    liveBytes: 183_500_800, share: 0.81, neverFreed: Estimate(estimate: 0.99, low: 0.97, high: 1),
                    tookSeconds: 1.4),
                HeapFinding(
                    site: "Router.handle(_:) (Router.swift:90)", function: "Router.handle(_:)", file: "Router.swift",
                    line: 90, fingerprint: "77aa", type: "Dictionary<String, String>", liveBytes: 6_291_456,
                    share: 0.03,
                    tookSeconds: 1.4),
            ],
            cause: CauseFinding(
                firstCause: "memory",
                summary: "memory came first: sign-ups leave 64 KiB each in a store that is never cleaned",
                ranked: [
                    RankedCause(cause: "memory", belief: 0.97, sentence: "memory rose 28 min before anything else"),
                    RankedCause(cause: "cpu", belief: 0.02, sentence: "CPU rose last"),
                ],
                consequences: ["CPU rose 29 min after memory, in step with the collector's scans"],
                ruledOut: ["disk: 54 % free at worst", "network: 0.1 % of segments sent again at worst"],
                restartBuysSeconds: Estimate(estimate: 1_632, low: 1_530, high: 1_730)),
            logs: ["out of memory while rendering mail for <*> | retry=`<*>`", "<b>queue full</b> <*>"],
            deploys: ["registrar 4.2.0 at 09:12 EST"], acts: ["acts are paused: nothing"])
    }

    // MARK: - What happened

    static var timeline: [TimelineEntry] {
        let rows: [(Double, TimelineKind, String, String, String?)] = [
            (-2_880, .deploy, "registrar 4.2.0 deployed", "ci", "https://ci.example.org/builds/880"),
            (-1_740, .leakOnset, "memory of registrar/3 begins to grow", "oakum", "series registrar/3"),
            (-108.2, .detected, "registrar/3 leaks 0.11 MiB/s; 256 MiB in 3.6 to 4.1 min", "oakum", "event 2201"),
            (-108.1, .opened, "opened as critical: the limit falls inside the time people need", "oakum", nil),
            (-106.7, .causeNamed, "kept by VerificationContext.init(mail:)", "oakum", "event 2203"),
            (-104.9, .paged, "ada, through ops-mail", "oakum", "page pg_01"),
            (-20, .suppressed, "CPU alarm held to be a symptom of memory", "oakum", nil),
            (0, .impactOnset, "error rate above 5 % for 1 min", "oakum", "rule errors-fast"),
            (15, .stakeholdersTold, "sign-ups 205 of 412 expected, −50 %, since 10:00", "oakum", "page pg_04"),
            (62, .acknowledged, "taken on", "ada", nil),
            (300, .note, "Rolling back? No: 4.1 has it too | see `git log`", "ada", nil),
            (880, .note, "acts were still paused from Tuesday's load test: allowed again", "ada", nil),
            (900, .acted, "registrar/3 replaced by registrar/5", "oakum", "event 2290"),
            (1_812, .mitigated, "the patched build is in place, its slope is level", "oakum", nil),
            (1_845, .restored, "error rate below 1 % for 5 min", "oakum", nil),
            (3_600, .resolved, "closed after an hour without a finding", "ada", nil),
        ]
        return rows.map {
            TimelineEntry(incident: 12, at: at($0.0), kind: $0.1, text: $0.2, by: $0.3, evidence: $0.4)
        }
    }

    static var pages: [PageTold] {
        [
            PageTold(
                page: Page(
                    id: "pg_01", kind: .opened, incident: 12, channel: "ops-mail", address: "ops@example.org",
                    person: "ada", severity: .critical, title: "registrar leaks: 256 MiB in 3.6 to 4.1 min",
                    lines: ["Kept by \(site)."], thread: "incident-12", beginsThread: true, at: at(-108)),
                state: .delivered, attempts: 2, words: "250 queued"),
            PageTold(
                page: Page(
                    id: "pg_02", kind: .opened, incident: 12, channel: "pager", person: "ada", severity: .critical,
                    title: "registrar leaks", thread: "incident-12", at: at(-107.9)),
                state: .dead, attempts: 8, words: "401 unauthorized"),
            PageTold(
                page: Page(
                    id: "pg_04", kind: .stakeholders, incident: 12, channel: "business", severity: .critical,
                    title: "Sign-ups 205 of 412 expected", thread: "incident-12", at: at(15)),
                state: .delivered, attempts: 1),
        ]
    }

    static var events: [Event] {
        func event(_ kind: EventKind, _ seconds: Double, _ message: String, _ facts: [String: String] = [:]) -> Event {
            Event(
                kind: kind, at: Moment(uptime: Uptime(seconds: 9_000 + seconds), wall: at(seconds)),
                service: "registrar",
                worker: 3, process: ProcessIdentity(pid: 4711, startTicks: 884_213), message: message, facts: facts)
        }
        return [
            event(
                .diagnosed, -1_200, "registrar/3: CPU-bound work, belief 0.61",
                ["cause": "cpu", "first_cause": "cpu", "misled_by": ""]),
            event(
                .diagnosed, -1_080, "registrar/3: memory came first",
                ["cause": "memory", "first_cause": "cpu", "misled_by": "cpu"]),
            event(.recycleWithheld, -70, "registrar/3 would be recycled now (acts are paused)"),
            event(.recycleStarted, 890, "registrar/3 is replaced by registrar/5", ["cause": "leak", "successor": "5"]),
            event(
                .recycleFinished, 900, "registrar/5 took over from registrar/3 in 3.4 s",
                ["cause": "leak", "successor": "5", "took_s": "3.40"]),
            event(.slopeAfterwards, 1_100, "registrar/5 grows by 0.11 MiB/s: the recycle bought about 27 min"),
            Event(
                kind: .recycleFinished, at: Moment(uptime: Uptime(seconds: 1), wall: at(10)), service: "another",
                message: "not of this service"),
        ]
    }

    // MARK: - Series

    static var memory: MemoryRecord {
        func process(_ worker: UInt32, _ from: Double, _ until: Double, base: Double, slope: Double) -> MemoryProcess {
            MemoryProcess(
                worker: worker,
                points: stride(from: from, through: until, by: 60).map { seconds in
                    let floor = Int64(base + max(0, seconds - max(from, -1_740)) * slope)
                    return MemoryPoint(at: at(seconds), floor: ByteCount(floor), peak: ByteCount(floor + 3 << 20))
                })
        }
        return MemoryRecord(
            budget: .mebibytes(256),
            processes: [
                process(3, -2_400, 840, base: 47e6, slope: 119_000), process(5, 900, 1_800, base: 46e6, slope: 118_000),
                process(6, 1_800, 3_600, base: 45e6, slope: 0),
            ])
    }

    static var signUps: MeasuredSeries {
        let times = Array(stride(from: -1_800.0, through: 3_600, by: 300))
        return MeasuredSeries(
            id: "sign-ups", title: "Sign-ups in five minutes", unit: "",
            points: times.map { .init(at: at($0), value: (0..<1_845).contains($0) ? 17 : 35) },
            expected: times.map { .init(at: at($0), low: 31, high: 38) })
    }
}
