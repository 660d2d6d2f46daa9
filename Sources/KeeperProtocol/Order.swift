/// A worker by service and number, as the keeper counts them.
package struct WorkerKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var service: String
    package var number: UInt32

    package init(service: String, number: UInt32) {
        self.service = service
        self.number = number
    }

    package var description: String { "\(service)/\(number)" }

    package static func < (left: WorkerKey, right: WorkerKey) -> Bool {
        (left.service, left.number) < (right.service, right.number)
    }
}

/// A process for as long as it lives: its pid and field 22 of `/proc/PID/stat` (clock ticks after boot).
package struct KeptProcess: Hashable, Sendable {
    package var pid: Int32
    package var startTicks: UInt64

    package init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }
}

/// Whom a worker runs as. Names are resolved by `oakum`: the keeper asks no name service, which may hang.
package struct RunAs: Hashable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    /// Supplementary groups; at most 256.
    package var groups: [UInt32]

    package init(uid: UInt32, gid: UInt32, groups: [UInt32]) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }
}

/// What a worker runs: one release of its service.
package struct BuildOrder: Hashable, Sendable {
    /// Which release it is; empty: the program as it is configured. Means nothing to the keeper but which worker runs what.
    package var release: String
    /// Program and arguments. A program without a slash is looked for along the PATH of `environment`.
    package var command: [String]
    /// The whole environment, "KEY=value" each; nothing is inherited from the keeper.
    package var environment: [String]
    /// Absolute path; empty: the keeper's own folder, which is `/`.
    package var folder: String

    package init(release: String = "", command: [String], environment: [String] = [], folder: String = "") {
        self.release = release
        self.command = command
        self.environment = environment
        self.folder = folder
    }
}

/// A worker there should be. A number has one release for as long as it is ordered.
package struct WorkerOrder: Hashable, Sendable {
    package var number: UInt32
    package var release: String

    package init(number: UInt32, release: String = "") {
        self.number = number
        self.release = release
    }
}

/// All the keeper needs to keep one service alive.
package struct ServiceOrder: Hashable, Sendable {
    package var name: String
    /// Numeric "HOST:PORT" or "[HOST]:PORT" of the shared socket, port 0: the kernel chooses. Empty: the workers get no
    /// shared socket, only their admin socket.
    package var listen: String
    /// One for each release that workers are to run; at least one.
    package var builds: [BuildOrder]
    /// Nil: the keeper's own user.
    package var runAs: RunAs?
    /// From SIGTERM to SIGKILL.
    package var stopDeadlineMilliseconds: UInt32
    /// Pause before the first restart of a worker that died; doubles with each early death up to `backoffMaximum`.
    package var backoffMinimumMilliseconds: UInt32
    /// A worker that lived at least this long starts over at the minimum.
    package var backoffMaximumMilliseconds: UInt32
    /// Size of a worker's log file; as much again is kept of the part before.
    package var logCapBytes: UInt64
    package var workers: [WorkerOrder]

    package init(
        name: String, listen: String, builds: [BuildOrder], runAs: RunAs? = nil,
        stopDeadlineMilliseconds: UInt32 = 20_000, backoffMinimumMilliseconds: UInt32 = 200,
        backoffMaximumMilliseconds: UInt32 = 30_000, logCapBytes: UInt64 = 8 << 20, workers: [WorkerOrder]
    ) {
        self.name = name
        self.listen = listen
        self.builds = builds
        self.runAs = runAs
        self.stopDeadlineMilliseconds = stopDeadlineMilliseconds
        self.backoffMinimumMilliseconds = backoffMinimumMilliseconds
        self.backoffMaximumMilliseconds = backoffMaximumMilliseconds
        self.logCapBytes = logCapBytes
        self.workers = workers
    }

    /// A service of one build.
    package init(
        name: String, listen: String, command: [String], environment: [String] = [], folder: String = "",
        runAs: RunAs? = nil, stopDeadlineMilliseconds: UInt32 = 20_000, backoffMinimumMilliseconds: UInt32 = 200,
        backoffMaximumMilliseconds: UInt32 = 30_000, logCapBytes: UInt64 = 8 << 20, workers: [UInt32]
    ) {
        self.init(
            name: name, listen: listen,
            builds: [BuildOrder(command: command, environment: environment, folder: folder)], runAs: runAs,
            stopDeadlineMilliseconds: stopDeadlineMilliseconds, backoffMinimumMilliseconds: backoffMinimumMilliseconds,
            backoffMaximumMilliseconds: backoffMaximumMilliseconds, logCapBytes: logCapBytes,
            workers: workers.map { WorkerOrder(number: $0) })
    }

    /// What a worker is started from; nil when it is not in the order. A checked order has a build for each worker.
    package func build(of number: UInt32) -> BuildOrder? {
        guard let worker = workers.first(where: { $0.number == number }) else { return nil }
        return builds.first { $0.release == worker.release }
    }
}

/// The standing order: everything there should be.
package struct Order: Hashable, Sendable {
    /// Grows with every order. The keeper refuses one that is not above the standing one: two masters would otherwise
    /// undo each other's work for ever.
    package var generation: UInt64
    package var services: [ServiceOrder]

    package init(generation: UInt64, services: [ServiceOrder]) {
        self.generation = generation
        self.services = services
    }
}
