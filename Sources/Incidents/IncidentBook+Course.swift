package import OakumModel
import Paging

extension IncidentBook {
    /// Time passes: steps that are due, silences and acknowledgements that end, incidents that are over.
    mutating func tick(at now: Moment) -> IncidentAnswer {
        var changes: [IncidentChange] = []
        for id in records.keys.sorted() {
            guard let record = records[id] else { continue }
            if record.incident.state == .resolved {
                forget(record, at: now)
                continue
            }
            if isDue(record, at: now) {
                changes += revise(id, at: now) { book, record in book.passTime(&record, at: now) }
            }
            changes += unsilence(id, at: now)
        }
        let horizon = now.wall.milliseconds - 86_400_000
        silences = silences.filter { $0.value.until.milliseconds > horizon }
        return IncidentAnswer(changes: changes)
    }

    private func isDue(_ record: IncidentRecord, at now: Moment) -> Bool {
        let desk = record.desk
        if let held = desk.heldUntil, now.uptime >= held { return true }
        if let due = desk.course?.dueAt, now.uptime >= due { return true }
        if let clear = desk.clearSince, now.uptime - clear >= settings.quietSeconds { return true }
        return isForgotten(record, at: now)
    }

    /// When something of an incident is due next; nil: nothing is. What an auditor checks.
    package func dueAt(_ record: IncidentRecord) -> Uptime? {
        [
            record.desk.heldUntil, record.desk.course?.dueAt,
            record.desk.clearSince.map { $0 + settings.quietSeconds },
        ].compactMap(\.self).min()
    }

    private func isForgotten(_ record: IncidentRecord, at now: Moment) -> Bool {
        guard record.incident.kind == .outside, !record.incident.fingerprint.hasPrefix("hand/") else { return false }
        return now.uptime - record.desk.heardAt >= settings.forgottenSeconds
    }

    private mutating func passTime(_ record: inout IncidentRecord, at now: Moment) -> [IncidentChange] {
        if isForgotten(record, at: now) {
            let span = PageWords.span(settings.forgottenSeconds)
            return finish(&record, "its source has not told of it for \(span)", by: "oakum", at: now)
        }
        if let clear = record.desk.clearSince, now.uptime - clear >= settings.quietSeconds {
            let why = "nothing has fired for \(PageWords.span(settings.quietSeconds))"
            return finish(&record, why, by: "oakum", at: now)
        }
        return page(&record, at: now) + drive(&record, .tick, at: now)
    }

    private mutating func forget(_ record: IncidentRecord, at now: Moment) {
        guard let resolved = record.desk.resolvedAt, now.uptime - resolved >= settings.reopenSeconds else { return }
        let id = record.incident.id
        records[id] = nil
        firing[id] = nil
        owners = owners.filter { $0.value != id }
        for page in record.desk.outstanding { pageOwners[page.id] = nil }
    }

    // MARK: - The end

    mutating func mitigate(_ record: inout IncidentRecord, _ why: String, at now: Moment) -> [IncidentChange] {
        guard record.incident.state == .open || record.incident.state == .acknowledged else { return [] }
        record.incident.state = .mitigated
        record.incident.milestones.mitigated = now.wall
        record.desk.heldUntil = nil
        var changes = [line(record, .mitigated, why, at: now.wall)]
        changes += withdraw(&record)
        changes += drive(&record, .ended, at: now)
        changes += tell(&record, .mitigated, at: now)
        return changes + tellAudiences(&record, .mitigated, at: now)
    }

    mutating func finish(
        _ record: inout IncidentRecord, _ why: String, by actor: String, at now: Moment
    ) -> [IncidentChange] {
        record.incident.state = .resolved
        record.incident.milestones.resolved = now.wall
        record.incident.milestones.mitigated = record.incident.milestones.mitigated ?? now.wall
        if record.incident.milestones.impactOnset != nil {
            record.incident.milestones.restored = record.incident.milestones.restored ?? now.wall
        }
        record.desk.resolvedAt = now.uptime
        record.desk.clearSince = nil
        record.desk.heldUntil = nil
        groups[record.desk.group] = nil
        var changes = [line(record, .resolved, why, at: now.wall, by: actor)]
        changes += withdraw(&record)
        changes += drive(&record, .ended, at: now)
        changes += tell(&record, .resolved, except: actor, at: now)
        return changes + tellAudiences(&record, .resolved, at: now)
    }

    // MARK: - What Oakum did, and what came of it

    mutating func acted(_ service: String, _ kind: TimelineKind, _ text: String, at now: Moment) -> IncidentAnswer {
        guard let id = openIncidents(of: service).first else { return IncidentAnswer() }
        let changes = revise(id, at: now) { book, record in [book.line(record, kind, text, at: now.wall)] }
        return IncidentAnswer(changes: changes, incident: id)
    }

    mutating func slopeJudged(_ service: String, _ text: String, holds: Bool, at now: Moment) -> IncidentAnswer {
        guard let id = openIncidents(of: service).first, records[id]?.incident.kind == .memoryLeak else {
            return IncidentAnswer()
        }
        let changes = revise(id, at: now) { book, record in
            record.incident.mitigation = text
            guard holds else { return [book.line(record, .acted, text, at: now.wall)] }
            return book.mitigate(&record, text, at: now)
        }
        return IncidentAnswer(changes: changes, incident: id)
    }

    // MARK: - Users and the business

    mutating func measured(
        _ service: String, _ impact: [Impact], onset: WallTime?, restored: WallTime?, at now: Moment
    ) -> IncidentAnswer {
        // Of one that was resolved just now too: users may be served again a little later.
        let recent = records.values.filter { $0.incident.service == service && $0.desk.resolvedAt != nil }
            .map(\.incident.id).max()
        guard let id = openIncidents(of: service).first ?? recent else { return IncidentAnswer() }
        let changes = revise(id, at: now) { book, record in
            book.measured(&record, impact, onset: onset, restored: restored, isWhole: true, at: now)
        }
        return IncidentAnswer(changes: changes, incident: id)
    }

    /// A loss that goes on replaces what was known of it; one that begins later, and others, stand beside. Users are served as
    /// before when none of them goes on; when one begins again afterwards, that is told again.
    ///
    /// - Parameter isWhole: all that is counted of the service. When what the business counts is back, that is enough: probes
    ///   that lag behind do not hold the news up.
    mutating func measured(
        _ record: inout IncidentRecord, _ impact: [Impact], onset: WallTime?, restored: WallTime?,
        isWhole: Bool = false,
        at now: Moment
    ) -> [IncidentChange] {
        var changes: [IncidentChange] = []
        var goesOn = false
        // Where the business counts, its own numbers say whether users are served as before.
        let isCounted = (record.incident.impact + impact).contains { $0.isOfBusiness == true }
        for loss in impact where note(loss, in: &record) && (!isCounted || loss.isOfBusiness == true) { goesOn = true }
        let relapses = record.desk.relapses ?? 0
        if goesOn, let earlier = record.incident.milestones.restored, relapses < DeskState.relapseLimit {
            record.incident.milestones.restored = nil
            record.desk.relapses = relapses + 1
            record.desk.stakeholders = record.desk.stakeholders.filter { told in
                ![Audience.Stage.impact, .restored].contains { told.hasSuffix(" \($0.rawValue)") }
            }
            let words = PageWords.impact(impact.filter { $0.until == nil }, "users notice again")
            changes.append(line(record, .impactOnset, words, at: max(earlier, impact.map(\.from).max() ?? earlier)))
        }
        if let onset, record.incident.milestones.impactOnset == nil {
            record.incident.milestones.impactOnset = onset
            record.incident.milestones.restored = nil
            changes.append(line(record, .impactOnset, PageWords.impact(impact, "users notice"), at: onset))
        }
        // Told by what is measured: a loss without a number yet is told when it has one.
        changes += tellAudiences(&record, .impact, at: now)
        if record.incident.milestones.causeNamed != nil { changes += tellAudiences(&record, .causeKnown, at: now) }
        if impact.isEmpty, let restored {
            for index in record.incident.impact.indices where record.incident.impact[index].until == nil {
                record.incident.impact[index].until = restored
            }
        }
        let isBack = isWhole && impact.contains { $0.isOfBusiness == true }
        let lasts = !isBack && record.incident.impact.contains { $0.until == nil }
        if let restored, !lasts, record.incident.milestones.impactOnset != nil,
            record.incident.milestones.restored == nil
        {
            let restored = record.incident.impact.compactMap(\.until).reduce(restored, max)
            record.incident.milestones.restored = restored
            let words = PageWords.impact(record.incident.impact, "users are served as before")
            changes.append(line(record, .restored, words, at: restored))
            changes += tellAudiences(&record, .restored, at: now)
        }
        return changes
    }

    /// Returns whether it is a loss that goes on, where none of the same thing went on before.
    private func note(_ loss: Impact, in record: inout IncidentRecord) -> Bool {
        let last = record.incident.impact.lastIndex { $0.what == loss.what && $0.service == loss.service }
        if let last, let until = record.incident.impact[last].until, loss.from > until {
            return append(loss, in: &record)
        }
        guard let last else { return append(loss, in: &record) }
        let isNew = record.incident.impact[last].until != nil && loss.until == nil
        record.incident.impact[last] = loss
        return isNew
    }

    /// At most 16: further ones are counted in no number.
    private func append(_ loss: Impact, in record: inout IncidentRecord) -> Bool {
        guard record.incident.impact.count < 16 else { return false }
        record.incident.impact.append(loss)
        return loss.until == nil
    }

    /// Business audiences hear of a state once, and only when users or the business lost something that was measured.
    mutating func tellAudiences(
        _ record: inout IncidentRecord, _ stage: Audience.Stage, at now: Moment
    ) -> [IncidentChange] {
        guard record.incident.milestones.impactOnset != nil, !record.incident.impact.isEmpty else { return [] }
        var changes: [IncidentChange] = []
        for audience in settings.audiences where audience.stages.contains(stage) {
            if !audience.services.isEmpty, !audience.services.contains(record.incident.service ?? "") { continue }
            guard record.desk.stakeholders.insert("\(audience.name) \(stage.rawValue)").inserted else { continue }
            // Known at the first message: it is in there.
            if stage == .impact, record.incident.milestones.causeNamed != nil {
                record.desk.stakeholders.insert("\(audience.name) \(Audience.Stage.causeKnown.rawValue)")
            }
            record.desk.pageCount += 1
            let id = "\(settings.installation)-\(record.incident.id)-\(record.desk.pageCount)"
            let recipient = Recipient(
                person: nil, channel: audience.channel, address: audience.address, afterSeconds: 0)
            let words = AudienceWords(incident: record.incident, clock: audience.clock)
            let page = Page(
                id: id, kind: .stakeholders, incident: record.incident.id, channel: audience.channel,
                address: audience.address, severity: .info, title: words.title(stage), lines: words.lines(stage),
                thread: "\(settings.installation)-\(record.incident.id)-\(audience.name)",
                beginsThread: !record.desk.stakeholders.contains {
                    $0.hasPrefix("\(audience.name) ") && !$0.hasSuffix(stage.rawValue)
                },
                at: now.wall)
            remember(&record, OutstandingPage(id: id, kind: .stakeholders, notice: nil, recipient: recipient))
            changes.append(.send(page, urgent: false, delay: 0))
        }
        return changes
    }
}
