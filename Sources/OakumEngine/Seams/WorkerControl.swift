package import OakumModel

/// Starts and stops workers: the engine's view of the keeper. The last applied order stands even when `oakum` dies.
package protocol WorkerControl: Sendable {
    /// Replaces the standing order. Workers not in it are stopped politely (SIGTERM, then SIGKILL after the service's
    /// stop deadline), new ones are started, the others are left alone. Applying the same order twice changes nothing.
    func apply(_ order: StandingOrder) async throws(WorkerControlError)
    /// What the keeper has now, and the order that stands; nil order when none was ever applied.
    func inspect() async throws(WorkerControlError) -> WorkerInventory
    /// What happens to workers from now on, in order. One reader; ends when the keeper is lost. Bounded: when the reader
    /// falls behind by more than 4,096 signals the stream ends too, and the reader must `inspect()` again.
    func signals() -> AsyncStream<WorkerSignal>
    /// Stops all workers, then the keeper. Returns when they are gone.
    func stopAll() async throws(WorkerControlError)
}

/// Which workers there should be.
package struct StandingOrder: Hashable, Sendable {
    /// Workers by service: their numbers, and which release each runs. Everything else about a service comes from its
    /// configuration.
    package var workers: [String: [UInt32: ReleaseID]]

    package init(workers: [String: [UInt32: ReleaseID]]) {
        self.workers = workers
    }
}

/// What the keeper has.
package struct WorkerInventory: Hashable, Sendable {
    package var keeperPID: Int32
    package var order: StandingOrder?
    package var workers: [KeptWorker]

    package init(keeperPID: Int32, order: StandingOrder?, workers: [KeptWorker]) {
        self.keeperPID = keeperPID
        self.order = order
        self.workers = workers
    }
}

/// A living worker as the keeper knows it.
package struct KeptWorker: Hashable, Sendable {
    package var id: WorkerID
    /// What it was started from.
    package var release: ReleaseID
    package var process: ProcessIdentity
    /// Path of the worker's own admin socket (HTTP over a Unix socket).
    package var adminSocket: String
    /// It has said `READY=1`.
    package var saidReady: Bool
    package var stopping: Bool

    package init(
        id: WorkerID, release: ReleaseID = .configured, process: ProcessIdentity, adminSocket: String, saidReady: Bool,
        stopping: Bool
    ) {
        self.id = id
        self.release = release
        self.process = process
        self.adminSocket = adminSocket
        self.saidReady = saidReady
        self.stopping = stopping
    }
}

/// Something that happened to a worker.
package enum WorkerSignal: Hashable, Sendable {
    case started(KeptWorker)
    /// `READY=1` arrived.
    case ready(WorkerID, ProcessIdentity)
    /// `STOPPING=1` arrived.
    case stopping(WorkerID, ProcessIdentity)
    /// Dead. `restartIn` is the keeper's backoff in seconds when it will start the worker again, nil when it will not.
    case exited(WorkerID, ProcessIdentity, ExitReason, restartIn: Double?)
    /// The worker could not even be started; the keeper tries again after `restartIn` seconds.
    case startFailed(WorkerID, String, restartIn: Double?)
}

/// How a process ended.
package enum ExitReason: Hashable, Sendable {
    case code(Int32)
    case signal(Int32)
    /// The keeper is not its parent (it adopted it), so nobody can know.
    case unknown
}

/// Why the keeper could not do what it was asked.
package enum WorkerControlError: Error, Hashable, Sendable {
    /// A listening address is taken; the message names it.
    case addressInUse(String)
    /// The keeper does not answer. Workers, if any, go on serving.
    case keeperLost(String)
    case refused(String)
}
