package import OakumModel
import Paging

/// All incidents that are not over: alerts and people's acts in, incidents, timelines and pages out.
///
/// A value. Whoever owns it hands an event to a copy, makes the changes durable in one transaction, and only then takes the
/// copy for the truth: what could not be stored has not happened. Memory is bounded by `openLimit` and `trackedLimit`.
package struct IncidentBook: Sendable {
    /// Open incidents. Beyond, alerts that belong to none share one more.
    package static let openLimit = 500
    /// Alerts that are told apart, over all incidents. Beyond, they are counted, and their incident ends when it has not been
    /// heard of for a while instead of when each of them is resolved.
    package static let trackedLimit = 200_000

    package var settings: IncidentSettings
    /// Not over, or over for less than `reopenSeconds`.
    package internal(set) var records: [Int64: IncidentRecord] = [:]
    package internal(set) var silences: [Int64: Silence] = [:]
    /// Hashes of the fingerprints that fire.
    var firing: [Int64: Set<UInt64>] = [:]
    /// Which incident an alert belongs to, firing or not.
    var owners: [UInt64: Int64] = [:]
    /// Which incident a page belongs to, while its outcome is not known.
    var pageOwners: [String: Int64] = [:]
    /// The open incident of each group.
    var groups: [String: Int64] = [:]
    var nextIncident: Int64 = 1
    var nextSilence: Int64 = 1

    package init(settings: IncidentSettings) {
        self.settings = settings
    }

    /// Takes over what was stored. Incidents of an earlier boot have been rebased by the caller.
    ///
    /// - Parameters:
    ///   - alerts: fingerprints by incident, and whether they fire.
    ///   - nextIncident: above every number that was ever given.
    package mutating func restore(
        _ stored: [IncidentRecord], alerts: [(incident: Int64, fingerprint: String, isFiring: Bool)],
        silences: [Silence], nextIncident: Int64, nextSilence: Int64
    ) {
        for record in stored {
            let id = record.incident.id
            records[id] = record
            if record.incident.state != .resolved { groups[record.desk.group] = id }
            for page in record.desk.outstanding { pageOwners[page.id] = id }
        }
        for alert in alerts where records[alert.incident] != nil {
            let hash = Grouping.hash(alert.fingerprint)
            owners[hash] = alert.incident
            if alert.isFiring { firing[alert.incident, default: []].insert(hash) }
        }
        for silence in silences { self.silences[silence.id] = silence }
        self.nextIncident = max(self.nextIncident, nextIncident)
        self.nextSilence = max(self.nextSilence, nextSilence)
    }

    /// Decides what follows from an event.
    package mutating func handle(_ event: IncidentEvent, at now: Moment) -> IncidentAnswer {
        switch event {
        case .alert(let alert): return told(alert, at: now)
        case .opened(let title, let service, let severity, let details, let actor):
            return open(byHand: title, service, severity, details, by: actor, at: now)
        case .acknowledged(let id, let actor): return acknowledge(id, by: actor, at: now)
        case .note(let id, let text, let actor): return note(id, text, by: actor, at: now)
        case .resolved(let id, let why, let actor): return resolve(id, why, by: actor, at: now)
        case .silenced(let id, let seconds, let reason, let actor):
            return silence(id, seconds: seconds, reason: reason, by: actor, at: now)
        case .silenceEnded(let id, let actor): return endSilence(id, by: actor, at: now)
        case .check(let person, let actor): return check(person, by: actor, at: now)
        case .outcome(let outcome): return heard(outcome, at: now)
        case .impact(let service, let impact, let onset, let restored):
            return measured(service, impact, onset: onset, restored: restored, at: now)
        case .acted(let service, let kind, let text): return acted(service, kind, text, at: now)
        case .slopeJudged(let service, let text, let holds):
            return slopeJudged(service, text, holds: holds, at: now)
        case .tick: return tick(at: now)
        }
    }

    /// Lets `change` work on one incident and adds what has to be stored of it.
    ///
    /// - Returns: what `change` asked for, and the incident itself when it is another now.
    mutating func revise(
        _ id: Int64, at now: Moment, _ change: (inout IncidentBook, inout IncidentRecord) -> [IncidentChange]
    ) -> [IncidentChange] {
        guard var record = records[id] else { return [] }
        let before = record
        var changes = change(&self, &record)
        guard record != before || !changes.isEmpty else { return [] }
        record.desk.savedAt = now
        record.incident.updated = now.wall
        records[id] = record
        changes.append(.save(record))
        return changes
    }

    func line(
        _ record: IncidentRecord, _ kind: TimelineKind, _ text: String, at wall: WallTime, by: String = "oakum",
        evidence: String? = nil
    ) -> IncidentChange {
        .line(
            TimelineEntry(
                incident: record.incident.id, at: wall, kind: kind, text: text, by: by, evidence: evidence))
    }

    /// Open incidents of a service, the likeliest cause first.
    func openIncidents(of service: String) -> [Int64] {
        records.values.filter { $0.incident.service == service && $0.incident.state != .resolved }
            .sorted {
                ($0.incident.kind == .memoryLeak ? 0 : 1, $0.incident.id)
                    < ($1.incident.kind == .memoryLeak ? 0 : 1, $1.incident.id)
            }
            .map(\.incident.id)
    }

    package var openCount: Int { records.values.count { $0.incident.state != .resolved } }

    /// Alerts of Oakum's own that fire, as far as incidents hold them: what it has to go on with after a restart.
    package func ownFiring(at now: Moment) -> [Alert] {
        records.values.filter { $0.incident.state != .resolved }.sorted { $0.incident.id < $1.incident.id }
            .flatMap { record in
                record.incident.alerts.filter { $0.isFiring && $0.kind != .outside }.map { alert in
                    let ago = Double(max(0, now.wall.milliseconds - alert.since.milliseconds)) / 1_000
                    let evidence = alert.kind == .memoryLeak ? record.incident.evidence : nil
                    // What is counted from now on is added to what was lost until then.
                    let lost = record.incident.impact.filter { $0.isOfBusiness == true && $0.until == nil }
                    return Alert(
                        source: alert.kind == .memoryLeak ? .verdict : .rule, status: .firing,
                        fingerprint: alert.fingerprint, kind: alert.kind,
                        service: alert.isOfHost == true ? nil : record.incident.service, severity: alert.severity,
                        summary: alert.summary,
                        since: Moment(uptime: Uptime(seconds: now.uptime.seconds - ago), wall: alert.since), at: now,
                        evidence: evidence, impact: alert.kind == .businessRate && !lost.isEmpty ? lost : nil)
                }
            }
    }
}
