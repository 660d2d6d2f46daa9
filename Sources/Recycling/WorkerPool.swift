package import OakumModel

/// The workers of one service and the recycle under way: events in, actions out.
///
/// The successor always comes first: it must serve before the old worker drains, one recycle at a time, no more often
/// than the settings allow, and never below the capacity floor. Everything follows from the standing order: a recycle is
/// an order with one number more, then one with one number less, so that a death of the shell in between costs nothing
/// but a spare worker, which the next start removes.
package struct WorkerPool: Sendable {
    /// A recycle under way.
    package struct Recycle: Hashable, Sendable {
        package let request: RecycleRequest
        package let successor: UInt32
        package let startedAt: Uptime
        /// The successor serves and the old worker was told to stop.
        package internal(set) var draining = false
    }

    package var settings: PoolSettings
    package internal(set) var workers: [UInt32: PoolWorker] = [:]
    /// The numbers there should be.
    package private(set) var ordered: Set<UInt32> = []
    package private(set) var current: Recycle?
    /// Waiting recycles, one a worker, oldest first: never more than there are workers.
    package private(set) var waiting: [RecycleRequest] = []
    /// Recycles that were finished since the pool was made.
    package private(set) var finished = 0
    /// False while acts are stopped: nothing new is begun, what is under way is finished.
    package var mayAct = true
    /// What new workers are of.
    package private(set) var release: ReleaseID
    package internal(set) var trial: Trial?
    package internal(set) var rollover: Rollover?
    /// True while nobody tells what happens to workers: then nobody is dropped and nothing is begun, because who seems
    /// to serve may be dead.
    package var isBlind = false
    /// The next number to be given.
    package internal(set) var nextNumber: UInt32
    private var pace: RecyclePace

    /// - Parameter nextNumber: above every number ever given in this state folder.
    package init(settings: PoolSettings, release: ReleaseID = .configured, nextNumber: UInt32 = 1) {
        self.settings = settings
        self.release = release
        self.nextNumber = max(1, nextNumber)
        self.pace = RecyclePace()
    }

    package var serving: [PoolWorker] {
        workers.values.filter { $0.phase == .serving }.sorted { $0.number < $1.number }
    }

    /// Which release each ordered worker is of.
    package var releases: [UInt32: ReleaseID] {
        Dictionary(uniqueKeysWithValues: ordered.map { ($0, workers[$0]?.release ?? release) })
    }

    /// Ordered, and not on trial.
    package var regular: Set<UInt32> { trial.map { ordered.subtracting($0.numbers) } ?? ordered }

    /// Takes over what already runs, then asks for what is missing.
    /// - Parameters:
    ///   - releases: of the ordered workers, by number.
    ///   - trial: which of them were on trial.
    package mutating func begin(
        adopting releases: [UInt32: ReleaseID], trial: Trial? = nil, recycles: [Uptime] = [], at now: Uptime
    ) -> [PoolAction] {
        pace.resume(recycles, at: now)
        for (number, release) in releases {
            workers[number] = PoolWorker(number: number, release: release, phase: .starting, since: now)
            nextNumber = max(nextNumber, number &+ 1)
        }
        ordered = Set(releases.keys)
        if let trial, trial.numbers.isSubset(of: ordered) { self.trial = trial }
        return advance(at: now)
    }

    /// Takes in one event and says what to do. Events of processes that are no longer known change nothing.
    package mutating func handle(_ event: PoolEvent, at now: Uptime) -> [PoolAction] {
        var actions: [PoolAction] = []
        switch event {
        case .started(let number, let process, let adminSocket, let saidReady):
            started(number, process, adminSocket: adminSocket, saidReady: saidReady, at: now)
        case .saidReady(let number, let process):
            if workers[number]?.process == process { workers[number]?.saidReady = true }
        case .saidStopping(let number, let process):
            if workers[number]?.process == process { workers[number]?.stopsOfItself(at: now) }
        case .probed(let number, let process, let healthy):
            probed(number, process, healthy: healthy, at: now)
        case .exited(let number, let process, let willRestart):
            actions += exited(number, process, willRestart: willRestart, at: now)
        case .requested(let request):
            enqueue(request)
        case .trialWanted(let candidate, let pairs):
            actions += beginTrial(candidate, pairs: pairs, at: now)
        case .trialEnded(let keepsCanaries):
            actions += endTrial(keepsCanaries: keepsCanaries, at: now)
        case .rolloverWanted(let release, let atOnce):
            self.release = release
            actions += beginRollover(release, atOnce: atOnce, at: now)
        case .tick:
            break
        }
        return actions + advance(at: now)
    }

    /// May be told twice, or late: then it changes nothing but a readiness that was missed.
    private mutating func started(
        _ number: UInt32, _ process: ProcessIdentity, adminSocket: String, saidReady: Bool, at now: Uptime
    ) {
        if let known = workers[number]?.process {
            guard known != process else {
                if saidReady { workers[number]?.saidReady = true }
                return
            }
            guard process.startTicks >= known.startTicks else { return }
        }
        // A worker nobody asked for any more is on its way out already.
        if workers[number] == nil {
            workers[number] = PoolWorker(number: number, release: release, phase: .draining, since: now)
            nextNumber = max(nextNumber, number &+ 1)
        }
        workers[number]?.restarted(as: process, adminSocket: adminSocket, saidReady: saidReady, at: now)
    }

    private mutating func probed(_ number: UInt32, _ process: ProcessIdentity, healthy: Bool, at now: Uptime) {
        guard var worker = workers[number], worker.process == process else { return }
        worker.probing = false
        worker.probeAgainAt = now + 0.25
        if healthy, worker.saidReady, worker.healthySince == nil { worker.healthySince = now }
        workers[number] = worker
    }

    private mutating func enqueue(_ request: RecycleRequest) {
        guard regular.contains(request.worker), current?.request.worker != request.worker,
            current?.successor != request.worker, !waiting.contains(where: { $0.worker == request.worker })
        else { return }
        waiting.append(request)
    }

    private mutating func exited(
        _ number: UInt32, _ process: ProcessIdentity, willRestart: Bool, at now: Uptime
    ) -> [PoolAction] {
        guard let worker = workers[number], worker.process == process else { return [] }
        guard worker.phase != .draining, willRestart || ordered.contains(number) else {
            workers[number] = nil
            return finishIfGone(number, at: now)
        }
        workers[number]?.died(at: now)
        // Its memory is given back; who asked by hand had another reason.
        waiting.removeAll { $0.worker == number && $0.cause != .byHand }
        if let recycle = current, recycle.successor == number, !recycle.draining {
            return fail(recycle, why: "the new worker died before it served", at: now)
        }
        return rolloverLost(number, at: now)
    }

    private mutating func finishIfGone(_ number: UInt32, at now: Uptime) -> [PoolAction] {
        guard let recycle = current, recycle.draining, recycle.request.worker == number else { return [] }
        current = nil
        finished += 1
        pace.succeeded()
        let seconds = now - recycle.startedAt
        return [.note(.recycleFinished(recycle.request, successor: recycle.successor, seconds: seconds))]
    }
}

// MARK: - What follows from the state

extension WorkerPool {
    private mutating func advance(at now: Uptime) -> [PoolAction] {
        var actions = advanceReadiness(at: now)
        guard !isBlind else { return actions }
        actions += advanceRecycle(at: now)
        actions += advanceRollover(at: now)
        actions += reconcile(at: now)
        actions += beginRecycle(at: now)
        return actions
    }

    /// Ready is: said so, one good probe, and alive for the minimum healthy time.
    private mutating func advanceReadiness(at now: Uptime) -> [PoolAction] {
        var actions: [PoolAction] = []
        for number in workers.keys.sorted() {
            guard var worker = workers[number], worker.phase == .starting else { continue }
            if let process = worker.process, let socket = worker.adminSocket, worker.saidReady,
                worker.healthySince == nil, !worker.probing, now >= worker.probeAgainAt
            {
                worker.probing = true
                actions.append(.probe(number, process, adminSocket: socket))
            } else if let healthySince = worker.healthySince, now - healthySince >= settings.minimumHealthy {
                worker.phase = .serving
                worker.hasServed = true
                actions.append(.note(.serving(number, after: now - worker.since)))
            } else if now - worker.since > settings.readyWithin, !worker.toldOverdue, current?.successor != number {
                worker.toldOverdue = true
                actions.append(.note(.overdue(number, after: now - worker.since)))
            }
            workers[number] = worker
        }
        return actions
    }

    private mutating func advanceRecycle(at now: Uptime) -> [PoolAction] {
        guard let recycle = current, !recycle.draining else { return [] }
        guard workers[recycle.successor]?.phase == .serving else {
            guard now - recycle.startedAt > settings.readyWithin else { return [] }
            return fail(recycle, why: "the new worker was not ready within \(Int(settings.readyWithin)) s", at: now)
        }
        // A worker that does not serve costs no capacity when it goes.
        if workers[recycle.request.worker]?.phase == .serving {
            guard serving.count > settings.capacityFloor else { return [] }
        }
        current?.draining = true
        return retire(recycle.request.worker, at: now) + finishIfNeverLived(recycle.request.worker, at: now)
    }

    /// The old worker may have died while its successor started: then nothing will report its exit.
    private mutating func finishIfNeverLived(_ number: UInt32, at now: Uptime) -> [PoolAction] {
        workers[number] == nil ? finishIfGone(number, at: now) : []
    }

    mutating func retire(_ number: UInt32, at now: Uptime) -> [PoolAction] {
        ordered.remove(number)
        waiting.removeAll { $0.worker == number }
        if workers[number]?.process == nil {
            workers[number] = nil
        } else {
            workers[number]?.phase = .draining
            workers[number]?.since = now
        }
        return [.order(ordered)]
    }

    private mutating func fail(_ recycle: Recycle, why: String, at now: Uptime) -> [PoolAction] {
        current = nil
        let wait = pace.failed(at: now, settings: settings)
        let note = PoolNote.recycleFailed(recycle.request, successor: recycle.successor, why: why, retryIn: wait)
        return retire(recycle.successor, at: now) + [.note(note)]
    }

    /// New numbers in the order. The caller tells the order.
    mutating func order(_ count: Int, of release: ReleaseID, at now: Uptime) -> [UInt32] {
        (0..<count).map { _ in
            let number = nextNumber
            nextNumber += 1
            ordered.insert(number)
            workers[number] = PoolWorker(number: number, release: release, phase: .starting, since: now)
            return number
        }
    }

    /// Brings the number of workers to what is desired, outside recycles.
    private mutating func reconcile(at now: Uptime) -> [PoolAction] {
        guard current == nil, rollover == nil else { return [] }
        let missing = settings.desired - regular.count
        if missing > 0 {
            _ = order(missing, of: release, at: now)
            return [.order(ordered)]
        }
        guard missing < 0, mayAct, let (number, served) = leftOver(at: now) else { return [] }
        return [.note(.leftOver(number, served: served))] + retire(number, at: now)
    }

    /// Who goes when there are too many, after a recycle that was cut short: the oldest, once there are enough without
    /// it. One that has not come to serve in time goes instead: else it would be in the way of every later recycle.
    private func leftOver(at now: Uptime) -> (number: UInt32, served: Bool)? {
        let regular = regular
        let servingNumbers = regular.filter { workers[$0]?.phase == .serving }
        if servingNumbers.count > settings.desired, let oldest = servingNumbers.min() { return (oldest, true) }
        let overdue = regular.subtracting(servingNumbers).filter { number in
            workers[number].map { now - $0.notServingSince > settings.readyWithin } ?? false
        }
        return overdue.max().map { ($0, false) }
    }

    private mutating func beginRecycle(at now: Uptime) -> [PoolAction] {
        waiting.removeAll { [regular] in !regular.contains($0.worker) }
        guard mayAct, current == nil, rollover == nil, regular.count == settings.desired, let request = waiting.first,
            pace.allows(at: now, settings: settings)
        else { return [] }
        waiting.removeFirst()
        pace.started(at: now)
        // The same release as the worker it follows: a recycle changes nothing else.
        let successor = order(1, of: workers[request.worker]?.release ?? release, at: now)[0]
        current = Recycle(request: request, successor: successor, startedAt: now)
        return [.note(.recycleStarted(request, successor: successor)), .order(ordered)]
    }
}
