import OakumModel
import Paging

extension IncidentBook {
    mutating func told(_ alert: Alert, at now: Moment) -> IncidentAnswer {
        var answer = place(alert, at: now)
        // Alerts measure what users lose: it belongs to their incident, whatever that is about.
        if let impact = alert.impact, !impact.isEmpty,
            let id = answer.incident ?? owners[Grouping.hash(alert.fingerprint)]
        {
            let ends = impact.map(\.until)
            answer.changes += revise(id, at: now) { book, record in
                book.measured(
                    &record, impact, onset: impact.map(\.from).min(),
                    restored: ends.contains(nil) ? nil : ends.compactMap(\.self).max(), at: now)
            }
        }
        return answer
    }

    private mutating func place(_ alert: Alert, at now: Moment) -> IncidentAnswer {
        let hash = Grouping.hash(alert.fingerprint)
        guard alert.status == .firing else { return cleared(alert, hash, at: now) }
        if let id = owners[hash], let record = records[id] {
            if record.incident.state != .resolved { return toldAgain(alert, of: id, at: now) }
            if let quiet = record.desk.quietUntil, now.uptime < quiet {
                return IncidentAnswer(incident: id)
            }
            if let resolved = record.desk.resolvedAt, now.uptime - resolved < settings.reopenSeconds,
                groups[record.desk.group] == nil
            {
                return IncidentAnswer(changes: reopen(id, with: alert, hash, at: now), incident: id)
            }
        }
        let group = group(of: alert)
        if let id = groups[group], records[id] != nil {
            return IncidentAnswer(changes: join(alert, hash, to: id, at: now), incident: id)
        }
        let (id, changes) = open(with: alert, hash, group: group, at: now)
        return IncidentAnswer(changes: changes, incident: id, isNew: true)
    }

    /// Of the host while a leak is open somewhere: most likely its symptom.
    private func group(of alert: Alert) -> String {
        let own = Grouping.key(of: alert)
        if groups[own] == nil, alert.service == nil, alert.source != .hand, alert.source != .intake,
            Grouping.isSymptomOfLeak(alert.kind),
            let leak = records.values.filter({ $0.incident.kind == .memoryLeak && $0.incident.state != .resolved })
                .max(by: { $0.incident.id < $1.incident.id })
        {
            return leak.desk.group
        }
        return groups[own] == nil && openCount >= Self.openLimit ? "many" : own
    }

    // MARK: - New

    private mutating func open(
        with alert: Alert, _ hash: UInt64, group: String, at now: Moment
    ) -> (Int64, [IncidentChange]) {
        let id = nextIncident
        nextIncident += 1
        var milestones = Milestones(detected: alert.at.wall)
        if alert.kind == .memoryLeak { milestones.leakOnset = alert.since.wall }
        let many = group == "many"
        let incident = Incident(
            id: id, title: many ? "more incidents than can be told apart" : PageWords.title(alert),
            service: many ? nil : alert.service, kind: alert.kind, severity: alert.severity,
            fingerprint: alert.fingerprint, milestones: milestones, evidence: alert.evidence ?? Evidence(),
            alertCount: 0, policy: settings.policy(of: alert.service),
            runbook: alert.runbook ?? alert.service.flatMap { settings.services[$0]?.runbook }, updated: now.wall)
        records[id] = IncidentRecord(incident: incident, desk: DeskState(group: group, at: now))
        groups[group] = id
        let changes = revise(id, at: now) { book, record in
            var changes: [IncidentChange] = []
            if let onset = record.incident.milestones.leakOnset {
                changes.append(book.line(record, .leakOnset, "memory begins to grow", at: onset))
            }
            changes.append(book.line(record, .detected, alert.summary, at: alert.at.wall, evidence: alert.link))
            changes += book.add(alert, hash, to: &record)
            changes += book.named(&record, before: Evidence(), at: now)
            if alert.awaitsEvidence { record.desk.heldUntil = now.uptime + book.settings.evidenceSeconds }
            return changes + book.page(&record, at: now)
        }
        return (id, changes)
    }

    private mutating func reopen(
        _ id: Int64, with alert: Alert, _ hash: UInt64, at now: Moment
    ) -> [IncidentChange] {
        revise(id, at: now) { book, record in
            record.incident.state = .open
            record.incident.reopened += 1
            record.incident.acknowledgement = nil
            record.incident.milestones.resolved = nil
            record.incident.milestones.mitigated = nil
            record.incident.milestones.restored = nil
            record.incident.severity = max(record.incident.severity, alert.severity)
            record.desk.resolvedAt = nil
            record.desk.quietUntil = nil
            record.desk.clearSince = nil
            record.desk.course = nil
            record.desk.stakeholders = []
            record.desk.relapses = nil
            book.groups[record.desk.group] = id
            var changes = [book.line(record, .reopened, "it is back: \(alert.summary)", at: now.wall)]
            let before = record.incident.evidence
            if let evidence = alert.evidence { record.incident.evidence.add(evidence) }
            changes += book.add(alert, hash, to: &record)
            changes += book.named(&record, before: before, at: now)
            return changes + book.page(&record, at: now)
        }
    }

    // MARK: - More of the same

    private mutating func toldAgain(_ alert: Alert, of id: Int64, at now: Moment) -> IncidentAnswer {
        let hash = Grouping.hash(alert.fingerprint)
        guard var record = records[id] else { return IncidentAnswer() }
        record.incident.alertCount += 1
        record.desk.heardAt = now.uptime
        let end = judgeAcknowledgement(&record, alert, at: now)
        let isNews =
            firing[id]?.contains(hash) != true || alert.severity > record.incident.severity
            || (alert.evidence.map { record.incident.evidence.gains(by: $0) } ?? false)
            || (record.desk.heldUntil != nil && !alert.awaitsEvidence) || end != nil
        records[id] = record
        // Nothing but a count: it is stored with the next change.
        guard isNews else { return IncidentAnswer(incident: id) }
        let changes = revise(id, at: now) { book, record in
            record.incident.alertCount -= 1
            return book.take(alert, hash, into: &record, end: end, at: now)
        }
        return IncidentAnswer(changes: changes, incident: id)
    }

    private mutating func join(_ alert: Alert, _ hash: UInt64, to id: Int64, at now: Moment) -> [IncidentChange] {
        revise(id, at: now) { book, record in
            record.desk.heardAt = now.uptime
            let end = book.judgeAcknowledgement(&record, alert, at: now)
            return book.take(alert, hash, into: &record, end: end, at: now)
        }
    }

    /// Why an acknowledgement no longer holds, now that this is told; nil: it does, or there is none.
    private func judgeAcknowledgement(
        _ record: inout IncidentRecord, _ alert: Alert, at now: Moment
    ) -> AcknowledgementEnd? {
        guard record.incident.state == .acknowledged else { return nil }
        return record.desk.acknowledged?.judge(
            severity: alert.severity, forecast: alert.evidence?.verdict?.timeToLimit, at: now.uptime)
    }

    /// An alert for an open incident: its own again, another, or the cause of what was a symptom until now.
    private mutating func take(
        _ alert: Alert, _ hash: UInt64, into record: inout IncidentRecord, end: AcknowledgementEnd?, at now: Moment
    ) -> [IncidentChange] {
        var changes: [IncidentChange] = []
        let before = record.incident
        let isCause = alert.kind == .memoryLeak
        let isSymptom = before.kind == .memoryLeak && !isCause && Grouping.isSymptomOfLeak(alert.kind)
        let known = before.alerts.contains { $0.fingerprint == alert.fingerprint }
        if !known || firing[record.incident.id]?.contains(hash) != true,
            record.incident.alerts.count < Incident.alertLimit
        {
            let kind: TimelineKind = isSymptom ? .suppressed : .alert
            let text =
                isSymptom ? "\(alert.summary) (held to follow from the leak: nobody is paged for it)" : alert.summary
            changes.append(line(record, kind, text, at: alert.at.wall))
        }
        if isCause, before.kind != .memoryLeak {
            record.incident.kind = .memoryLeak
            record.incident.fingerprint = alert.fingerprint
            record.incident.milestones.leakOnset = alert.since.wall
            for index in record.incident.alerts.indices
            where Grouping.isSymptomOfLeak(record.incident.alerts[index].kind) {
                record.incident.alerts[index].isSymptom = true
            }
            changes.append(line(record, .leakOnset, "memory begins to grow", at: alert.since.wall))
        }
        changes += add(alert, hash, to: &record)
        record.desk.clearSince = nil
        if record.incident.state == .mitigated {
            record.incident.state = .open
            record.incident.milestones.mitigated = nil
            record.desk.course = nil
            changes.append(line(record, .reopened, "it goes on: \(alert.summary)", at: now.wall))
        }
        if let evidence = alert.evidence { record.incident.evidence.add(evidence) }
        if isCause || before.fingerprint == alert.fingerprint { record.incident.title = PageWords.title(alert) }
        changes += named(&record, before: before.evidence, at: now)
        if let end {
            changes += drive(&record, .acknowledgementEnded(end), at: now)
        }
        if alert.severity > before.severity {
            record.incident.severity = alert.severity
            changes.append(
                line(record, .severityChanged, "\(before.severity.rawValue) → \(alert.severity.rawValue)", at: now.wall)
            )
        }
        if !alert.awaitsEvidence { record.desk.heldUntil = nil }
        return changes + page(&record, at: now) + update(&record, worse: alert.severity > before.severity, at: now)
    }

    // MARK: - No longer

    private mutating func cleared(_ alert: Alert, _ hash: UInt64, at now: Moment) -> IncidentAnswer {
        guard let id = owners[hash], firing[id]?.contains(hash) == true else { return IncidentAnswer() }
        let changes = revise(id, at: now) { book, record in
            book.firing[id]?.remove(hash)
            record.desk.heardAt = now.uptime
            var changes: [IncidentChange] = [
                .alert(incident: id, fingerprint: alert.fingerprint, isFiring: false)
            ]
            if let index = record.incident.alerts.firstIndex(where: { $0.fingerprint == alert.fingerprint }) {
                record.incident.alerts[index].isFiring = false
                changes.append(book.line(record, .alert, "over: \(alert.summary)", at: alert.at.wall))
            }
            guard book.firing[id]?.isEmpty != false, !record.desk.isOverfull, record.incident.state != .resolved else {
                return changes
            }
            record.desk.clearSince = now.uptime
            if alert.source == .intake || alert.source == .hand {
                return changes + book.finish(&record, "its source says that it is over", by: "oakum", at: now)
            }
            return changes + book.mitigate(&record, "nothing fires any more", at: now)
        }
        return IncidentAnswer(changes: changes, incident: id)
    }

    // MARK: - Keeping account

    /// Counts an alert and remembers whose it is.
    mutating func add(_ alert: Alert, _ hash: UInt64, to record: inout IncidentRecord) -> [IncidentChange] {
        let id = record.incident.id
        record.incident.alertCount += 1
        if let index = record.incident.alerts.firstIndex(where: { $0.fingerprint == alert.fingerprint }) {
            record.incident.alerts[index].summary = alert.summary
            record.incident.alerts[index].severity = alert.severity
            record.incident.alerts[index].isFiring = true
        } else if record.incident.alerts.count < Incident.alertLimit {
            let isSymptom = record.incident.kind == .memoryLeak && Grouping.isSymptomOfLeak(alert.kind)
            var listed = IncidentAlert(
                fingerprint: alert.fingerprint, kind: alert.kind, severity: alert.severity, summary: alert.summary,
                isFiring: true, since: alert.since.wall, isSymptom: isSymptom)
            listed.isOfHost = alert.service == nil && record.incident.service != nil ? true : nil
            record.incident.alerts.append(listed)
        }
        guard firing[id]?.contains(hash) != true else { return [] }
        guard owners[hash] != nil || owners.count < Self.trackedLimit else {
            record.desk.isOverfull = true
            return []
        }
        if let earlier = owners[hash], earlier != id { firing[earlier]?.remove(hash) }
        owners[hash] = id
        firing[id, default: []].insert(hash)
        return [.alert(incident: id, fingerprint: alert.fingerprint, isFiring: true)]
    }

    /// A line when the cause has a name for the first time, or another one.
    mutating func named(_ record: inout IncidentRecord, before: Evidence, at now: Moment) -> [IncidentChange] {
        let evidence = record.incident.evidence
        var changes: [IncidentChange] = []
        if let site = evidence.heap.first, before.heap.first?.fingerprint != site.fingerprint {
            record.incident.milestones.causeNamed = record.incident.milestones.causeNamed ?? now.wall
            changes.append(line(record, .causeNamed, PageWords.cause(site), at: now.wall))
        }
        if let cause = evidence.cause, before.cause?.summary != cause.summary {
            changes.append(line(record, .diagnosed, cause.summary, at: now.wall))
            if cause.firstCause != "unknown" {
                record.incident.milestones.causeNamed = record.incident.milestones.causeNamed ?? now.wall
            }
        }
        if evidence.deploys != before.deploys, let deploy = evidence.deploys.last {
            changes.append(line(record, .deploy, deploy, at: now.wall))
        }
        return changes
    }
}

extension Evidence {
    /// What is known of the newest worker counts; what was known and is not told again stays.
    mutating func add(_ other: Evidence) {
        worker = other.worker ?? worker
        process = other.process ?? process
        verdict = other.verdict ?? verdict
        verdictSummary = other.verdictSummary ?? verdictSummary
        rssBytes = other.rssBytes ?? rssBytes
        budgetBytes = other.budgetBytes ?? budgetBytes
        if !other.heap.isEmpty { heap = other.heap }
        cause = other.cause ?? cause
        if !other.logs.isEmpty { logs = other.logs }
        if !other.deploys.isEmpty { deploys = other.deploys }
        if !other.acts.isEmpty { acts = other.acts }
    }

    /// The other one says something that people would want to know.
    func gains(by other: Evidence) -> Bool {
        (other.heap.first != nil && other.heap.first?.fingerprint != heap.first?.fingerprint)
            || (other.cause != nil && other.cause?.summary != cause?.summary)
            || (other.verdict != nil && other.verdict?.code != verdict?.code)
            || (!other.deploys.isEmpty && other.deploys != deploys)
    }
}
