import OakumModel
import Paging

extension IncidentBook {
    /// Begins to page, when it is time and nobody has been paged yet.
    mutating func page(_ record: inout IncidentRecord, at now: Moment) -> [IncidentChange] {
        guard record.desk.course == nil, record.incident.state == .open, record.incident.severity >= settings.pagesFrom
        else { return [] }
        if let held = record.desk.heldUntil {
            guard now.uptime >= held else { return [] }
            record.desk.heldUntil = nil
        }
        if let silence = silence(over: record, at: now.wall) {
            guard !record.desk.isSilenced else { return [] }
            record.desk.isSilenced = true
            return [
                line(
                    record, .suppressed,
                    "nobody is paged: silence \(silence.id) by \(silence.author): \(silence.reason)", at: now.wall)
            ]
        }
        guard let policy = settings.policy(record.incident) else {
            guard record.desk.pageCount == 0, !record.desk.isSilenced else { return [] }
            record.desk.isSilenced = true
            guard settings.pagesNobody(for: record.incident.service) else {
                return [line(record, .exhausted, "no policy says whom to page for it", at: now.wall)]
            }
            return [line(record, .suppressed, "nobody is paged: the service's policy is `none`", at: now.wall)]
        }
        record.desk.isSilenced = false
        record.desk.course = EscalationCourse(policy: policy)
        record.desk.toldCause = PageWords.causeKey(record.incident)
        return drive(&record, .begin, at: now)
    }

    /// Lets the escalation take its course.
    mutating func drive(
        _ record: inout IncidentRecord, _ event: EscalationEvent, at now: Moment
    ) -> [IncidentChange] {
        guard var course = record.desk.course else { return [] }
        var changes: [IncidentChange] = []
        var actions = course.handle(event, at: now.uptime)[...]
        // Each notice that reaches nobody moves the course on; the number of its steps is finite.
        while let action = actions.popFirst() {
            switch action {
            case .notify(let notice):
                let (ids, sent) = tell(&record, notice, at: now)
                changes += sent
                actions += course.handle(.told(notice, deliveries: ids), at: now.uptime)
            case .unreachable(let notice, let why):
                let text = why == .nobodyToTell ? "has nobody to tell" : "has reached nobody: all its pages failed"
                changes.append(line(record, .exhausted, "step \(notice.step + 1) \(text)", at: now.wall))
            case .exhausted:
                let text = "the policy is at its end, and nobody has acknowledged"
                changes.append(line(record, .exhausted, text, at: now.wall))
            case .acknowledgementEnded(let why):
                record.incident.state = record.incident.state == .acknowledged ? .open : record.incident.state
                record.incident.acknowledgement = nil
                record.desk.acknowledged = nil
                changes.append(line(record, .acknowledgementEnded, PageWords.end(why), at: now.wall))
            }
        }
        record.desk.course = course
        return changes
    }

    private mutating func tell(
        _ record: inout IncidentRecord, _ notice: EscalationNotice, at now: Moment
    ) -> (ids: [String], changes: [IncidentChange]) {
        let found = settings.plan.recipients(of: notice.targets, at: now.wall)
        var changes: [IncidentChange] = []
        if !found.unreachable.isEmpty {
            let why = found.unreachable.joined(separator: "; ")
            changes.append(line(record, .exhausted, "step \(notice.step + 1) cannot tell all: \(why)", at: now.wall))
        }
        let isFirst = notice.number == 1
        if !isFirst {
            changes.append(line(record, .escalated, PageWords.escalation(notice, found.recipients), at: now.wall))
        }
        let kind: PageKind = !isFirst ? .escalated : record.incident.reopened > 0 ? .reopened : .opened
        var ids: [String] = []
        for recipient in found.recipients {
            changes += send(&record, kind, to: recipient, notice: notice.number, urgent: isFirst, at: now)
            if let page = record.desk.outstanding.last { ids.append(page.id) }
        }
        return (ids, changes)
    }

    /// Tells everybody who was paged about what has changed.
    mutating func tell(
        _ record: inout IncidentRecord, _ kind: PageKind, except actor: String? = nil, urgent: Bool = false,
        at now: Moment
    ) -> [IncidentChange] {
        var changes: [IncidentChange] = []
        for recipient in record.desk.told where actor == nil || recipient.person != actor {
            changes += send(&record, kind, to: recipient, notice: nil, urgent: urgent, at: now)
        }
        return changes
    }

    /// More is known, or it is worse: people who were paged hear of it, at most once in a while unless it is worse or the
    /// cause has got a name.
    mutating func update(_ record: inout IncidentRecord, worse: Bool, at now: Moment) -> [IncidentChange] {
        guard record.desk.course != nil, record.desk.pageCount > 0, !record.desk.told.isEmpty else { return [] }
        let cause = PageWords.causeKey(record.incident)
        let named = cause != nil && cause != record.desk.toldCause
        let first = named && record.desk.toldCause == nil
        let due = record.desk.updatedAt.map { now.uptime - $0 >= settings.updateSeconds } ?? true
        guard worse || first || (named && due) else { return [] }
        record.desk.toldCause = cause
        record.desk.updatedAt = now.uptime
        return tell(&record, .updated, at: now)
    }

    /// Pages that wait are of no use any more.
    mutating func withdraw(_ record: inout IncidentRecord) -> [IncidentChange] {
        let ids = record.desk.outstanding.filter { $0.kind != .stakeholders && $0.kind != .resolved }.map(\.id)
        return ids.isEmpty ? [] : [.withdraw(ids)]
    }

    mutating func send(
        _ record: inout IncidentRecord, _ kind: PageKind, to recipient: Recipient, notice: Int?, urgent: Bool,
        at now: Moment
    ) -> [IncidentChange] {
        record.desk.pageCount += 1
        let incident = record.incident
        let id = "\(settings.installation)-\(incident.id)-\(record.desk.pageCount)"
        let thread = "\(settings.installation)-\(incident.id)"
        var page = PageWords.page(incident, kind, at: now.wall)
        page.id = id
        page.channel = recipient.channel
        page.address = recipient.address
        page.person = recipient.person
        page.links = settings.links(incident.id, recipient.person, now.wall)
        if let runbook = incident.runbook {
            page.links.append(PageLink(action: .runbook, title: "Runbook", url: runbook))
        }
        page.thread = thread
        page.beginsThread = record.desk.pageCount == 1
        remember(&record, OutstandingPage(id: id, kind: kind, notice: notice, recipient: recipient))
        if !record.desk.told.contains(where: { $0.channel == recipient.channel && $0.address == recipient.address }),
            record.desk.told.count < DeskState.toldLimit
        {
            record.desk.told.append(recipient)
        }
        return [.send(page, urgent: urgent, delay: notice == nil ? 0 : recipient.afterSeconds)]
    }

    mutating func remember(_ record: inout IncidentRecord, _ page: OutstandingPage) {
        record.desk.outstanding.append(page)
        pageOwners[page.id] = record.incident.id
        while record.desk.outstanding.count > DeskState.outstandingLimit {
            pageOwners[record.desk.outstanding.removeFirst().id] = nil
        }
    }

    // MARK: - What became of pages

    mutating func heard(_ outcome: PageOutcome, at now: Moment) -> IncidentAnswer {
        guard let id = pageOwners.removeValue(forKey: outcome.page), records[id] != nil else {
            return IncidentAnswer(changes: [.heard([outcome.page])])
        }
        let changes = revise(id, at: now) { book, record in
            guard let index = record.desk.outstanding.firstIndex(where: { $0.id == outcome.page }) else { return [] }
            let page = record.desk.outstanding.remove(at: index)
            let who = PageWords.who(page.recipient)
            switch outcome.result {
            case .withdrawn: return []
            case .delivered:
                if page.notice != nil {
                    record.incident.milestones.paged = record.incident.milestones.paged ?? outcome.at
                }
                let kind: TimelineKind = page.kind == .stakeholders ? .stakeholdersTold : .paged
                let what = page.kind == .stakeholders ? "the business was told through" : "\(page.kind.rawValue): told"
                return [book.line(record, kind, "\(what) \(who)", at: outcome.at, evidence: outcome.page)]
            case .dead:
                var changes = [
                    book.line(
                        record, .deliveryFailed, "\(who) could not be told: \(outcome.words)", at: outcome.at,
                        evidence: outcome.page)
                ]
                if let notice = page.notice {
                    changes += book.drive(&record, .deliveryDead(notice: notice, delivery: page.id), at: now)
                }
                return changes
            }
        }
        return IncidentAnswer(changes: changes + [.heard([outcome.page])], incident: id)
    }

    // MARK: - Silences

    func silence(over record: IncidentRecord, at wall: WallTime) -> Silence? {
        silences.values.filter { silence in
            wall >= silence.from && wall < silence.until
                && (silence.service == nil || silence.service == record.incident.service)
                && (silence.kind == nil || silence.kind == record.incident.kind)
                && (silence.fingerprint == nil || silence.fingerprint == record.incident.fingerprint)
        }.min { $0.id < $1.id }
    }

    mutating func unsilence(_ id: Int64, at now: Moment) -> [IncidentChange] {
        guard let record = records[id], record.desk.isSilenced, record.incident.state == .open,
            silence(over: record, at: now.wall) == nil, settings.policy(record.incident) != nil
        else { return [] }
        return revise(id, at: now) { book, record in
            record.desk.isSilenced = false
            return book.page(&record, at: now)
        }
    }
}
