import OakumModel
import Paging

/// Incidents in words for people who were just woken up.
enum PageWords {
    static func title(_ alert: Alert) -> String {
        guard alert.kind == .memoryLeak, let service = alert.service else { return clip(alert.summary, 200) }
        guard let site = alert.evidence?.heap.first else { return "\(service): memory leak" }
        return clip("\(service): memory leak in \(shortSite(site))", 200)
    }

    /// "VerificationContext.init (verification.swift:41)": the function without its module, arguments and result.
    static func shortSite(_ site: HeapFinding) -> String {
        let name = site.function.prefix { $0 != "(" && $0 != "<" }
        let words = name.split(separator: ".")
        let short = words.count > 2 ? words.dropFirst().joined(separator: ".") : String(name)
        guard !short.isEmpty, !name.contains(" ") else { return site.site }
        guard let file = site.file?.split(separator: "/").last else { return short }
        return site.line.map { "\(short) (\(file):\($0))" } ?? "\(short) (\(file))"
    }

    /// "VerificationContext.init (verification.swift:41) keeps [UInt8], held by static …".
    static func cause(_ site: HeapFinding) -> String {
        var text = site.site
        if let type = site.type { text += " keeps \(type)" }
        text += ", \(ByteCount(site.liveBytes)) live"
        if !site.chain.isEmpty { text += ", held by \(site.chain.joined(separator: " → "))" }
        return text
    }

    /// What the pages say of the cause: the same words, nothing new to tell.
    static func causeKey(_ incident: Incident) -> String? {
        if let site = incident.evidence.heap.first { return site.fingerprint }
        guard let cause = incident.evidence.cause, cause.firstCause != "unknown" else { return nil }
        return cause.firstCause
    }

    static func who(_ recipient: Recipient) -> String {
        guard let person = recipient.person else { return "channel \(recipient.channel)" }
        return "\(person) through \(recipient.channel)"
    }

    static func escalation(_ notice: EscalationNotice, _ recipients: [Recipient]) -> String {
        let names = recipients.map(who).joined(separator: ", ")
        let again = notice.cycle > 0 ? " (round \(notice.cycle + 1))" : ""
        return "nobody has acknowledged: step \(notice.step + 1)\(again)\(names.isEmpty ? "" : " tells \(names)")"
    }

    static func end(_ why: AcknowledgementEnd) -> String {
        switch why {
        case .timeUp: "the acknowledgement's time is up, and the incident is not over"
        case .severityRaised: "it became more urgent than what was acknowledged"
        case .forecastWorse: "the limit is clearly nearer than when it was acknowledged"
        case .withdrawn: "the acknowledgement was taken back"
        }
    }

    /// "38 s", "12 min", "3 h 20 min", "2 d".
    static func span(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "an unknown time" }
        let whole = Int64(max(0, min(seconds, 1e12)).rounded())
        switch whole {
        case ..<120: return "\(whole) s"
        case ..<7_200: return "\((whole + 30) / 60) min"
        case ..<172_800:
            let minutes = whole / 60 % 60
            return minutes == 0 ? "\(whole / 3_600) h" : "\(whole / 3_600) h \(minutes) min"
        default: return "\(whole / 86_400) d"
        }
    }

    static func timeToLimit(_ time: TimeToLimit) -> String {
        guard let high = time.high else { return "\(span(time.low)) or more" }
        return span(time.low) == span(high) ? span(high) : "\(span(time.low)) to \(span(high))"
    }

    /// "sign-ups 205 of 412 expected, −50 %".
    static func impact(_ impact: Impact) -> String {
        let percent = impact.percent.map { percent in
            let change = whole(percent)
            return change < 0 ? ", −\(-change) %" : ", +\(change) %"
        }
        let (actual, expected) = (whole(impact.actual), whole(impact.expected.estimate))
        return "\(impact.what) \(actual) of \(expected) expected\(percent ?? "")"
    }

    /// Whatever a faulty service counts: it must not end Oakum.
    private static func whole(_ value: Double) -> Int64 {
        value.isNaN ? 0 : Int64(max(-9e15, min(9e15, value)).rounded())
    }

    static func impact(_ impacts: [Impact], _ otherwise: String) -> String {
        impacts.isEmpty ? otherwise : "\(otherwise): \(impacts.map(impact).joined(separator: "; "))"
    }

    static func clip(_ text: String, _ limit: Int) -> String {
        guard text.count > limit else { return text }
        return String(text.prefix(limit - 1)) + "…"
    }

    // MARK: - The page

    /// The page without whom it is for.
    static func page(_ incident: Incident, _ kind: PageKind, at now: WallTime) -> Page {
        Page(
            id: "", kind: kind, incident: incident.id, channel: "", severity: incident.severity,
            title: clip("\(prefix(kind, incident)) \(incident.title)", 200),
            lines: lines(incident, kind).map { clip($0, 1_000) },
            facts: facts(incident).map { PageFact($0.name, clip($0.value, 1_000)) }, thread: "", at: now)
    }

    private static func prefix(_ kind: PageKind, _ incident: Incident) -> String {
        switch kind {
        case .opened, .stakeholders, .test: "[\(incident.severity.rawValue)] #\(incident.id)"
        case .escalated: "[\(incident.severity.rawValue), nobody has acknowledged] #\(incident.id)"
        case .updated: "[\(incident.severity.rawValue), more is known] #\(incident.id)"
        case .acknowledged: "[acknowledged by \(incident.acknowledgement?.by ?? "somebody")] #\(incident.id)"
        case .mitigated: "[mitigated] #\(incident.id)"
        case .resolved: "[resolved] #\(incident.id)"
        case .reopened: "[\(incident.severity.rawValue), again] #\(incident.id)"
        }
    }

    private static func lines(_ incident: Incident, _ kind: PageKind) -> [String] {
        var lines: [String] = []
        let evidence = incident.evidence
        if let verdict = evidence.verdictSummary { lines.append(verdict) }
        let summary = incident.alerts.first { $0.fingerprint == incident.fingerprint }?.summary
        if let summary, summary != evidence.verdictSummary { lines.append(summary) }
        if let site = evidence.heap.first { lines.append("The cause: \(cause(site)).") }
        if let cause = evidence.cause { lines.append(cause.summary) }
        for act in evidence.acts.prefix(3) { lines.append(act) }
        for loss in incident.impact { lines.append("Users: \(impact(loss)).") }
        let symptoms = incident.alerts.filter { $0.isSymptom && $0.isFiring }
        if !symptoms.isEmpty {
            lines.append("Held to follow from it: \(symptoms.prefix(5).map(\.summary).joined(separator: "; ")).")
        }
        if let mitigation = incident.mitigation { lines.append(mitigation) }
        if incident.alertCount > 1 { lines.append("\(incident.alertCount) alerts so far.") }
        return lines
    }

    private static func facts(_ incident: Incident) -> [PageFact] {
        var facts: [PageFact] = []
        let evidence = incident.evidence
        if let service = incident.service { facts.append(PageFact("service", service)) }
        if let worker = evidence.worker { facts.append(PageFact("worker", "\(worker)")) }
        if let verdict = evidence.verdict {
            facts.append(PageFact("verdict", verdict.code.rawValue))
            if let time = verdict.timeToLimit { facts.append(PageFact("time to limit", timeToLimit(time))) }
            if let slope = verdict.slope {
                facts.append(PageFact("growth", "\(ByteCount(Int64(clamping(slope.estimate)))) a second"))
            }
        }
        if let rss = evidence.rssBytes, let budget = evidence.budgetBytes {
            facts.append(PageFact("memory", "\(ByteCount(rss)) of \(ByteCount(budget))"))
        }
        if let site = evidence.heap.first {
            facts.append(PageFact("site", site.site))
            if let type = site.type { facts.append(PageFact("type", type)) }
            if !site.chain.isEmpty { facts.append(PageFact("held by", site.chain.joined(separator: " → "))) }
        }
        if let cause = evidence.cause {
            facts.append(PageFact("first cause", cause.firstCause))
            if !cause.ruledOut.isEmpty {
                facts.append(PageFact("ruled out", cause.ruledOut.prefix(5).joined(separator: "; ")))
            }
            if let buys = cause.restartBuysSeconds { facts.append(PageFact("a restart buys", span(buys.estimate))) }
        }
        if let acts = evidence.acts.first { facts.append(PageFact("what Oakum does", acts)) }
        if !evidence.logs.isEmpty {
            facts.append(PageFact("log lines", evidence.logs.prefix(3).joined(separator: "; ")))
        }
        if let deploy = evidence.deploys.last { facts.append(PageFact("deploy", deploy)) }
        return facts
    }

    private static func clamping(_ value: Double) -> Double {
        value.isFinite ? min(max(value, -1e18), 1e18) : 0
    }
}
