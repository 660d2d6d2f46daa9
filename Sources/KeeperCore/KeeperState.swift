package import KeeperProtocol

/// What the keeper is to do next.
package enum KeeperAction: Hashable, Sendable {
    /// Start the worker and report `started` or `startFailed` back.
    case spawn(WorkerKey)
    /// SIGTERM to the process.
    case terminate(Int32)
    /// SIGKILL to the process and its whole group.
    case kill(Int32)
    /// Tell every client.
    case announce(KeeperEvent)
    /// The worker is gone for good: remove its admin socket, stop watching its log.
    case forget(WorkerKey)
    /// Nobody needs the service's listening socket any more.
    case closeListener(String)
    /// Every worker is gone: say goodbye and exit.
    case finish
}

/// The keeper's decisions: events in, actions out. Times are milliseconds on a clock that never steps back.
package struct KeeperState: Sendable {
    struct Running: Sendable {
        var process: KeptProcess
        var release: String
        var adminSocket: String
        var startedAt: UInt64
        var saidReady = false
        var saidStopping = false
        /// SIGTERM was sent.
        var askedToStop = false
        /// When SIGKILL follows; nil when it is not due, or has been sent.
        var killAt: UInt64?
    }

    enum Phase: Sendable {
        /// Being started right now, or about to be at this time.
        case waiting(until: UInt64)
        case running(Running)
    }

    struct Worker: Sendable {
        var phase: Phase
        var release: String
        /// In the standing order.
        var ordered = true
        /// Early deaths in a row.
        var failures: UInt32 = 0
    }

    struct Service: Sendable {
        var order: ServiceOrder
        /// In the standing order; otherwise its last workers are on their way out.
        var ordered = true
    }

    package static let startsAtOnce = 8

    package private(set) var generation: UInt64?
    private var services: [String: Service] = [:]
    private var workers: [WorkerKey: Worker] = [:]
    private var keys: [Int32: WorkerKey] = [:]
    private var finishing = false

    package init() {}

    // MARK: - Questions

    /// The order that the workers of a service are started by; nil when the service is unknown.
    package func order(of service: String) -> ServiceOrder? {
        services[service]?.order
    }

    /// The worker a process is; nil when it is none of ours.
    package func worker(of pid: Int32) -> WorkerKey? {
        keys[pid]
    }

    /// The processes of all living workers.
    package var livingProcesses: [Int32] {
        keys.keys.sorted()
    }

    /// Living workers and the standing order; the caller adds the listeners.
    package func inventory(keeperPID: Int32, listeners: [Listener]) -> Inventory {
        let living = workers.keys.sorted().compactMap { key -> KeptWorkerRecord? in
            guard case .running(let running)? = workers[key]?.phase else { return nil }
            return record(key, running)
        }
        let ordered = workers.keys.sorted().compactMap { key -> OrderedWorker? in
            guard let worker = workers[key], worker.ordered else { return nil }
            return OrderedWorker(key: key, release: worker.release)
        }
        return Inventory(
            keeperPID: keeperPID, generation: generation, ordered: ordered, listeners: listeners, workers: living)
    }

    /// When `tick` is due next; nil when nothing is planned.
    package func nextDeadline() -> UInt64? {
        workers.values.compactMap { worker in
            switch worker.phase {
            case .waiting(let until): until
            case .running(let running): running.killAt
            }
        }.min()
    }

    // MARK: - Orders

    /// Checks an order against its bounds and against what there is. Changes nothing.
    package func check(_ order: Order) throws(Refusal) {
        guard !finishing else { throw Refusal(.stopping, "the keeper is stopping; start a new one when it is gone") }
        if let generation, order.generation <= generation {
            throw Refusal(
                .stale, "order \(order.generation) is not above the standing order \(generation); inspect first")
        }
        try order.check()
        for service in order.services {
            guard let known = services[service.name], known.order.listen != service.listen,
                hasLiving(service: service.name)
            else { continue }
            throw Refusal(
                .listenChanged,
                "service \(service.name) listens on \(known.order.listen.isEmpty ? "nothing" : known.order.listen) "
                    + "and has living workers, so it cannot move to \(service.listen); stop its workers first")
        }
    }

    /// Makes a checked order stand. Its listeners are open.
    package mutating func accept(_ order: Order, at now: UInt64) -> [KeeperAction] {
        generation = order.generation
        var wanted: [WorkerKey: String] = [:]
        for name in services.keys { services[name]?.ordered = false }
        for service in order.services {
            services[service.name] = Service(order: service)
            for worker in service.workers {
                wanted[WorkerKey(service: service.name, number: worker.number)] = worker.release
            }
        }
        var actions: [KeeperAction] = []
        for key in workers.keys.sorted() where wanted[key] == nil { actions += release(key, at: now) }
        for (key, release) in wanted.sorted(by: { $0.key < $1.key }) {
            if workers[key] == nil {
                workers[key] = Worker(phase: .waiting(until: now), release: release)
            } else {
                workers[key]?.ordered = true
                workers[key]?.release = release
            }
        }
        return actions + dropIdleServices() + tick(at: now)
    }

    /// Stops everything for good; a second time: at once.
    package mutating func stopAll(at now: UInt64) -> [KeeperAction] {
        guard !finishing else { return livingProcesses.map { .kill($0) } }
        finishing = true
        for name in services.keys { services[name]?.ordered = false }
        var actions: [KeeperAction] = []
        for key in workers.keys.sorted() { actions += release(key, at: now) }
        return actions + dropIdleServices() + (workers.isEmpty ? [.finish] : [])
    }

    /// Takes a worker out of the order: stops it when it lives, forgets it when it does not.
    private mutating func release(_ key: WorkerKey, at now: UInt64) -> [KeeperAction] {
        guard var worker = workers[key] else { return [] }
        worker.ordered = false
        switch worker.phase {
        case .waiting:
            workers[key] = nil
            return [.forget(key)]
        case .running(var running):
            guard !running.askedToStop else {
                workers[key] = worker
                return []
            }
            running.askedToStop = true
            running.killAt = later(now, services[key.service]?.order.stopDeadlineMilliseconds ?? 0)
            worker.phase = .running(running)
            workers[key] = worker
            return [.terminate(running.process.pid)]
        }
    }

    // MARK: - What happens to workers

    /// Time has passed: starts what is due, kills what outlived its stop deadline. Starts at most `startsAtOnce`; the
    /// others stay due, so that a large order does not keep the keeper from its other work.
    package mutating func tick(at now: UInt64) -> [KeeperAction] {
        var actions: [KeeperAction] = []
        var starts = 0
        for key in workers.keys.sorted() {
            guard var worker = workers[key] else { continue }
            switch worker.phase {
            case .waiting(let until):
                guard until <= now, starts < Self.startsAtOnce else { continue }
                starts += 1
                // Not due again before `started` or `startFailed` has come back.
                worker.phase = .waiting(until: .max)
                actions.append(.spawn(key))
            case .running(var running):
                guard let killAt = running.killAt, killAt <= now else { continue }
                running.killAt = nil
                worker.phase = .running(running)
                actions.append(.kill(running.process.pid))
            }
            workers[key] = worker
        }
        return actions
    }

    package mutating func started(
        _ key: WorkerKey, process: KeptProcess, adminSocket: String, at now: UInt64
    ) -> [KeeperAction] {
        guard let release = workers[key]?.release else { return [.kill(process.pid)] }
        let running = Running(process: process, release: release, adminSocket: adminSocket, startedAt: now)
        workers[key]?.phase = .running(running)
        keys[process.pid] = key
        return [.announce(.started(record(key, running)))]
    }

    package mutating func startFailed(_ key: WorkerKey, text: String, at now: UInt64) -> [KeeperAction] {
        guard var worker = workers[key] else { return [] }
        let pause = nextPause(of: &worker, service: key.service)
        worker.phase = .waiting(until: later(now, pause))
        workers[key] = worker
        return [.announce(.startFailed(key, text, restartInMilliseconds: pause))]
    }

    /// A worker said `READY=1`, itself or through a process of its session.
    package mutating func saidReady(pid: Int32) -> [KeeperAction] {
        guard let (key, running) = change(pid, { $0.saidReady = true }) else { return [] }
        return [.announce(.ready(key, running.process))]
    }

    /// A worker said `STOPPING=1`.
    package mutating func saidStopping(pid: Int32) -> [KeeperAction] {
        guard let (key, running) = change(pid, { $0.saidStopping = true }) else { return [] }
        return [.announce(.stopping(key, running.process))]
    }

    package mutating func exited(pid: Int32, status: ExitStatus, at now: UInt64) -> [KeeperAction] {
        guard let key = keys.removeValue(forKey: pid), var worker = workers[key],
            case .running(let running) = worker.phase
        else { return [] }
        guard worker.ordered else {
            workers[key] = nil
            let gone: [KeeperAction] = [
                .announce(.exited(key, running.process, status, restartInMilliseconds: nil)), .forget(key),
            ]
            return gone + dropIdleServices() + (finishing && workers.isEmpty ? [.finish] : [])
        }
        let lived = now > running.startedAt ? now - running.startedAt : 0
        let longEnough = services[key.service]?.order.backoffMaximumMilliseconds ?? 0
        if lived >= UInt64(longEnough) { worker.failures = 0 }
        // Ordered back while it was stopping: its end was no failure.
        let pause = running.askedToStop ? 0 : nextPause(of: &worker, service: key.service)
        worker.phase = .waiting(until: later(now, pause))
        workers[key] = worker
        return [.announce(.exited(key, running.process, status, restartInMilliseconds: pause))] + tick(at: now)
    }

    // MARK: - Parts

    private func hasLiving(service: String) -> Bool {
        keys.values.contains { $0.service == service }
    }

    private mutating func dropIdleServices() -> [KeeperAction] {
        let busy = Set(workers.keys.map(\.service))
        let idle = services.filter { !$0.value.ordered && !busy.contains($0.key) }.keys.sorted()
        for name in idle { services[name] = nil }
        return idle.map { .closeListener($0) }
    }

    /// The minimum, doubled for each early death in a row, up to the maximum.
    private func nextPause(of worker: inout Worker, service: String) -> UInt32 {
        guard let order = services[service]?.order else { return 0 }
        let doublings = min(worker.failures, 31)
        worker.failures = min(worker.failures + 1, 32)
        let pause = UInt64(order.backoffMinimumMilliseconds) << UInt64(doublings)
        return UInt32(truncatingIfNeeded: min(pause, UInt64(order.backoffMaximumMilliseconds)))
    }

    private mutating func change(_ pid: Int32, _ body: (inout Running) -> Void) -> (WorkerKey, Running)? {
        guard let key = keys[pid], case .running(var running)? = workers[key]?.phase else { return nil }
        body(&running)
        workers[key]?.phase = .running(running)
        return (key, running)
    }

    private func later(_ now: UInt64, _ milliseconds: UInt32) -> UInt64 {
        let (sum, overflow) = now.addingReportingOverflow(UInt64(milliseconds))
        return overflow ? .max : sum
    }

    private func record(_ key: WorkerKey, _ running: Running) -> KeptWorkerRecord {
        KeptWorkerRecord(
            key: key, release: running.release, process: running.process, adminSocket: running.adminSocket,
            saidReady: running.saidReady,
            stopping: running.askedToStop || running.saidStopping)
    }
}
