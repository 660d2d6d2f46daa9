import OakumModel

/// An incident in plain words for people who do not know what a heap is: what it costs, since when, until when.
struct AudienceWords {
    let incident: Incident
    let clock: (WallTime) -> String

    private var name: String { incident.service ?? "the service" }

    /// What the business counts comes first: it is what these people know.
    private var losses: [Impact] {
        incident.impact.filter { $0.isOfBusiness == true } + incident.impact.filter { $0.isOfBusiness != true }
    }

    /// What was lost of the first of them, each time it was.
    private var loss: Impact? {
        guard var sum = losses.first else { return nil }
        for other in losses.dropFirst() where other.what == sum.what && other.service == sum.service {
            sum.actual += other.actual
            sum.expected.estimate += other.expected.estimate
            sum.expected.low += other.expected.low
            sum.expected.high += other.expected.high
        }
        return sum
    }

    func title(_ stage: Audience.Stage) -> String {
        let loss = loss.map { PageWords.impact($0) } ?? "users notice a fault"
        return PageWords.clip("\(name): \(loss), \(times)\(state(stage))", 200)
    }

    /// "since 10:00 EST" or "10:00 EST to 10:45 EST".
    private var times: String {
        let from = incident.milestones.impactOnset ?? incident.milestones.detected
        guard let restored = incident.milestones.restored else { return "since \(clock(from))" }
        return "since \(clock(from)); restored \(clock(restored))"
    }

    private func state(_ stage: Audience.Stage) -> String {
        let known = incident.milestones.causeNamed != nil
        switch stage {
        case .impact, .restored: return known ? "; cause known" : ""
        case .causeKnown: return "; cause known"
        case .mitigated: return "; mitigated"
        case .resolved: return "; over"
        }
    }

    func lines(_ stage: Audience.Stage) -> [String] {
        var lines = losses.map { loss in
            let until = loss.until.map { " until \(clock($0))" } ?? ""
            return "\(PageWords.impact(loss)), from \(clock(loss.from))\(until) (expected by \(loss.basis))."
        }
        lines.append("Noticed by Oakum at \(clock(incident.milestones.detected)).")
        if let named = incident.milestones.causeNamed {
            lines.append("The cause has been known since \(clock(named)).")
        } else {
            lines.append("The cause is being looked for.")
        }
        if let by = incident.acknowledgement?.by { lines.append("\(by) is working on it.") }
        switch stage {
        case .impact, .causeKnown: break
        case .mitigated: lines.append("It no longer gets worse; the cause is still to be removed.")
        case .restored: lines.append("Users are served as before.")
        case .resolved: lines.append("It is over.")
        }
        return lines
    }
}
