package import OakumModel

/// Which conditions of a service are worth telling, and from when on: one for each service. nil: switched off.
///
/// The defaults are meant to be lived with; docs/alert-rules.md says where each comes from.
package struct AlertSettings: Hashable, Sendable, Codable {
    /// Share of failed requests (5xx), as burn rates of an error budget.
    package var errorRate: BurnRateSettings?
    package var latency: LatencySettings?
    /// Workers that do not answer their readiness probe.
    package var unresponsive: UnresponsiveSettings?
    /// Cores in use by all workers together, of the cores of the host: 0 to 1.
    package var cpu: ThresholdSettings?
    /// The fullest worker's resident set, of its budget: 0 to 1 and beyond.
    package var memory: ThresholdSettings?
    /// The fullest worker's open descriptors, of its limit: 0 to 1.
    package var fileDescriptors: ThresholdSettings?
    /// Workers that end without having been told to.
    package var restarts: OccurrenceSettings?
    /// Workers killed by the kernel for want of memory.
    package var outOfMemoryKills: OccurrenceSettings?
    /// What the business counts. At most `businessLimit`, the first ones.
    package var business: [BusinessSettings]
    /// What was measured once and is no longer.
    package var noData: AbsenceSettings?
    /// Verdicts of the leak detector.
    package var leak: LeakAlertSettings?
    /// How long it takes until somebody has a page in hand, seconds.
    package var ackSeconds: Double
    /// How long it takes them to act, seconds. What reaches its limit within both together is critical.
    package var mitigateSeconds: Double
    /// Addresses of documents that say what to do, by kind.
    package var runbooks: [AlertKind: String]

    package static let businessLimit = 16

    /// Everything that needs no further word switched on; `business` needs the name of a counter.
    package init(
        errorRate: BurnRateSettings? = .errors, latency: LatencySettings? = LatencySettings(),
        unresponsive: UnresponsiveSettings? = UnresponsiveSettings(), cpu: ThresholdSettings? = .cpu,
        memory: ThresholdSettings? = .memory, fileDescriptors: ThresholdSettings? = .fileDescriptors,
        restarts: OccurrenceSettings? = .restarts, outOfMemoryKills: OccurrenceSettings? = .outOfMemoryKills,
        business: [BusinessSettings] = [], noData: AbsenceSettings? = AbsenceSettings(),
        leak: LeakAlertSettings? = LeakAlertSettings(), ackSeconds: Double = 300, mitigateSeconds: Double = 600,
        runbooks: [AlertKind: String] = [:]
    ) {
        self.errorRate = errorRate
        self.latency = latency
        self.unresponsive = unresponsive
        self.cpu = cpu
        self.memory = memory
        self.fileDescriptors = fileDescriptors
        self.restarts = restarts
        self.outOfMemoryKills = outOfMemoryKills
        self.business = business
        self.noData = noData
        self.leak = leak
        self.ackSeconds = ackSeconds
        self.mitigateSeconds = mitigateSeconds
        self.runbooks = runbooks
    }

    /// Nothing is told.
    package static let off = AlertSettings(
        errorRate: nil, latency: nil, unresponsive: nil, cpu: nil, memory: nil, fileDescriptors: nil, restarts: nil,
        outOfMemoryKills: nil, noData: nil, leak: nil)

    /// What reaches its limit within so many seconds is critical: nobody could act in time.
    package var reactionSeconds: Double { max(0, ackSeconds) + max(0, mitigateSeconds) }
}

/// Conditions of the host, which all services share: one for all of Oakum. nil: switched off.
package struct HostAlertSettings: Hashable, Sendable, Codable {
    /// Memory that is not available, of all memory: 0 to 1.
    package var memory: ThresholdSettings?
    /// Pressure stall, `some avg10`, percent (docs.kernel.org/accounting/psi.html).
    package var memoryPressure: ThresholdSettings?
    package var cpuPressure: ThresholdSettings?
    package var ioPressure: ThresholdSettings?
    /// Used share of the fullest volume that is watched: 0 to 1.
    package var disk: ThresholdSettings?
    /// What was measured once and is no longer.
    package var noData: AbsenceSettings?
    package var ackSeconds: Double
    package var mitigateSeconds: Double
    package var runbooks: [AlertKind: String]

    package init(
        memory: ThresholdSettings? = .hostMemory, memoryPressure: ThresholdSettings? = .memoryPressure,
        cpuPressure: ThresholdSettings? = .cpuPressure, ioPressure: ThresholdSettings? = .ioPressure,
        disk: ThresholdSettings? = .disk, noData: AbsenceSettings? = AbsenceSettings(), ackSeconds: Double = 300,
        mitigateSeconds: Double = 600, runbooks: [AlertKind: String] = [:]
    ) {
        self.memory = memory
        self.memoryPressure = memoryPressure
        self.cpuPressure = cpuPressure
        self.ioPressure = ioPressure
        self.disk = disk
        self.noData = noData
        self.ackSeconds = ackSeconds
        self.mitigateSeconds = mitigateSeconds
        self.runbooks = runbooks
    }

    /// Nothing is told.
    package static let off = HostAlertSettings(
        memory: nil, memoryPressure: nil, cpuPressure: nil, ioPressure: nil, disk: nil, noData: nil)

    package var reactionSeconds: Double { max(0, ackSeconds) + max(0, mitigateSeconds) }
}
