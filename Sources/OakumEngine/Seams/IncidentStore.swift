package import Incidents
package import OakumAPI
package import OakumModel

/// Incidents, their timelines and the pages that are to be sent, durable and together.
package protocol IncidentStore: Sendable {
    /// What was stored of incidents that are not over, or over for less than `recent` seconds. Uptimes of an earlier boot of
    /// the machine are moved to this one's clock.
    func load(recent: Double, at now: Moment) async throws(StoreError) -> StoredIncidents
    /// Stores all of it in one transaction, in order. When it returns, it survives a killed process and a power cut. Without
    /// any change something small is written all the same: it shows whether the store can be written.
    func commit(_ changes: [IncidentChange], at now: Moment) async throws(StoreError)
    /// The newest first.
    func incidents(_ query: IncidentQuery) async throws(StoreError) -> [Incident]
    /// Nil: there is none of that number.
    func report(_ id: Int64) async throws(StoreError) -> IncidentReport?
    /// Pages of all incidents and of none, the newest first.
    func deliveries(limit: Int) async throws(StoreError) -> [Delivery]
}

/// What became of pages, until somebody has taken note: `IncidentChange.heard`.
package protocol PageOutcomes: Sendable {
    /// At most `limit` outcomes nobody has taken note of, the oldest first.
    func outcomes(limit: Int) async throws(StoreError) -> [PageOutcome]
    /// An element for each time there may be new ones. One reader.
    var news: AsyncStream<Void> { get }
}

/// What was stored.
package struct StoredIncidents: Sendable {
    package struct StoredAlert: Hashable, Sendable {
        package var incident: Int64
        package var fingerprint: String
        package var isFiring: Bool

        package init(incident: Int64, fingerprint: String, isFiring: Bool) {
            self.incident = incident
            self.fingerprint = fingerprint
            self.isFiring = isFiring
        }
    }

    package var records: [IncidentRecord]
    package var alerts: [StoredAlert]
    package var silences: [Silence]
    /// Above every number that was ever given.
    package var nextIncident: Int64
    package var nextSilence: Int64

    package init(
        records: [IncidentRecord] = [], alerts: [StoredAlert] = [], silences: [Silence] = [], nextIncident: Int64 = 1,
        nextSilence: Int64 = 1
    ) {
        self.records = records
        self.alerts = alerts
        self.silences = silences
        self.nextIncident = nextIncident
        self.nextSilence = nextSilence
    }
}
