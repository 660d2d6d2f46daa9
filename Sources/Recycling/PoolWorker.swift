package import OakumModel

/// One worker as the pool sees it.
package struct PoolWorker: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        /// Started or about to be; not yet serving.
        case starting
        case serving
        /// Told to stop; finishes what it has.
        case draining
        /// Dead; the keeper starts it again after its backoff.
        case down
    }

    package let number: UInt32
    package internal(set) var phase: Phase
    package internal(set) var process: ProcessIdentity?
    package internal(set) var adminSocket: String?
    /// It said `READY=1`.
    package internal(set) var saidReady = false
    /// Since when it is alive, or when it was first wanted.
    package internal(set) var since: Uptime
    /// The first good probe.
    package internal(set) var healthySince: Uptime?
    var probing = false
    /// A probe that failed is not repeated at once.
    var probeAgainAt: Uptime
    /// The failure to become ready in time has been told.
    var toldOverdue = false

    init(number: UInt32, phase: Phase, since: Uptime) {
        self.number = number
        self.phase = phase
        self.since = since
        self.probeAgainAt = since
    }

    /// Alive again, as a new process: everything known of the former one is forgotten.
    mutating func restarted(as process: ProcessIdentity, adminSocket: String, saidReady: Bool, at now: Uptime) {
        self = PoolWorker(number: number, phase: phase == .draining ? .draining : .starting, since: now)
        self.process = process
        self.adminSocket = adminSocket
        self.saidReady = saidReady
    }
}
