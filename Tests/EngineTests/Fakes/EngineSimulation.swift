import EngineTestKit
import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Recycling
import Synchronization
import Testing

/// A whole engine on virtual time, with fakes for everything outside it: one deterministic sequence of steps.
final class EngineSimulation: Sendable {
    typealias SimulatedEngine = Engine<VirtualClock>

    enum Outcome: Equatable, Sendable {
        case ended(SimulatedEngine.Ending)
        case failed(WorkerControlError)
    }

    /// One life of `oakum`.
    struct Running: Sendable {
        let engine: SimulatedEngine
        let life: Life
        let outcome = Recorder<Outcome>()
        let up = Recorder<Bool>()
    }

    /// A call on the engine that waits for something that never comes.
    struct Stuck: Error {}

    let clock = VirtualClock()
    let world: World
    let journal = FakeJournal()
    let history = FakeHistory()
    let witness = FakeWitness()
    let logs = InMemoryLogLines()
    let told = ToldAlerts()
    private let executor = SteppedExecutor()
    private let jobs: AsyncStream<@Sendable () async -> Void>.Continuation
    private let running = Mutex<Running?>(nil)

    private init(keepers: [String: KeeperModel], jobs: AsyncStream<@Sendable () async -> Void>.Continuation) {
        world = World(clock: clock, keepers: keepers)
        self.jobs = jobs
    }

    /// Runs `body` over a fresh world; ends what it left running.
    static func run(
        keepers: [String: KeeperModel] = ["web": KeeperModel(seed: 1)],
        _ body: @escaping (EngineSimulation) throws -> Void
    ) async throws {
        let (stream, jobs) = AsyncStream.makeStream(of: (@Sendable () async -> Void).self)
        let simulation = EngineSimulation(keepers: keepers, jobs: jobs)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: simulation.executor) {
                await withDiscardingTaskGroup { children in
                    for await job in stream { children.addTask { await job() } }
                }
            }
            let result = Result { try body(simulation) }
            jobs.finish()
            simulation.journal.gate.open()
            simulation.history.gate.open()
            simulation.witness.gate.open()
            simulation.witness.lookGate.open()
            group.cancelAll()
            simulation.executor.drain()
            try result.get()
        }
    }

    // MARK: - One life of oakum

    /// - Parameter tells: conditions are told to `told`, which costs a round of questions every two seconds.
    func start(_ configuration: EngineConfiguration, tells: Bool = false) {
        let life = Life()
        let engine = SimulatedEngine(
            configuration: configuration, control: FakeControl(world: world, life: life), host: FakeHost(world: world),
            probe: FakeProbe(world: world), journal: FakeJournalHandle(disk: journal, life: life), history: history,
            clock: clock, witness: witness, alertSink: tells ? told : nil, logLines: logs,
            programs: FakePrograms(world: world),
            addressOf: { "127.0.0.1:80/\($0)" })
        let run = Running(engine: engine, life: life)
        running.withLock { $0 = run }
        jobs.yield {
            do throws(WorkerControlError) {
                run.outcome.record(.ended(try await engine.run { run.up.record(true) }))
            } catch {
                run.outcome.record(.failed(error))
            }
        }
        executor.drain()
    }

    /// SIGKILL of `oakum`: nothing more is written, ordered or heard.
    func killOakum() throws {
        let run = try life
        run.life.end()
        world.with { $0.signals = nil }
        run.engine.end(.detached)
        executor.drain()
    }

    var life: Running {
        get throws { try #require(running.withLock { $0 }) }
    }

    /// Ends the engine; everything it still has to do must need no time.
    func end(_ ending: SimulatedEngine.Ending) throws -> Outcome? {
        try life.engine.end(ending)
        executor.drain()
        return try outcome
    }

    var outcome: Outcome? {
        get throws { try life.outcome.values.first }
    }

    // MARK: - Time

    var now: Double { clock.now.seconds }

    /// Lets `seconds` pass.
    func advance(_ seconds: Double) {
        advance(seconds) {}
    }

    /// Lets `seconds` pass and calls `check` after each step.
    func advance(_ seconds: Double, check: () throws -> Void) rethrows {
        let target = VirtualClock.Instant(seconds: now + seconds)
        settle()
        while let next = [clock.nextDeadline, world.nextTime.map { .init(seconds: $0) }].compactMap(\.self).min(),
            next <= target
        {
            clock.advance(to: next)
            settle()
            try check()
        }
        clock.advance(to: target)
        settle()
    }

    /// Advances in seconds until `condition` holds; fails after `limit` seconds.
    func advance(until what: String, limit: Double = 600, _ condition: () throws -> Bool) throws {
        let end = now + limit
        while try !condition() {
            guard now < end else {
                Issue.record("did not happen within \(limit) s: \(what)")
                throw Stuck()
            }
            advance(0.5)
        }
    }

    /// Everything that needs no time.
    func settle() {
        repeat { world.step() } while executor.drain() > 0
    }

    // MARK: - Questions

    func ask<Value: Sendable>(
        _ question: @escaping @Sendable (SimulatedEngine) async throws(ControlError) -> Value
    ) throws -> Value {
        let engine = try life.engine
        let answer = Recorder<Result<Value, ControlError>>()
        jobs.yield {
            do throws(ControlError) {
                answer.record(.success(try await question(engine)))
            } catch {
                answer.record(.failure(error))
            }
        }
        executor.drain()
        guard let result = answer.values.first else { throw Stuck() }
        return try result.get()
    }

    /// A call whose answer may take its time.
    func later(_ call: @escaping @Sendable (SimulatedEngine) async -> Void) {
        guard let engine = running.withLock({ $0?.engine }) else { return }
        jobs.yield { await call(engine) }
        executor.drain()
    }

    func overview() throws -> Overview {
        try ask { engine throws(ControlError) in try await engine.overview() }
    }

    func perform(_ command: ControlCommand) throws -> String {
        try ask { engine throws(ControlError) in try await engine.perform(command).message }
    }

    func serving(_ service: String = "web") throws -> [UInt32] {
        try overview().services.first { $0.name == service }?.workers.filter { $0.phase == .serving }.map(\.number)
            ?? []
    }

    func problems() throws -> [String] { try overview().oakum.problems }

    func order(_ service: String = "web") -> Set<UInt32>? {
        world.with { $0.keepers[service]?.order }
    }
}

extension EngineConfiguration {
    /// One service "web" of two workers with 256 MiB each, unless told otherwise.
    static func web(
        workers: Int = 2, floor: Int = 1, budget: Int64 = 256, observeOnly: Bool = false, lead: Double = 30,
        minimumInterval: Double = 5, atMostPerHour: Int = 120, readyWithin: Double = 30, failureBackoff: Double = 10,
        samplesHeap: Bool = false
    ) -> EngineConfiguration {
        EngineConfiguration(
            services: [
                ServiceConfiguration(
                    name: "web", budget: .mebibytes(budget),
                    pool: PoolSettings(
                        desired: workers, capacityFloor: floor, readyWithin: readyWithin,
                        minimumInterval: minimumInterval, atMostPerHour: atMostPerHour, failureBackoff: failureBackoff),
                    trigger: RecycleTrigger(lead: lead), samplesHeap: samplesHeap)
            ], observeOnly: observeOnly, version: "0.0-test")
    }
}
