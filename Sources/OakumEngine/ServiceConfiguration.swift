package import AlertRules
package import OakumModel
package import Recycling

/// What the engine has to know of a service; how it is started is the keeper client's business.
package struct ServiceConfiguration: Hashable, Sendable {
    package var name: String
    /// The memory one worker may hold.
    package var budget: ByteCount
    package var pool: PoolSettings
    /// The readiness check on the worker's admin socket.
    package var healthPath: String
    package var trigger: RecycleTrigger
    /// The workers carry the sampler, so that their heaps can be looked into.
    package var samplesHeap: Bool
    /// Which of its conditions are told.
    package var alerts: AlertSettings
    /// Nil: it takes no releases.
    package var deploys: DeploySettings?

    package init(
        name: String, budget: ByteCount, pool: PoolSettings, healthPath: String = "/readyz",
        trigger: RecycleTrigger = RecycleTrigger(), samplesHeap: Bool = false, alerts: AlertSettings = AlertSettings(),
        deploys: DeploySettings? = nil
    ) {
        self.deploys = deploys
        self.alerts = alerts
        self.samplesHeap = samplesHeap
        self.name = name
        self.budget = budget
        self.pool = pool
        self.healthPath = healthPath
        self.trigger = trigger
    }
}

/// When a worker is replaced without anybody asking.
package struct RecycleTrigger: Hashable, Sendable {
    /// A leaking worker goes when the early end of its forecast is nearer than this, in seconds.
    package var lead: Double
    /// Any worker goes when it has held this share of its budget for three samples in a row; 0...1.
    package var budgetShare: Double

    package init(lead: Double = 30, budgetShare: Double = 0.85) {
        self.lead = lead
        self.budgetShare = budgetShare
    }
}

/// The engine as a whole.
package struct EngineConfiguration: Hashable, Sendable {
    package var services: [ServiceConfiguration]
    /// Verdicts, no acts of its own accord.
    package var observeOnly: Bool
    package var version: String
    /// Events older than this many days, and beyond this many, are deleted.
    package var journalDays: Int
    package var journalLimit: Int
    /// Which conditions of the host are told.
    package var hostAlerts: HostAlertSettings

    package init(
        services: [ServiceConfiguration], observeOnly: Bool = false, version: String, journalDays: Int = 90,
        journalLimit: Int = 200_000, hostAlerts: HostAlertSettings = HostAlertSettings()
    ) {
        self.hostAlerts = hostAlerts
        self.services = services
        self.observeOnly = observeOnly
        self.version = version
        self.journalDays = journalDays
        self.journalLimit = journalLimit
    }
}
