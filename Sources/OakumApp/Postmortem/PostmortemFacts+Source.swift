import AlertRules
import Incidents
import OakumAPI
package import OakumModel
package import Postmortem

extension PostmortemFacts {
    /// - Parameters:
    ///   - configuration: says what of the users' side is watched; nil: it is not known.
    ///   - glossary: see `PostmortemFacts.glossary`.
    package init(
        _ source: PostmortemSource, configuration: OakumConfiguration?, zone: DocumentZone, now: WallTime,
        glossary: String? = nil
    ) {
        let incident = source.report.incident
        let settings = configuration?.services.first { $0.name == incident.service }
        let treatment = source.observeOnly.map { observeOnly in
            ServiceTreatment(
                recycles: !observeOnly, samplesHeap: source.samplesHeap ?? settings?.heap.sampler ?? false,
                pagesNobody: settings?.paging.pagesNobody ?? false)
        }
        self.init(
            incident: incident, timeline: source.report.timeline,
            pages: source.report.deliveries.map(PageTold.init), events: source.events,
            memory: source.history.map(MemoryRecord.init),
            measures: source.history.map(MeasuredSeries.drawn) ?? [], measured: settings?.alerts.watchedMeasures,
            owner: Self.owner(of: incident, source.onCall), release: source.release, treatment: treatment, zone: zone,
            madeAt: now, glossary: glossary)
    }

    /// Whom the policy tells first; without one, who took the incident on.
    private static func owner(of incident: Incident, _ onCall: OnCallReport?) -> ProposedOwner? {
        let policy = onCall?.policies.first { $0.name == incident.policy }
        let targets = policy?.steps.flatMap(\.targets) ?? []
        let people = targets.filter { !$0.hasPrefix("channel through ") && !$0.hasPrefix("nobody: ") }
        if let policy,
            let first = people.first?.firstRange(of: " through ").flatMap({ people.first?[..<$0.lowerBound] })
        {
            return ProposedOwner(name: String(first), origin: "whom the policy \(policy.name) tells first")
        }
        return incident.acknowledgement.map { ProposedOwner(name: $0.by, origin: "who took the incident on") }
    }
}

extension AlertSettings {
    /// What of the users' side has a rule.
    var watchedMeasures: [WatchedMeasure] {
        var result: [WatchedMeasure] = []
        if errorRate != nil { result.append(WatchedMeasure(name: "error rate", kind: .errorRate)) }
        if latency != nil { result.append(WatchedMeasure(name: "latency", kind: .latency)) }
        if unresponsive != nil { result.append(WatchedMeasure(name: "answers to probes", kind: .unresponsive)) }
        return result + business.map { WatchedMeasure(name: $0.name, kind: .businessRate) }
    }
}

extension PageTold {
    init(_ delivery: Delivery) {
        let state: State =
            switch delivery.state {
            case .waiting: .waiting
            case .delivered: .delivered
            case .dead: .dead
            case .withdrawn: .withdrawn
            }
        self.init(page: delivery.page, state: state, attempts: delivery.attempts, words: delivery.words)
    }
}

extension MemoryRecord {
    init(_ history: History) {
        self.init(
            budget: history.budget,
            processes: history.workers.map { worker in
                MemoryProcess(
                    worker: worker.number,
                    points: worker.points.map { MemoryPoint(at: $0.at, floor: $0.floor, peak: $0.peak) })
            })
    }
}
