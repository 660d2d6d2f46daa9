package import AlertRules
import Diagnosis
import OakumAPI
import OakumModel
import Recycling
import Releases

/// Watches services and acts on what it sees: the long-lived coordinator between keeper, host, stores and people.
///
/// Decisions are made by `ServiceWatch`, a value; this actor feeds it and carries out what it says. Orders, probes and
/// journal writes go through pumps of their own, so that a slow disk or worker never holds up the sampling.
package actor Engine<C: Clock> where C.Duration == Duration {
    /// How `run()` ended.
    package enum Ending: Hashable, Sendable {
        /// Only `oakum` ends; keeper and workers go on.
        case detached
        /// Workers and keeper were stopped too.
        case down
    }

    package let configuration: EngineConfiguration
    let control: any WorkerControl
    let host: any HostReadings
    let probe: any WorkerProbe
    let journal: any EventJournal
    let history: any HistoryStore
    let clock: C
    let addressOf: @Sendable (String) -> String
    let earlierDamage: [String]
    let witness: (any HeapWitness)?
    let alertSink: (any AlertSink)?
    let businessHistory: (any BusinessHistory)?
    let logLines: (any LogLines)?
    let programs: (any ProgramReadings)?
    let releaseStore: (any ReleaseStore)?
    let releaseRunner: (any ReleaseRunner)?
    let logMining = LogMining()

    var services: [String: ServiceWatch] = [:]
    var keeperPID: Int32?
    let startedAt: Moment
    var isPaused = false
    var problems = Problems()
    var unwritten = UnwrittenEvents()
    /// The last reading of what is read less than once a second, by process, to go into its next sample.
    var slowReadings: [ProcessIdentity: SlowReading] = [:]
    var ticks: UInt64 = 0
    var machine = MachineRecord()
    /// The next slow round reads all workers, not only those of interest.
    var readsAll = true
    /// The journal is to be cleaned by whoever writes to it next.
    var pruneDue = false
    /// What happens to workers, from before the first look at them.
    var signals = AsyncStream<WorkerSignal> { $0.finish() }

    let orders = Bell()
    let writes = Bell()
    let slowRound = Bell()
    let logRound = Bell()
    let probes: AsyncStream<ProbeJob>
    let probeJobs: AsyncStream<ProbeJob>.Continuation
    let batches: AsyncStream<HistoryBatch>
    let newBatches: AsyncStream<HistoryBatch>.Continuation
    /// Nil: tidy up.
    let examinations: AsyncStream<Examination?>
    let examinationJobs: AsyncStream<Examination?>.Continuation
    let diagnoses: AsyncStream<DiagnosisJob>
    let diagnosisJobs: AsyncStream<DiagnosisJob>.Continuation
    let looks: AsyncStream<HeapSubject>
    let lookJobs: AsyncStream<HeapSubject>.Continuation
    var leakAlarms: [String: LeakAlarm] = [:]
    var rules: RuleDesk
    let ruleRound = Bell()
    /// What was counted over time, by service.
    var measures: [String: MeasureRecord] = [:]
    let sinkRound = Bell()
    /// The losses that were told last, by service.
    var toldImpacts: [String: [Impact]] = [:]
    let tidings: AsyncStream<Tidings>
    let newTidings: AsyncStream<Tidings>.Continuation
    var heapDesk = HeapDesk()
    /// Of services that take releases, by name.
    var deploys: [String: DeployDesk] = [:]
    let deployStream: AsyncStream<DeployJob>
    let deployJobs: AsyncStream<DeployJob>.Continuation
    /// Those who wait for the look that is under way.
    var heapWaiters: [CheckedContinuation<HeapLook, Never>] = []
    let endings: AsyncStream<Ending>
    let endingWish: AsyncStream<Ending>.Continuation

    struct ProbeJob: Sendable {
        var service: String
        var number: UInt32
        var process: ProcessIdentity
        var adminSocket: String
        var path: String
    }

    struct Examination: Sendable {
        var worker: WorkerID
        var process: ProcessIdentity
    }

    struct DiagnosisJob: Sendable {
        var service: String
        /// Nil: of the service as a whole.
        var number: UInt32?
        var process: ProcessIdentity?
        var observations: Observations
    }

    struct HistoryBatch: Sendable {
        var samples: [StoredSample]
        var moment: Moment
    }

    struct SlowReading: Sendable {
        var fileDescriptors: Int?
        var requests: Double?
    }

    /// - Parameter addressOf: where a service listens, as people would type it, by its name.
    package init(
        configuration: EngineConfiguration, control: any WorkerControl, host: any HostReadings,
        probe: any WorkerProbe, journal: any EventJournal, history: any HistoryStore, clock: C,
        witness: (any HeapWitness)? = nil, alertSink: (any AlertSink)? = nil,
        businessHistory: (any BusinessHistory)? = nil, zones: [String?: ZoneOffsets] = [:],
        logLines: (any LogLines)? = nil,
        programs: (any ProgramReadings)? = nil, releaseStore: (any ReleaseStore)? = nil,
        releaseRunner: (any ReleaseRunner)? = nil, earlierDamage: [String] = [],
        addressOf: @escaping @Sendable (String) -> String
    ) {
        self.earlierDamage = earlierDamage
        self.witness = witness
        self.alertSink = alertSink
        self.businessHistory = businessHistory
        rules = RuleDesk(services: configuration.services, host: configuration.hostAlerts, zones: zones)
        self.logLines = logLines
        self.programs = programs
        self.releaseStore = releaseStore
        self.releaseRunner = releaseRunner
        // A step at a time, and each answers before the next: a handful a service.
        (self.deployStream, self.deployJobs) = AsyncStream.makeStream()
        self.configuration = configuration
        self.control = control
        self.host = host
        self.probe = probe
        self.journal = journal
        self.history = history
        self.clock = clock
        self.addressOf = addressOf
        self.startedAt = host.now()
        // A worker has at most one probe under way, so the stream holds at most one job a worker.
        (self.probes, self.probeJobs) = AsyncStream.makeStream()
        // One look a process at most, and whatever of tidying comes while one takes its time.
        (self.examinations, self.examinationJobs) = AsyncStream.makeStream()
        // Each is asked for again after ten seconds.
        (self.diagnoses, self.diagnosisJobs) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(64))
        (self.tidings, self.newTidings) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(256))
        // One look at a time: the desk sees to it.
        (self.looks, self.lookJobs) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
        // Ten seconds may wait for a slow disk; what comes beyond that is left out.
        (self.batches, self.newBatches) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(10))
        (self.endings, self.endingWish) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    /// Takes over what runs, starts what is missing, then watches until `end(_:)` is called.
    ///
    /// - Parameter whenUp: called once, when the first order has been accepted.
    /// - Throws: `WorkerControlError` when the first order cannot be carried out (an address is taken, say), and when
    ///   after `end(.down)` workers and keeper could not be stopped.
    package func run(whenUp: @Sendable () -> Void = {}) async throws(WorkerControlError) -> Ending {
        try await begin()
        whenUp()
        let ending = await watch()
        var message = "oakum stopped; the workers go on"
        var failure: WorkerControlError?
        if ending == .down {
            do throws(WorkerControlError) {
                try await control.stopAll()
                message = "oakum, its keeper and all workers stopped"
            } catch {
                message = "oakum stopped; its keeper and the workers could not be stopped: \(error)"
                failure = error
            }
        }
        record([Event(kind: .watchStopped, at: host.now(), message: message)])
        await writeEvents()
        if let failure { throw failure }
        return ending
    }

    /// Makes `run()` end. The first wish counts. To cancel the task of `run()` instead costs the last events.
    package nonisolated func end(_ ending: Ending) {
        endingWish.yield(ending)
    }

    private func watch() async -> Ending {
        await withTaskGroup(of: Ending?.self, returning: Ending.self) { group in
            group.addTask { await self.followSignals() }
            group.addTask { await self.followOrders() }
            group.addTask { await self.followWrites() }
            group.addTask { await self.followHistory() }
            group.addTask { await self.followProbes() }
            group.addTask { await self.followExaminations() }
            group.addTask { await self.followDiagnoses() }
            group.addTask { await self.followLooks() }
            group.addTask { await self.followSlowRounds() }
            group.addTask { await self.followTidings() }
            group.addTask { await self.followSink() }
            group.addTask { await self.followRuleRounds() }
            group.addTask { await self.followLogs() }
            group.addTask { await self.followDeploys() }
            group.addTask { await self.followClock() }
            group.addTask {
                for await ending in self.endings { return ending }
                return nil
            }
            for await ending in group {
                guard let ending else { continue }
                group.cancelAll()
                return ending
            }
            return .detached
        }
    }

    /// Carries out what a service watch decided.
    func carryOut(_ actions: [WatchAction], of service: String) {
        var events: [Event] = []
        for action in actions {
            switch action {
            case .order: orders.raise()
            case .probe(let number, let process, let socket):
                let path = services[service]?.configuration.healthPath ?? "/readyz"
                probeJobs.yield(
                    ProbeJob(service: service, number: number, process: process, adminSocket: socket, path: path))
            case .record(var event):
                // For the next `oakum`: what ran when this one saw it last.
                if event.kind == .workerReady { event.facts["program"] = services[service]?.trouble.programKey }
                // For the postmortem: the build that was judged.
                if event.kind == .verdict { event.facts["release"] = services[service]?.trouble.programWords }
                if event.kind == .workerExited, event.facts["asked"] != "true", let number = event.worker {
                    lostWorker(number, of: service, event.message)
                }
                events.append(event)
            case .trial(let trial): trialStarted(trial, of: service)
            case .rolledOver: happened(.rolledOver, to: service)
            case .rolloverFailed(let why): happened(.rolloverFailed(why), to: service)
            case .examine(let number, let process):
                let worker = WorkerID(service: service, number: number)
                examinationJobs.yield(Examination(worker: worker, process: process))
            case .diagnose(let number, let process): diagnose(WorkerID(service: service, number: number), process)
            case .diagnoseService: diagnoseService(service)
            case .identify(let number, let process): identify(WorkerID(service: service, number: number), process)
            }
        }
        record(events)
    }

    func record(_ events: [Event]) {
        guard !events.isEmpty else { return }
        unwritten.add(events)
        for event in events { rules.take(event) }
        tell(.events(events))
        // A journal that fails is tried again by the clock, not at each event.
        if problems.current["journal"] == nil { writes.raise() }
    }

    /// Something does not work (or works again: nil).
    func problem(_ source: String, _ text: String?) {
        if let event = problems.set(source, text, at: host.now()) { record([event]) }
    }

    /// Lets one service watch handle something and carries out what it says.
    func update(_ service: String, _ change: (inout ServiceWatch, Moment) -> [WatchAction]) {
        // In place: a copy of the watch would copy every detector it touches.
        guard let actions = services[service]?.changed(by: change, at: host.now()) else { return }
        carryOut(actions, of: service)
    }
}

extension ServiceWatch {
    fileprivate mutating func changed(
        by change: (inout ServiceWatch, Moment) -> [WatchAction], at now: Moment
    ) -> [WatchAction] {
        change(&self, now)
    }
}
