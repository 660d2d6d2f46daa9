package import Incidents
package import OakumAPI
package import OakumEngine
package import OakumModel
import Synchronization

/// Incidents in memory, under the same contract as the durable store. Can be told to fail, and to be slow.
package final class InMemoryIncidents: IncidentStore, PageOutcomes {
    package struct Contents: Sendable {
        package var records: [Int64: IncidentRecord] = [:]
        package var alerts: [String: StoredIncidents.StoredAlert] = [:]
        package var silences: [Int64: Silence] = [:]
        package var timeline: [TimelineEntry] = []
        package var pages: [Page] = []
        package var withdrawn: Set<String> = []
        package var outcomes: [PageOutcome] = []
        package var heard: Set<String> = []
        package var commits = 0
        /// Commits that were tried, those that failed among them.
        package var attempts = 0
        package var error: StoreError?
    }

    private let contents = Mutex(Contents())
    package let news: AsyncStream<Void>
    private let newsMaker: AsyncStream<Void>.Continuation

    package init() {
        (news, newsMaker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package var now: Contents { contents.withLock { $0 } }

    /// Every call fails with it; nil: none does.
    package func fail(with error: StoreError?) {
        contents.withLock { $0.error = error }
    }

    /// What became of a page, as a dispatcher would tell.
    package func settle(_ outcome: PageOutcome) {
        contents.withLock { $0.outcomes.append(outcome) }
        newsMaker.yield()
    }

    private func open<Value>(_ body: (inout sending Contents) -> sending Value) throws(StoreError) -> Value {
        let result = contents.withLock { contents -> Result<Value, StoreError> in
            if let error = contents.error { return .failure(error) }
            return .success(body(&contents))
        }
        return try result.get()
    }

    package func load(recent: Double, at now: Moment) async throws(StoreError) -> StoredIncidents {
        try open { contents in
            StoredIncidents(
                records: contents.records.values.sorted { $0.incident.id < $1.incident.id },
                alerts: contents.alerts.values.sorted { $0.fingerprint < $1.fingerprint },
                silences: contents.silences.values.filter { $0.until > now.wall },
                nextIncident: (contents.records.keys.max() ?? 0) + 1,
                nextSilence: (contents.silences.keys.max() ?? 0) + 1)
        }
    }

    package func commit(_ changes: [IncidentChange], at now: Moment) async throws(StoreError) {
        contents.withLock { $0.attempts += 1 }
        try open { contents in
            contents.commits += 1
            for change in changes {
                switch change {
                case .save(let record): contents.records[record.incident.id] = record
                case .line(let line): contents.timeline.append(line)
                case .send(let page, _, _):
                    if !contents.pages.contains(where: { $0.id == page.id }) { contents.pages.append(page) }
                case .withdraw(let ids): contents.withdrawn.formUnion(ids)
                case .alert(let incident, let fingerprint, let isFiring):
                    contents.alerts[fingerprint] = StoredIncidents.StoredAlert(
                        incident: incident, fingerprint: fingerprint, isFiring: isFiring)
                case .silence(let silence): contents.silences[silence.id] = silence
                case .heard(let ids): contents.heard.formUnion(ids)
                }
            }
        }
    }

    package func incidents(_ query: IncidentQuery) async throws(StoreError) -> [Incident] {
        try open { contents in
            let all = contents.records.values.map(\.incident).sorted { $0.id > $1.id }
            let found = all.filter { incident in
                (query.states.isEmpty || query.states.contains(incident.state))
                    && (query.service == nil || incident.service == query.service)
                    && (query.before.map { incident.id < $0 } ?? true)
            }
            return Array(found.prefix(query.limit))
        }
    }

    package func report(_ id: Int64) async throws(StoreError) -> IncidentReport? {
        try open { contents in
            guard let record = contents.records[id] else { return nil }
            return IncidentReport(
                incident: record.incident,
                timeline: contents.timeline.filter { $0.incident == id }.sorted { $0.at < $1.at },
                deliveries: contents.pages.filter { $0.incident == id }.map { Self.delivery($0, contents) })
        }
    }

    package func deliveries(limit: Int) async throws(StoreError) -> [Delivery] {
        try open { contents in contents.pages.reversed().prefix(limit).map { Self.delivery($0, contents) } }
    }

    package func outcomes(limit: Int) async throws(StoreError) -> [PageOutcome] {
        try open { contents in
            Array(contents.outcomes.filter { !contents.heard.contains($0.page) }.prefix(limit))
        }
    }

    private static func delivery(_ page: Page, _ contents: Contents) -> Delivery {
        let outcome = contents.outcomes.last { $0.page == page.id }
        let state: Delivery.State =
            switch outcome?.result {
            case .delivered: .delivered
            case .dead: .dead
            case .withdrawn: .withdrawn
            case nil: contents.withdrawn.contains(page.id) ? .withdrawn : .waiting
            }
        return Delivery(page: page, state: state, attempts: outcome?.attempts ?? 0, words: outcome?.words)
    }
}
