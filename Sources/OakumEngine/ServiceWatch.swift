package import Diagnosis
package import OakumModel
package import Recycling

/// What the shell around a `ServiceWatch` must do.
package enum WatchAction: Hashable, Sendable {
    case order(Set<UInt32>)
    case probe(UInt32, ProcessIdentity, adminSocket: String)
    case record(Event)
    /// Look into the heap and tell `examined`.
    case examine(UInt32, ProcessIdentity)
    /// Diagnose and tell `diagnosed`.
    case diagnose(UInt32, ProcessIdentity)
    /// Diagnose the service as a whole and tell `troubleDiagnosed`.
    case diagnoseService
    /// Find out which program it runs and tell `identified`.
    case identify(UInt32, ProcessIdentity)
    /// Workers on trial were ordered.
    case trial(Trial)
    /// Every worker is of the release that was asked for last.
    case rolledOver
    case rolloverFailed(String)
}

/// One service: its pool, what is known of each worker, and what its recycles bought. Pure: events in, actions out.
package struct ServiceWatch: Sendable {
    package let configuration: ServiceConfiguration
    package private(set) var pool: WorkerPool
    /// By worker number; one for each living process.
    package private(set) var watches: [UInt32: WorkerWatch] = [:]
    package var observeOnly: Bool
    package private(set) var paused = false
    private var purchases = RecyclePurchases()
    /// How long the last recycle took in seconds; before the first, a guess that is rather too long.
    private var recycleSeconds: Double
    /// Workers whose withheld recycle has been told, so that it is told once a process.
    private var toldWithheld: Set<ProcessIdentity> = []
    /// What is wrong beside the verdicts, what was told of it, and its releases.
    var trouble: ServiceTrouble

    package init(
        configuration: ServiceConfiguration, observeOnly: Bool, release: ReleaseID = .configured, nextNumber: UInt32
    ) {
        self.configuration = configuration
        self.observeOnly = observeOnly
        self.trouble = ServiceTrouble(service: configuration.name)
        self.recycleSeconds = max(min(15, configuration.pool.readyWithin), configuration.pool.minimumInterval)
        self.pool = WorkerPool(settings: configuration.pool, release: release, nextNumber: nextNumber)
    }

    private var name: String { configuration.name }

    /// Events that may be the first sign of a new number: all of them tell which number comes next, so that the newest
    /// one in the journal says where to go on.
    static let numberingKinds: Set<EventKind> = [.workerStarted, .workerFailed, .recycleStarted]

    /// - Parameter recycles: when earlier recycles of these workers' service started; what is older than an hour is of no
    ///   matter.
    package mutating func begin(
        adopting workers: [KeptWorker], ordered: [UInt32: ReleaseID], trial: Trial? = nil, recycles: [Uptime] = [],
        at now: Moment
    ) -> [WatchAction] {
        var actions = translate(
            pool.begin(adopting: ordered, trial: trial, recycles: recycles, at: now.uptime), at: now)
        // The oldest first: the one started last runs what is there now.
        for worker in workers.sorted(by: { $0.process.startTicks < $1.process.startTicks }) {
            actions += started(worker, at: now, adopted: true)
        }
        return actions
    }

    /// Feeds samples from before a restart of `oakum` to the detector of an adopted worker.
    package mutating func restore(_ samples: [Sample], of number: UInt32, process: ProcessIdentity) {
        guard watches[number]?.process == process else { return }
        watches[number]?.restore(samples, trigger: configuration.trigger)
    }

    package mutating func handle(_ signal: WorkerSignal, at now: Moment) -> [WatchAction] {
        switch signal {
        case .started(let worker):
            return started(worker, at: now, adopted: false)
        case .ready(let id, let process):
            return translate(pool.handle(.saidReady(id.number, process), at: now.uptime), at: now)
        case .stopping(let id, let process):
            return translate(pool.handle(.saidStopping(id.number, process), at: now.uptime), at: now)
        case .exited(let id, let process, let reason, let restartIn):
            return exited(id.number, process, reason, restartIn: restartIn, at: now)
        case .startFailed(let id, let why, let restartIn):
            let again = restartIn.map { "; tried again in \(Words.seconds($0))" } ?? ""
            let event = Event(
                kind: .workerFailed, at: now, service: name, worker: id.number,
                message: "\(id) could not be started: \(why)\(again)", facts: ["next_number": "\(pool.nextNumber)"])
            return [.record(event)]
        }
    }

    package mutating func probed(
        _ number: UInt32, _ process: ProcessIdentity, healthy: Bool, at now: Moment
    ) -> [WatchAction] {
        translate(pool.handle(.probed(number, process, healthy: healthy), at: now.uptime), at: now)
    }

    /// Asked for by a person: allowed in observe-only mode, refused while paused.
    package mutating func recycleByHand(_ number: UInt32, by whom: String, at now: Moment) -> [WatchAction] {
        let request = RecycleRequest(worker: number, cause: .byHand, reason: "asked for by \(whom)")
        return translate(pool.handle(.requested(request), at: now.uptime), at: now)
    }

    /// What a deploy wants of the pool.
    package mutating func handle(_ event: PoolEvent, at now: Moment) -> [WatchAction] {
        translate(pool.handle(event, at: now.uptime), at: now)
    }

    /// What came of looking into a worker's heap. Of a process that is gone it is still worth an event.
    package mutating func examined(
        _ number: UInt32, _ process: ProcessIdentity, _ examination: HeapExamination, at now: Moment
    ) -> [WatchAction] {
        var examination = examination
        if var watch = watches[number], watch.process == process {
            examination = watch.heapAnswered(examination)
            watches[number] = watch
        }
        let worker = WorkerID(service: name, number: number)
        return [.record(examination.event(of: worker, process: process, at: now))]
    }

    /// What a worker and its descriptors told of themselves.
    package mutating func measured(
        _ process: ProcessIdentity, _ descriptors: DescriptorReading?, _ measures: ServiceMeasures?, at now: Moment
    ) {
        guard let number = watches.first(where: { $0.value.process == process })?.key else { return }
        watches[number]?.add(descriptors, measures, at: now.uptime)
        let isFresh = watches[number]?.startedAt != nil
        if let measures { trouble.add(measures, of: process, isFresh: isFresh) }
    }

    /// What came of a diagnosis. It is news when another cause leads now, or when more is seen to follow from it; of a process
    /// that is gone it is none.
    package mutating func diagnosed(
        _ number: UInt32, _ process: ProcessIdentity, _ diagnosis: Diagnosis, at now: Moment
    ) -> [WatchAction] {
        guard watches[number]?.process == process else { return [] }
        watches[number]?.diagnosed(diagnosis)
        let event = trouble.tell(diagnosis, of: number, process, at: now)
        return event.map { [.record($0)] } ?? []
    }

    package mutating func setPaused(_ paused: Bool) {
        self.paused = paused
        pool.mayAct = !paused
    }

    /// Nobody tells what happens to workers, or again somebody does.
    package mutating func setBlind(_ blind: Bool) {
        pool.isBlind = blind
    }
}

// MARK: - Once a second

extension ServiceWatch {
    /// Takes in the samples of this second; workers without one are left as they are.
    package mutating func tick(_ samples: [(number: UInt32, sample: Sample)], at now: Moment) -> [WatchAction] {
        var actions: [WatchAction] = []
        for (number, sample) in samples {
            guard let isNews = watches[number]?.add(sample, trigger: configuration.trigger),
                let watch = watches[number]
            else { continue }
            if isNews { actions.append(.record(verdictEvent(number, watch, at: now))) }
            if watch.verdict.code == .leak {
                actions += lookIntoHeap(number, at: now)
                actions += diagnose(number, at: now)
            }
            if let told = purchases.judge(number, watch: watch, service: name, at: now) {
                actions.append(.record(told))
            }
        }
        for (number, queue) in urgent() {
            guard let watch = watches[number],
                let request = watch.recycleRequest(number: number, trigger: configuration.trigger, queue: queue)
            else { continue }
            // Evidence first: with the worker it is gone.
            actions += lookIntoHeap(number, at: now)
            guard watches[number]?.waitsForHeap(at: now.uptime) != true else { continue }
            actions += want(request, watch: watch, at: now)
        }
        lookForTrouble(at: now.uptime)
        return actions + translate(pool.handle(.tick, at: now.uptime), at: now)
    }

    /// Serving workers, the most urgent first, with the seconds that those before it take up when all leak at once:
    /// they are replaced one after the other, so the last must be wished for that much earlier, and all before it too.
    private func urgent() -> [(number: UInt32, queue: Double)] {
        let sorted = pool.workers.values.filter { $0.phase == .serving }
            .map { (number: $0.number, left: watches[$0.number]?.leakForecast ?? .infinity) }
            .sorted { ($0.left, $0.number) < ($1.left, $1.number) }
        let last = sorted.indices.last {
            sorted[$0].left <= configuration.trigger.lead + Double($0) * recycleSeconds
        }
        return sorted.enumerated().map { index, worker in
            guard let last, index <= last else { return (worker.number, 0) }
            return (worker.number, max(0, worker.left - configuration.trigger.lead))
        }
    }

    private mutating func lookIntoHeap(_ number: UInt32, at now: Moment) -> [WatchAction] {
        guard configuration.samplesHeap, let process = watches[number]?.process,
            watches[number]?.asksForHeap(at: now.uptime) == true
        else { return [] }
        return [.examine(number, process)]
    }

    private mutating func diagnose(_ number: UInt32, at now: Moment) -> [WatchAction] {
        trouble.leaks(at: now.uptime)
        guard let process = watches[number]?.process, watches[number]?.asksForDiagnosis(at: now.uptime) == true else {
            return []
        }
        return [.diagnose(number, process)]
    }

    private mutating func want(_ request: RecycleRequest, watch: WorkerWatch, at now: Moment) -> [WatchAction] {
        guard observeOnly || paused else {
            return translate(pool.handle(.requested(request), at: now.uptime), at: now)
        }
        guard !toldWithheld.contains(watch.process) else { return [] }
        toldWithheld.insert(watch.process)
        let why = paused ? "acts are paused" : "observe-only"
        let event = Event(
            kind: .recycleWithheld, at: now, service: name, worker: request.worker, process: watch.process,
            message: "\(name)/\(request.worker) would be recycled now (\(why)): \(request.reason)",
            verdict: watch.verdict)
        return [.record(event)]
    }

    private func verdictEvent(_ number: UInt32, _ watch: WorkerWatch, at now: Moment) -> Event {
        var facts: [String: String] = ["budget_bytes": "\(configuration.budget.bytes)"]
        if let rss = watch.latest?.rss { facts["rss_bytes"] = "\(rss.bytes)" }
        return Event(
            kind: .verdict, at: now, service: name, worker: number, process: watch.process,
            message: "\(name)/\(number): \(watch.summary)", verdict: watch.verdict, facts: facts)
    }
}

// MARK: - Starts, exits and what the pool says

extension ServiceWatch {
    /// A start may be told twice, when signals overlap with an inventory: the second time it brings no news but
    /// readiness. One of an older process than the known one is stale.
    private mutating func started(_ worker: KeptWorker, at now: Moment, adopted: Bool) -> [WatchAction] {
        let number = worker.id.number
        let poolEvent = PoolEvent.started(
            number, worker.process, adminSocket: worker.adminSocket, saidReady: worker.saidReady)
        if let known = watches[number]?.process {
            if known != worker.process, worker.process.startTicks < known.startTicks { return [] }
            if known == worker.process { return translate(pool.handle(poolEvent, at: now.uptime), at: now) }
            forget(number, known)
        }
        watches[number] = WorkerWatch(
            process: worker.process, startedAt: adopted ? nil : now, limit: configuration.budget)
        if !adopted { trouble.started(at: now.uptime) }
        let actions = pool.handle(poolEvent, at: now.uptime)
        let verb = adopted ? "taken over" : "started"
        let stops = pool.workers[number]?.phase == .draining ? "; it is to stop" : ""
        let event = Event(
            kind: .workerStarted, at: now, service: name, worker: number, process: worker.process,
            message: "\(worker.id) \(verb) as pid \(worker.process.pid)\(stops)",
            facts: ["next_number": "\(pool.nextNumber)"])
        // One that has just begun may still be the script that starts the program: it is looked at when it serves.
        let identify = adopted ? [WatchAction.identify(number, worker.process)] : []
        return [.record(event)] + identify + translate(actions, at: now)
    }

    /// Ends of processes that are not known, or no longer, are no news.
    private mutating func exited(
        _ number: UInt32, _ process: ProcessIdentity, _ reason: ExitReason, restartIn: Double?, at now: Moment
    ) -> [WatchAction] {
        guard watches[number]?.process == process else { return [] }
        let asked = pool.workers[number]?.phase == .draining
        var message = "\(name)/\(number) (pid \(process.pid)) ended: \(reason.words)"
        if asked {
            message += ", as it was told"
        } else if let restartIn {
            message += "; started again in \(Words.seconds(restartIn))"
        }
        var facts = ["asked": asked ? "true" : "false"]
        if case .signal(let signal) = reason { facts["signal"] = "\(signal)" }
        let event = Event(
            kind: .workerExited, at: now, service: name, worker: number, process: process, message: message,
            facts: facts)
        let poolEvent = PoolEvent.exited(number, process, willRestart: restartIn != nil)
        let actions = translate(pool.handle(poolEvent, at: now.uptime), at: now)
        forget(number, process)
        return [.record(event)] + actions
    }

    /// The process is gone, and with it everything that was true of it.
    private mutating func forget(_ number: UInt32, _ process: ProcessIdentity) {
        watches[number] = nil
        toldWithheld.remove(process)
        trouble.forget(process)
        purchases.forget(number, leaving: pool.current?.request.worker == number)
    }

    private mutating func translate(_ actions: [PoolAction], at now: Moment) -> [WatchAction] {
        var result: [WatchAction] = []
        for action in actions {
            switch action {
            case .order(let numbers): result.append(.order(numbers))
            case .probe(let number, let process, let socket):
                result.append(.probe(number, process, adminSocket: socket))
            case .note(let note): result += told(note, at: now)
            }
        }
        return result
    }

    private mutating func told(_ note: PoolNote, at now: Moment) -> [WatchAction] {
        var events: [Event] = []
        var watch: WorkerWatch?
        var boughtSeconds: Double?
        switch note {
        case .serving(let number, _):
            watches[number]?.servingSince = now.uptime
            watch = watches[number]
        case .recycleStarted(let request, _):
            watch = watches[request.worker]
            if let lasted = purchases.begin(
                request, watch: watch, evenShare: evenShare(of: request.worker), service: name, at: now)
            {
                events.append(lasted)
            }
        case .recycleFinished(let request, let successor, let seconds):
            recycleSeconds = max(seconds, configuration.pool.minimumInterval)
            boughtSeconds = purchases.finish(request, successor: successor, watch: watches[successor], at: now)
        case .overdue(let number, _), .leftOver(let number, _):
            watch = watches[number]
        case .recycleFailed(let request, _, _, _):
            watch = watches[request.worker]
        case .trialStarted, .rolloverStarted, .rolloverFinished: break
        case .rolloverFailed(_, let number, _): watch = watches[number]
        }
        var event = note.event(service: name, watch: watch, boughtSeconds: boughtSeconds, at: now)
        if Self.numberingKinds.contains(event.kind) { event.facts["next_number"] = "\(pool.nextNumber)" }
        events.append(event)
        let identify =
            event.kind == .workerReady ? watch.map { WatchAction.identify(event.worker ?? 0, $0.process) } : nil
        return [identify, note.deployAction].compactMap { $0 } + events.map(WatchAction.record)
    }
}
