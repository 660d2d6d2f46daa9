import OakumModel
import Paging

extension IncidentBook {
    private func unknown(_ id: Int64) -> IncidentAnswer {
        IncidentAnswer(
            refusal: .notFound("there is no incident #\(id) that is open: `oakum incidents list` shows them"))
    }

    mutating func open(
        byHand title: String, _ service: String?, _ severity: Severity, _ details: String?, by actor: String,
        at now: Moment
    ) -> IncidentAnswer {
        guard !title.isEmpty, title.unicodeScalars.count <= 200 else {
            return IncidentAnswer(refusal: .invalid("a title has 1 to 200 characters"))
        }
        if let service, settings.services[service] == nil {
            return IncidentAnswer(refusal: .notFound("there is no service \(service)"))
        }
        let alert = Alert(
            source: .hand, status: .firing, fingerprint: "hand/\(nextIncident)", kind: .outside, service: service,
            severity: severity, summary: title, since: now, at: now, details: details.map { [$0] } ?? [])
        var answer = told(alert, at: now)
        if let id = answer.incident {
            answer.changes += revise(id, at: now) { book, record in
                [book.line(record, .opened, details.map { "\(title): \($0)" } ?? title, at: now.wall, by: actor)]
            }
            answer.message =
                answer.isNew ? "#\(id) is open" : "counted to #\(id), which is open for \(service ?? title)"
        }
        return answer
    }

    mutating func acknowledge(_ id: Int64, by actor: String, at now: Moment) -> IncidentAnswer {
        guard let record = records[id] else { return unknown(id) }
        switch record.incident.state {
        case .resolved: return IncidentAnswer(incident: id, message: "#\(id) is resolved already")
        case .acknowledged where record.incident.acknowledgement?.by == actor:
            return IncidentAnswer(incident: id, message: "#\(id) is acknowledged by \(actor) already")
        default: break
        }
        let changes = revise(id, at: now) { book, record in
            var acknowledgement = Acknowledgement(
                by: actor, at: now.wall, severity: record.incident.severity,
                timeToLimitSeconds: record.incident.evidence.verdict?.timeToLimit?.low)
            if let seconds = book.settings.policy(record.incident)?.acknowledgementSeconds {
                acknowledgement.until = WallTime(milliseconds: now.wall.milliseconds + Int64(seconds * 1_000))
            }
            record.incident.acknowledgement = acknowledgement
            record.desk.acknowledged = AcknowledgementRule(
                severity: acknowledgement.severity, givenAt: now.uptime,
                timeToLimit: acknowledgement.timeToLimitSeconds, until: nil)
            record.incident.milestones.acknowledged = record.incident.milestones.acknowledged ?? now.wall
            if record.incident.state == .open { record.incident.state = .acknowledged }
            record.desk.heldUntil = nil
            var changes = [book.line(record, .acknowledged, "acknowledged", at: now.wall, by: actor)]
            changes += book.withdraw(&record)
            changes += book.drive(&record, .acknowledged(by: actor), at: now)
            return changes + book.tell(&record, .acknowledged, except: actor, at: now)
        }
        return IncidentAnswer(changes: changes, incident: id, message: "#\(id) is acknowledged by \(actor)")
    }

    mutating func note(_ id: Int64, _ text: String, by actor: String, at now: Moment) -> IncidentAnswer {
        guard records[id] != nil else { return unknown(id) }
        guard !text.isEmpty, text.unicodeScalars.count <= 4_000 else {
            return IncidentAnswer(refusal: .invalid("a note has 1 to 4,000 characters"))
        }
        let changes = revise(id, at: now) { book, record in
            [book.line(record, .note, text, at: now.wall, by: actor)]
        }
        return IncidentAnswer(changes: changes, incident: id, message: "noted in #\(id)")
    }

    mutating func resolve(_ id: Int64, _ why: String?, by actor: String, at now: Moment) -> IncidentAnswer {
        guard let record = records[id] else { return unknown(id) }
        guard record.incident.state != .resolved else {
            return IncidentAnswer(incident: id, message: "#\(id) is resolved already")
        }
        let fires = firing[id]?.isEmpty == false
        let changes = revise(id, at: now) { book, record in
            if fires { record.desk.quietUntil = now.uptime + 600 }
            return book.finish(&record, why ?? "resolved", by: actor, at: now)
        }
        let warning = fires ? "; its alert still fires: after ten minutes it would open it again" : ""
        return IncidentAnswer(changes: changes, incident: id, message: "#\(id) is resolved by \(actor)\(warning)")
    }

    mutating func silence(
        _ id: Int64, seconds: Double, reason: String, by actor: String, at now: Moment
    ) -> IncidentAnswer {
        guard let record = records[id] else { return unknown(id) }
        guard seconds.isFinite, seconds >= 60, seconds <= 30 * 86_400 else {
            return IncidentAnswer(refusal: .invalid("a silence lasts a minute to 30 days"))
        }
        guard !reason.isEmpty, reason.unicodeScalars.count <= 500 else {
            return IncidentAnswer(refusal: .invalid("say why, in 1 to 500 characters"))
        }
        let silence = Silence(
            id: nextSilence, service: record.incident.service, kind: record.incident.kind,
            fingerprint: record.incident.service == nil ? record.incident.fingerprint : nil, from: now.wall,
            until: WallTime(milliseconds: now.wall.milliseconds + Int64(seconds * 1_000)), author: actor,
            reason: reason)
        nextSilence += 1
        silences[silence.id] = silence
        let what = "\(silence.kind?.rawValue ?? "everything") of \(silence.service ?? "the host")"
        let changes = revise(id, at: now) { book, record in
            record.desk.isSilenced = true
            var changes: [IncidentChange] = [.silence(silence)]
            changes.append(
                book.line(
                    record, .suppressed, "silence \(silence.id) for \(PageWords.span(seconds)): \(reason)",
                    at: now.wall,
                    by: actor))
            changes += book.withdraw(&record)
            changes += book.drive(&record, .ended, at: now)
            record.desk.course = nil
            return changes
        }
        return IncidentAnswer(
            changes: changes, incident: id,
            message: "silence \(silence.id): nobody is paged for \(what) for \(PageWords.span(seconds))")
    }

    mutating func endSilence(_ id: Int64, by actor: String, at now: Moment) -> IncidentAnswer {
        guard var silence = silences[id] else {
            return IncidentAnswer(refusal: .notFound("there is no silence \(id)"))
        }
        guard silence.until > now.wall else {
            return IncidentAnswer(message: "silence \(id) is over already")
        }
        silence.until = now.wall
        silences[id] = silence
        var changes: [IncidentChange] = [.silence(silence)]
        for incident in records.keys.sorted() { changes += unsilence(incident, at: now) }
        return IncidentAnswer(changes: changes, message: "silence \(id) is over")
    }

    /// Test pages: they belong to no incident, and tell whether somebody can be reached.
    mutating func check(_ person: String?, by actor: String, at now: Moment) -> IncidentAnswer {
        var targets: [Target]
        if let person {
            guard settings.plan.people.contains(where: { $0.name == person }) else {
                return IncidentAnswer(refusal: .notFound("there is no person \(person) in the configuration"))
            }
            targets = [.person(person)]
        } else {
            targets = settings.plan.policies.flatMap { $0.steps.flatMap(\.targets) }
        }
        let found = settings.plan.recipients(of: targets, at: now.wall)
        guard !found.recipients.isEmpty else {
            let why = found.unreachable.isEmpty ? "no policy names anybody" : found.unreachable.joined(separator: "; ")
            return IncidentAnswer(refusal: .refused("nobody would be reached: \(why)"))
        }
        var changes: [IncidentChange] = []
        for (index, recipient) in found.recipients.enumerated() {
            let page = Page(
                id: "\(settings.installation)-t\(now.wall.milliseconds)-\(index)", kind: .test,
                channel: recipient.channel, address: recipient.address, person: recipient.person, severity: .info,
                title: "Oakum test page: nothing is wrong",
                lines: ["Asked for by \(actor), to see that you can be reached. There is nothing to do."],
                thread: "\(settings.installation)-check", beginsThread: false, at: now.wall)
            changes.append(.send(page, urgent: false, delay: 0))
        }
        let missing = found.unreachable.joined(separator: "; ")
        let words = missing.isEmpty ? "" : "; not reachable: \(missing)"
        return IncidentAnswer(
            changes: changes, message: "\(found.recipients.count) test pages are on their way\(words)")
    }
}
