package import OakumAPI
package import OakumModel

/// Asks a running `oakum` for everything a postmortem needs. Only the incident itself has to be there; what else cannot be had is
/// left out and told in `remarks`.
package struct PostmortemGathering: Sendable {
    private let control: any ControlPlane
    private let incidents: any IncidentPlane
    private let now: WallTime

    /// How much is shown before the first sign and after the end, as a share of the incident's time.
    private static let margin = 0.15
    /// Pages of the journal that are read, 1,000 events each, from the newest back; what lies before is left out, and said.
    private static let journalPages = 20
    /// Points of memory wanted within the time of the incident.
    private static let points = 600.0

    package init(control: any ControlPlane, incidents: any IncidentPlane, now: WallTime) {
        self.control = control
        self.incidents = incidents
        self.now = now
    }

    package func source(of id: Int64) async throws(ControlError) -> (source: PostmortemSource, remarks: [String]) {
        var source = PostmortemSource(report: try await incidents.incident(id))
        var remarks: [String] = []
        let incident = source.report.incident
        let window = window(of: incident)
        if let service = incident.service {
            do throws(ControlError) {
                source.history = try await history(of: service, in: window)
            } catch {
                remarks.append("no memory chart: \(error.message)")
            }
        }
        do throws(ControlError) {
            let (events, isWhole) = try await events(in: window)
            source.events = events
            source.release = release(of: incident, events)
            if !isWhole { remarks.append("the journal's beginning of that time lies too far back to be read") }
        } catch {
            remarks.append("the journal of that time is left out: \(error.message)")
        }
        do throws(ControlError) {
            source.onCall = try await incidents.onCall()
        } catch {
            remarks.append("no owner is proposed: \(error.message)")
        }
        do throws(ControlError) {
            let overview = try await control.overview()
            source.observeOnly = overview.oakum.observeOnly
            source.samplesHeap = overview.services.first { $0.name == incident.service }?.samplesHeap
        } catch {
            remarks.append("how Oakum treats the service is left out: \(error.message)")
        }
        return (source, remarks)
    }

    /// The build that was judged or deployed last before the incident was found.
    private func release(of incident: Incident, _ events: [Event]) -> String? {
        let told = events.filter { $0.service == incident.service && $0.facts["release"] != nil }
        let before = told.last { $0.at.wall <= incident.milestones.detected }
        // A verdict is written a moment after it was reached.
        return (before ?? told.first { $0.kind == .verdict })?.facts["release"]
    }

    private func window(of incident: Incident) -> ClosedRange<WallTime> {
        let milestones = incident.milestones
        let first = [milestones.leakOnset, milestones.impactOnset].compactMap { $0 }.reduce(milestones.detected, min)
        let end = incident.state == .resolved ? milestones.resolved ?? now : now
        let length = max(0, Double(end.milliseconds) - Double(first.milliseconds))
        let margin = max(30_000, length * Self.margin)
        let from = WallTime(milliseconds: first.milliseconds - Int64(margin))
        return from...max(from, min(now, WallTime(milliseconds: end.milliseconds + Int64(margin))))
    }

    /// The question reaches back from now, so an old incident needs more points for the same detail.
    private func history(
        of service: String, in window: ClosedRange<WallTime>
    ) async throws(ControlError) -> History {
        let back = max(1, Double(now.milliseconds - window.lowerBound.milliseconds) / 1_000)
        let length = max(1, Double(window.upperBound.milliseconds - window.lowerBound.milliseconds) / 1_000)
        let points = Int(min(10_000, max(2, Self.points * back / length)))
        var history = try await control.history(
            HistoryQuery(service: service, seconds: min(back, 366 * 86_400), points: points))
        for index in history.workers.indices {
            history.workers[index].points.removeAll { !window.contains($0.at) }
        }
        history.workers.removeAll(where: \.points.isEmpty)
        for index in (history.measures ?? []).indices {
            history.measures?[index].points.removeAll { !window.contains($0.at) }
        }
        return history
    }

    /// From the newest event back to the window's beginning: numbers rise by one.
    private func events(
        in window: ClosedRange<WallTime>
    ) async throws(ControlError) -> (events: [Event], isWhole: Bool) {
        var found: [Event] = []
        var query = EventQuery(limit: 1_000)
        var known = Int64.max
        for _ in 0..<Self.journalPages {
            // Where old events were deleted there are holes, and a page reaches into the one before.
            let records = try await control.events(query).filter { $0.id < known }
            found = records.map(\.event).filter { window.contains($0.at.wall) } + found
            guard let first = records.first, first.id > 1, first.event.at.wall >= window.lowerBound else {
                return (found, true)
            }
            known = first.id
            query = EventQuery(after: max(0, known - 1 - 1_000), limit: 1_000)
        }
        return (found, false)
    }
}
