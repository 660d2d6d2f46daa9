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
    package let release: ReleaseID
    package internal(set) var phase: Phase
    package internal(set) var process: ProcessIdentity?
    package internal(set) var adminSocket: String?
    /// It said `READY=1`.
    package internal(set) var saidReady = false
    /// Since when it is alive, or when it was first wanted.
    package internal(set) var since: Uptime
    /// Since when it has not served, restarts included; meaningless while it serves.
    package internal(set) var notServingSince: Uptime
    /// The first good probe.
    package internal(set) var healthySince: Uptime?
    var probing = false
    /// A probe that failed is not repeated at once.
    var probeAgainAt: Uptime
    /// It has served at least once, whatever became of its process since.
    var hasServed = false
    /// The failure to become ready in time has been told.
    var toldOverdue = false

    init(number: UInt32, release: ReleaseID, phase: Phase, since: Uptime) {
        self.number = number
        self.release = release
        self.phase = phase
        self.since = since
        self.notServingSince = since
        self.probeAgainAt = since
    }

    /// Alive again, as a new process: everything known of the former one is forgotten.
    mutating func restarted(as process: ProcessIdentity, adminSocket: String, saidReady: Bool, at now: Uptime) {
        leaveService(at: now)
        let (idle, hasServed) = (notServingSince, hasServed)
        self = PoolWorker(
            number: number, release: release, phase: phase == .draining ? .draining : .starting, since: now)
        self.process = process
        self.adminSocket = adminSocket
        self.saidReady = saidReady
        notServingSince = idle
        self.hasServed = hasServed
    }

    /// Dead: the keeper starts it again after its backoff.
    mutating func died(at now: Uptime) {
        leaveService(at: now)
        phase = .down
        process = nil
        since = now
    }

    /// It stops without having been told to: it counts no more, and its exit is what comes next.
    mutating func stopsOfItself(at now: Uptime) {
        guard phase != .draining else { return }
        leaveService(at: now)
        phase = .starting
        since = now
        saidReady = false
        healthySince = nil
    }

    private mutating func leaveService(at now: Uptime) {
        if phase == .serving { notServingSince = now }
    }
}
