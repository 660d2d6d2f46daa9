import Incidents
package import OakumAPI
package import OakumModel
import Paging

extension IncidentDesk: IncidentPlane {
    package func incidents(_ query: IncidentQuery) async throws(ControlError) -> [Incident] {
        guard (1...200).contains(query.limit) else { throw .invalid("limit must be in 1...200") }
        do throws(StoreError) {
            return try await store.incidents(query)
        } catch {
            throw .failed("incidents cannot be read: \(error)")
        }
    }

    package func incident(_ id: Int64) async throws(ControlError) -> IncidentReport {
        do throws(StoreError) {
            if let report = try await store.report(id) { return report }
        } catch {
            throw .failed("incidents cannot be read: \(error)")
        }
        throw .notFound("there is no incident #\(id): `oakum incidents list` shows them")
    }

    package func act(_ act: IncidentAct, by actor: String) async throws(ControlError) -> IncidentOutcome {
        let event: IncidentEvent
        switch act {
        case .open(let title, let service, let severity, let details):
            event = .opened(title: title, service: service, severity: severity, details: details, by: actor)
        case .acknowledge(let id): event = .acknowledged(id, by: actor)
        case .note(let id, let text): event = .note(id, text, by: actor)
        case .resolve(let id, let why): event = .resolved(id, why, by: actor)
        case .silence(let id, let seconds, let reason):
            event = .silenced(id, seconds: seconds, reason: reason, by: actor)
        case .endSilence(let id): event = .silenceEnded(id, by: actor)
        case .check(let person): event = .check(person: person, by: actor)
        case .deploy(let service, let text):
            guard book.settings.services[service] != nil else { throw .notFound("there is no service \(service)") }
            await markDeploy(service, text, at: now().wall)
            return IncidentOutcome(incident: nil, changed: true, message: "the deploy of \(service) is marked")
        }
        let answers = try await handle([event])
        guard let answer = answers.first else { throw .failed("no answer") }
        switch answer.refusal {
        case .notFound(let text): throw .notFound(text)
        case .refused(let text): throw .refused(text)
        case .invalid(let text): throw .invalid(text)
        case nil: break
        }
        let pages = answer.changes.compactMap { change -> String? in
            if case .send(let page, _, _) = change { page.id } else { nil }
        }
        return IncidentOutcome(
            incident: answer.incident, changed: !answer.changes.isEmpty, message: answer.message ?? "done", pages: pages
        )
    }

    package func take(_ intake: [IntakeItem]) async throws(ControlError) -> [IntakeReceipt] {
        let alerts = intake.compactMap { item -> Alert? in
            if case .alert(let alert) = item { alert } else { nil }
        }
        var answers = try await handle(alerts.map { .alert(known($0)) })[...]
        var receipts: [IntakeReceipt] = []
        for item in intake {
            switch item {
            case .alert:
                let answer = answers.popFirst()
                receipts.append(IntakeReceipt(incident: answer?.incident, isNew: answer?.isNew ?? false))
            case .deploy(let service, let text, let at):
                let known = book.settings.services.keys.sorted()
                for name in service.map({ [$0] }) ?? known where known.contains(name) {
                    await markDeploy(name, text, at: at)
                }
                receipts.append(IntakeReceipt(incident: nil, isNew: false))
            }
        }
        return receipts
    }

    private static func names(_ found: Recipients) -> [String] {
        let names = found.recipients.map { recipient in
            let address = recipient.address.map { " (\($0))" } ?? ""
            return "\(recipient.person ?? "channel") through \(recipient.channel)\(address)"
        }
        return names + found.unreachable.map { "nobody: \($0)" }
    }

    /// Others name services as they like: one we do not know is a label, no service of ours.
    private func known(_ alert: Alert) -> Alert {
        var alert = alert
        if let service = alert.service, book.settings.services[service] == nil {
            alert.labels["service"] = alert.labels["service"] ?? service
            alert.labels["alertname"] = alert.labels["service"].map { "\($0) \(alert.labels["alertname"] ?? "")" }
            alert.service = nil
        }
        return alert
    }

    package func onCall() async throws(ControlError) -> OnCallReport {
        let wall = now().wall
        let plan = book.settings.plan
        let deliveries: [Delivery]
        do throws(StoreError) {
            deliveries = try await store.deliveries(limit: 50)
        } catch {
            throw .failed("pages cannot be read: \(error)")
        }
        let policies = plan.policies.map { policy in
            var offset = 0.0
            return OnCallReport.Policy(
                name: policy.name,
                services: book.settings.services.keys.sorted().filter { book.settings.policy(of: $0) == policy.name },
                steps: policy.steps.map { step in
                    offset += step.afterSeconds
                    return OnCallReport.Step(
                        afterSeconds: offset, targets: Self.names(plan.recipients(of: step.targets, at: wall)))
                }, repeats: policy.repeats)
        }
        let schedules = plan.schedules.map { schedule in
            let shift = schedule.shift(at: wall)
            let now = shift.now.people.joined(separator: " and ")
            let next = shift.next.joined(separator: " and ")
            return OnCallReport.Schedule(
                name: schedule.name, now: now.isEmpty ? nil : now, until: shift.now.until,
                next: next.isEmpty ? nil : next)
        }
        let silences = book.silences.values.filter { $0.until > wall }.sorted { $0.id < $1.id }
        let nextWeek = WallTime(milliseconds: wall.milliseconds + 7 * 86_400_000)
        var problems = plan.problems(at: wall, until: nextWeek).map(\.words)
        if let trouble = problem { problems.insert(trouble, at: 0) }
        return OnCallReport(
            policies: policies, schedules: schedules, silences: silences, problems: problems, deliveries: deliveries)
    }
}

extension IncidentDesk: AlertSink {
    package func firing() async -> [Alert] {
        book.ownFiring(at: now())
    }

    /// Alerts of Oakum's own. What cannot be stored now is kept, the newest of each fingerprint, and tried again.
    package func take(_ alerts: [Alert]) async {
        guard !alerts.isEmpty, !(await attemptQuietly(alerts.map { .alert($0) })) else { return }
        for alert in alerts where unsaved[alert.fingerprint] != nil || unsaved.count < Self.unsavedLimit {
            unsaved[alert.fingerprint] = alert
        }
    }

    package func take(_ impacts: [Impact], of service: String) async {
        let ends = impacts.map(\.until)
        await attemptQuietly([
            .impact(
                service: service, impacts, onset: impacts.map(\.from).min(),
                restored: impacts.isEmpty || ends.contains(nil) ? nil : ends.compactMap(\.self).max())
        ])
    }

    /// What the journal tells: acts and what came of them belong to the incident's timeline.
    package func take(_ events: [Event]) async {
        let told = events.compactMap { event -> IncidentEvent? in
            guard let service = event.service else { return nil }
            switch event.kind {
            case .recycleStarted, .recycleFinished, .recycleFailed, .recycleWithheld, .workerFailed:
                return .acted(service: service, .acted, event.message)
            case .deploy, .release: return .acted(service: service, .deploy, event.message)
            case .workerExited where event.facts["asked"] == "false":
                return .acted(service: service, .acted, event.message)
            case .slopeAfterwards:
                return .slopeJudged(service: service, event.message, holds: event.facts["holds"] == "true")
            default: return nil
            }
        }
        if !told.isEmpty { await attemptQuietly(told) }
    }
}
