/// From the keeper to `oakum`.
package enum KeeperMessage: Hashable, Sendable {
    case hello(version: UInt32, pid: Int32)
    case inventory(Inventory)
    /// The order stands; where each service listens.
    case applied(generation: UInt64, listeners: [Listener])
    /// Nothing was changed.
    case refused(generation: UInt64, code: RefusalCode, text: String)
    case event(KeeperEvent)
    /// The last message before the keeper closes the connection: why.
    case goodbye(String)
}

/// Why an order was refused.
package enum RefusalCode: UInt8, Sendable, CaseIterable {
    /// A listening address is taken by somebody else.
    case addressInUse = 1
    /// A listening address cannot be opened for another reason.
    case addressUnusable = 2
    /// The listening address of a service with living workers would change.
    case listenChanged = 3
    /// The order is not above the standing one.
    case stale = 4
    /// Something in the order is out of bounds.
    case invalid = 5
    /// The keeper is on its way out.
    case stopping = 6
}

/// Where a service listens.
package struct Listener: Hashable, Sendable {
    package var service: String
    /// As it was ordered.
    package var requested: String
    /// As it is: with the port that the kernel chose.
    package var resolved: String

    package init(service: String, requested: String, resolved: String) {
        self.service = service
        self.requested = requested
        self.resolved = resolved
    }
}

/// A living worker.
package struct KeptWorkerRecord: Hashable, Sendable {
    package var key: WorkerKey
    /// Which build it was started from.
    package var release: String
    package var process: KeptProcess
    package var adminSocket: String
    package var saidReady: Bool
    /// Asked to stop, or it said `STOPPING=1` by itself.
    package var stopping: Bool

    package init(
        key: WorkerKey, release: String = "", process: KeptProcess, adminSocket: String, saidReady: Bool, stopping: Bool
    ) {
        self.key = key
        self.release = release
        self.process = process
        self.adminSocket = adminSocket
        self.saidReady = saidReady
        self.stopping = stopping
    }
}

/// A worker of the standing order, and which build it is started from.
package struct OrderedWorker: Hashable, Sendable {
    package var key: WorkerKey
    package var release: String

    package init(key: WorkerKey, release: String = "") {
        self.key = key
        self.release = release
    }
}

/// All the keeper has.
package struct Inventory: Hashable, Sendable {
    package var keeperPID: Int32
    /// Generation of the standing order; nil when none was ever applied.
    package var generation: UInt64?
    /// The workers of the standing order, whether they live or not.
    package var ordered: [OrderedWorker]
    package var listeners: [Listener]
    package var workers: [KeptWorkerRecord]

    package init(
        keeperPID: Int32, generation: UInt64?, ordered: [OrderedWorker], listeners: [Listener],
        workers: [KeptWorkerRecord]
    ) {
        self.keeperPID = keeperPID
        self.generation = generation
        self.ordered = ordered
        self.listeners = listeners
        self.workers = workers
    }
}

/// How a process ended.
package enum ExitStatus: Hashable, Sendable {
    case code(Int32)
    case signal(Int32)
}

/// Something that happened to a worker.
package enum KeeperEvent: Hashable, Sendable {
    case started(KeptWorkerRecord)
    case ready(WorkerKey, KeptProcess)
    case stopping(WorkerKey, KeptProcess)
    /// `restartInMilliseconds` is nil when the worker will not be started again.
    case exited(WorkerKey, KeptProcess, ExitStatus, restartInMilliseconds: UInt32?)
    case startFailed(WorkerKey, String, restartInMilliseconds: UInt32?)
}
