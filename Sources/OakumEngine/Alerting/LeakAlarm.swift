import AlertRules
import Diagnosis
import OakumModel
import Recycling

/// The alert "this service leaks": from the first worker that does until none has for a while. Pure.
///
/// A recycle ends a leaking worker, not the leak: its successor needs time to be judged. So the alert stays for
/// `clearSeconds` of its settings after the last verdict, and for `patience` times as long as this leak took to be found where
/// that is longer: what showed after five hours once is not gone after ten minutes. It is told again every `againSeconds`
/// while it lasts: who has taken the incident on is told when the forecast gets worse.
struct LeakAlarm: Sendable {
    static let againSeconds = 2.0
    static let errorSeconds = 86_400.0
    /// From the last verdict on, in times from its onset to its verdict.
    static let patience = 2.0
    /// The most that comes to, seconds: two weeks. A leak that takes longer to be found is another alert when it comes back.
    static let longestHold = 1_209_600.0

    private var since: Moment?
    private var lastLeak: Uptime?
    private var toldAt: Uptime?
    private var told: Evidence?
    private var severity = Severity.warning
    /// The longest that a worker of this alert leaked before it was found, seconds.
    private var findSeconds = 0.0

    var isOn: Bool { since != nil }

    /// It fired when Oakum ended: the leak goes on, or it is over when nothing has leaked for a while from now.
    mutating func assume(_ alert: Alert, at now: Moment) {
        since = alert.since
        severity = alert.severity
        lastLeak = now.uptime
        note(alert.evidence?.verdict)
    }

    private mutating func note(_ verdict: Verdict?) {
        guard let onset = verdict?.onsetSeconds, let decided = verdict?.decidedSeconds, decided > onset else { return }
        findSeconds = max(findSeconds, decided - onset)
    }

    /// Seconds without a leaking worker after which it is over.
    private func hold(_ settings: LeakAlertSettings) -> Double {
        max(settings.clearSeconds, min(Self.longestHold, Self.patience * findSeconds))
    }

    static func fingerprint(_ service: String) -> String { "leak/\(service)" }

    /// - Returns: what is to be told now.
    mutating func tick(_ watch: ServiceWatch, at now: Moment) -> Alert? {
        guard let settings = watch.configuration.alerts.leak else { return nil }
        guard let (number, worker) = Self.worst(watch) else { return cleared(watch, settings, at: now) }
        lastLeak = now.uptime
        for leaking in watch.watches.values where leaking.verdict.code == .leak { note(leaking.verdict) }
        let evidence = Self.evidence(number, worker, watch)
        let urgency = Self.urgency(worker.verdict.timeToLimit, watch.configuration.alerts, settings)
        let isNews = since == nil || urgency > severity || evidence.heap != told?.heap || evidence.cause != told?.cause
        guard isNews || toldAt.map({ now.uptime - $0 >= Self.againSeconds }) ?? true else { return nil }
        let began = since ?? Self.onset(worker, at: now)
        since = began
        severity = max(severity, urgency)
        toldAt = now.uptime
        told = evidence
        var alert = alert(.firing, watch, since: began, at: now)
        alert.summary = "\(watch.configuration.name)/\(number) \(worker.summary)"
        alert.details = worker.verdict.evidence
        alert.evidence = evidence
        alert.awaitsEvidence = worker.waitsForHeap(at: now.uptime) && evidence.heap.isEmpty
        return alert
    }

    private mutating func cleared(_ watch: ServiceWatch, _ settings: LeakAlertSettings, at now: Moment) -> Alert? {
        let hold = hold(settings)
        guard let since, let last = lastLeak, now.uptime - last >= hold else { return nil }
        var alert = alert(.resolved, watch, since: since, at: now)
        alert.summary =
            "\(watch.configuration.name): no worker has leaked for \(Words.seconds(hold))"
            + (hold > settings.clearSeconds ? ", twice as long as the leak took to be found" : "")
        self = LeakAlarm()
        return alert
    }

    private func alert(_ status: Alert.Status, _ watch: ServiceWatch, since: Moment, at now: Moment) -> Alert {
        let name = watch.configuration.name
        return Alert(
            source: .verdict, status: status, fingerprint: Self.fingerprint(name), kind: .memoryLeak, service: name,
            severity: severity, summary: "", since: since, at: now)
    }

    /// The leaking worker with the least time left.
    private static func worst(_ watch: ServiceWatch) -> (UInt32, WorkerWatch)? {
        watch.watches.filter { $0.value.verdict.code == .leak }
            .min { ($0.value.leakForecast ?? .infinity, $0.key) < ($1.value.leakForecast ?? .infinity, $1.key) }
            .map { ($0.key, $0.value) }
    }

    /// A worker's series runs on the clock of `Uptime`.
    private static func onset(_ worker: WorkerWatch, at now: Moment) -> Moment {
        guard let onset = worker.verdict.onsetSeconds, onset < now.uptime.seconds else { return now }
        let ago = Int64((now.uptime.seconds - onset) * 1_000)
        return Moment(uptime: Uptime(seconds: onset), wall: WallTime(milliseconds: now.wall.milliseconds - ago))
    }

    /// Critical when the limit falls inside the time that people need to take it on and to do something.
    private static func urgency(
        _ time: TimeToLimit?, _ alerts: AlertSettings, _ settings: LeakAlertSettings
    ) -> Severity {
        guard let time else { return .warning }
        if time.low <= alerts.reactionSeconds { return .critical }
        return time.low <= errorSeconds ? settings.severity : .warning
    }

    private static func evidence(_ number: UInt32, _ worker: WorkerWatch, _ watch: ServiceWatch) -> Evidence {
        Evidence(
            worker: number, process: worker.process, verdict: worker.verdict,
            verdictSummary: "\(watch.configuration.name)/\(number) \(worker.summary)",
            rssBytes: worker.latest?.rss.bytes,
            budgetBytes: watch.configuration.budget.bytes, heap: worker.leaks,
            cause: worker.diagnosis.flatMap(CauseFinding.init), logs: worker.diagnosis?.logs.map(\.sentence) ?? [],
            deploys: [], acts: [act(watch)])
    }

    private static func act(_ watch: ServiceWatch) -> String {
        if watch.observeOnly { return "nothing: Oakum only observes; workers die at their limit unless somebody acts" }
        if watch.paused { return "nothing: acts are paused (`oakum pause --off` allows them again)" }
        let trigger = watch.configuration.trigger
        let share = Words.fixed(trigger.budgetShare * 100, 0)
        return
            "each worker is replaced without losing a request \(Words.seconds(trigger.lead)) before its limit, or at "
            + "\(share) % of it; \(watch.pool.finished) recycles so far. That buys time and repairs nothing"
    }
}

extension CauseFinding {
    /// Nil when nothing is wrong or too little is known.
    init?(_ diagnosis: Diagnosis) {
        guard diagnosis.outcome == .cause || diagnosis.outcome == .unknown else { return nil }
        self.init(
            firstCause: (diagnosis.firstCause ?? .unknown).rawValue, summary: diagnosis.summary,
            ranked: diagnosis.hypotheses.prefix(5).map {
                RankedCause(cause: $0.cause.rawValue, belief: $0.belief, sentence: $0.sentence)
            },
            consequences: diagnosis.consequences.map(\.sentence), ruledOut: diagnosis.ruledOut.map(\.sentence),
            restartBuysSeconds: diagnosis.restartBuys)
    }
}
