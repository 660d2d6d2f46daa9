import CLinux

/// The connections of a run: which job each carries, which rest, and how many each target has.
struct ConnectionPool {
    /// What is known of a connection beside what `ClientSockets` knows.
    struct Connection {
        var place: SocketPlace
        var target: Int
        var job: Job?
        var answers = 0
        var idleSince: Int64 = 0
        var windowSeconds: Double?
    }

    private struct Target {
        var open = 0
        var resting = RestingQueue<SocketPlace>()
    }

    let sockets: ClientSockets
    private let limitPerTarget: Int
    private let honoursKeepAlive: Bool
    private var targets: [Target]
    /// By slot.
    private var connections: [Connection?] = []

    init(plan: LoadPlan, addresses: [linux_address]) throws(LoadError) {
        sockets = try ClientSockets(addresses: addresses)
        limitPerTarget = max(plan.connections.limit / addresses.count, 1)
        honoursKeepAlive = plan.connections.honoursKeepAlive
        targets = addresses.map { _ in Target() }
    }

    var open: Int { targets.reduce(0) { $0 + $1.open } }

    /// The most connections one target may have.
    var limit: Int { limitPerTarget }

    private func mayOpen(_ target: Int) -> Bool { targets[target].open < limitPerTarget }

    /// Whether a connection may be opened for the job. When all are open, one that rests gives way to one that the job
    /// has for itself: otherwise the job, and all that queue behind it, would wait for ever.
    mutating func makesRoom(for job: Job, now: Int64) -> Bool {
        if !mayOpen(job.target), job.isAlone, let place = takeRested(job.target, ready: now, now: now) { drop(place) }
        return mayOpen(job.target)
    }

    /// When the first connection of a target has rested enough.
    func earliestRested(_ target: Int) -> Int64? { targets[target].resting.earliest }

    /// What is known of a connection that still is; nil otherwise.
    subscript(place: SocketPlace) -> Connection? {
        sockets.isCurrent(place) ? connections[place.slot] : nil
    }

    /// Connections whose request was to be answered by now.
    func overdue(_ now: Int64, timeout: Int64) -> [Connection] {
        connections.compactMap { connection in
            guard let connection, let job = connection.job, job.scheduled + timeout <= now else { return nil }
            return connection
        }
    }

    /// A connection that has rested until `ready` and can be used; what cannot is closed.
    mutating func takeRested(_ target: Int, ready: Int64, now: Int64) -> SocketPlace? {
        while let place = targets[target].resting.popReady(by: ready) {
            guard let connection = self[place] else { continue }
            if sockets.isIdle(place), isFresh(connection, now) { return place }
            drop(place)
        }
        return nil
    }

    /// A pool that honours the advertised window gives the connection up before the server does.
    private func isFresh(_ connection: Connection, _ now: Int64) -> Bool {
        guard honoursKeepAlive, let window = connection.windowSeconds else { return true }
        return Double(now - connection.idleSince) / 1e9 < window - min(window / 5, 1)
    }

    /// Begins a connection for a job.
    mutating func open(for job: Job) {
        let place = sockets.open(address: job.target)
        while connections.count <= place.slot { connections.append(nil) }
        connections[place.slot] = Connection(place: place, target: job.target, job: job)
        targets[job.target].open += 1
    }

    /// The connection carries this job now.
    mutating func assign(_ job: Job, to place: SocketPlace) {
        connections[place.slot]?.job = job
    }

    /// Its job was answered, and it can be used again.
    mutating func answered(_ place: SocketPlace, now: Int64, windowSeconds: Double?) {
        connections[place.slot]?.job = nil
        connections[place.slot]?.answers += 1
        connections[place.slot]?.idleSince = now
        if let windowSeconds { connections[place.slot]?.windowSeconds = windowSeconds }
    }

    mutating func rest(_ place: SocketPlace, until ready: Int64) {
        guard let connection = self[place] else { return }
        targets[connection.target].resting.insert(place, ready: ready)
    }

    mutating func drop(_ place: SocketPlace) {
        guard let connection = self[place] else { return }
        connections[place.slot] = nil
        targets[connection.target].open -= 1
        sockets.close(place)
    }
}
