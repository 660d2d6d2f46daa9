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

/// All the keeper needs to keep one service alive.
package struct ServiceOrder: Hashable, Sendable {
    package var name: String
    /// Numeric "HOST:PORT" or "[HOST]:PORT" of the shared socket, port 0: the kernel chooses. Empty: the workers get no
    /// shared socket, only their admin socket.
    package var listen: String
    /// Program and arguments. A program without a slash is looked for along the PATH of `environment`.
    package var command: [String]
    /// The whole environment, "KEY=value" each; nothing is inherited from the keeper.
    package var environment: [String]
    /// Absolute path; empty: the keeper's own folder, which is `/`.
    package var folder: String
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
    package var workers: [UInt32]

    package init(
        name: String, listen: String, command: [String], environment: [String] = [], folder: String = "",
        runAs: RunAs? = nil, stopDeadlineMilliseconds: UInt32 = 20_000, backoffMinimumMilliseconds: UInt32 = 200,
        backoffMaximumMilliseconds: UInt32 = 30_000, logCapBytes: UInt64 = 8 << 20, workers: [UInt32]
    ) {
        self.name = name
        self.listen = listen
        self.command = command
        self.environment = environment
        self.folder = folder
        self.runAs = runAs
        self.stopDeadlineMilliseconds = stopDeadlineMilliseconds
        self.backoffMinimumMilliseconds = backoffMinimumMilliseconds
        self.backoffMaximumMilliseconds = backoffMaximumMilliseconds
        self.logCapBytes = logCapBytes
        self.workers = workers
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

extension ServiceOrder {
    func write(to writer: inout WireWriter) {
        writer.put(name)
        writer.put(listen)
        writer.put(list: command) { $0.put($1) }
        writer.put(list: environment) { $0.put($1) }
        writer.put(folder)
        writer.put(optional: runAs) { writer, user in
            writer.put(integer: user.uid)
            writer.put(integer: user.gid)
            writer.put(list: user.groups) { $0.put(integer: $1) }
        }
        writer.put(integer: stopDeadlineMilliseconds)
        writer.put(integer: backoffMinimumMilliseconds)
        writer.put(integer: backoffMaximumMilliseconds)
        writer.put(integer: logCapBytes)
        writer.put(list: workers) { $0.put(integer: $1) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        name = try reader.text()
        listen = try reader.text()
        command = try reader.list { (reader) throws(WireError) in try reader.text() }
        environment = try reader.list { (reader) throws(WireError) in try reader.text() }
        folder = try reader.text()
        runAs = try reader.optional { (reader) throws(WireError) in
            RunAs(
                uid: try reader.integer(), gid: try reader.integer(),
                groups: try reader.list { (reader) throws(WireError) in try reader.integer() })
        }
        stopDeadlineMilliseconds = try reader.integer()
        backoffMinimumMilliseconds = try reader.integer()
        backoffMaximumMilliseconds = try reader.integer()
        logCapBytes = try reader.integer()
        workers = try reader.list { (reader) throws(WireError) in try reader.integer() }
    }
}

extension Order {
    func write(to writer: inout WireWriter) {
        writer.put(integer: generation)
        writer.put(list: services) { $1.write(to: &$0) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        generation = try reader.integer()
        services = try reader.list { (reader) throws(WireError) in try ServiceOrder(from: &reader) }
    }
}
