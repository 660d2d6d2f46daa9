import Foundation  // exp
import OakumEngine
import OakumModel
import OakumTestKit
import Synchronization

/// The keeper client over the world.
struct FakeControl: WorkerControl {
    let world: World
    let life: Life

    func apply(_ order: StandingOrder) async throws(WorkerControlError) {
        let trouble: WorkerControlError? = world.with { state in
            state.applyCalls += 1
            if let trouble = state.trouble ?? state.orderTrouble { return trouble }
            guard !life.isOver else { return .keeperLost("this oakum is dead") }
            state.orders.append(order)
            state.checkFloor(order, at: world.now)
            for name in state.keepers.keys.sorted() {
                state.keepers[name]?.apply(Set((order.workers[name] ?? [:]).keys), at: world.now)
            }
            return nil
        }
        if let trouble { throw trouble }
        // A quick keeper tells of its starts before `apply` returns.
        world.step()
    }

    func inspect() async throws(WorkerControlError) -> WorkerInventory {
        let answer: Result<WorkerInventory, WorkerControlError> = world.with { state in
            state.inspectCalls += 1
            if let trouble = state.trouble { return .failure(trouble) }
            var orders: [String: [UInt32: ReleaseID]] = [:]
            var workers: [KeptWorker] = []
            for (name, keeper) in state.keepers.sorted(by: { $0.key < $1.key }) {
                let last = state.orders.last?.workers[name] ?? [:]
                if let order = keeper.order {
                    orders[name] = Dictionary(uniqueKeysWithValues: order.map { ($0, last[$0] ?? .configured) })
                }
                workers += keeper.living.map {
                    World.kept(
                        $0.number, $0.identity, of: name, saidReady: $0.saidReady, stopping: $0.stopping)
                }
            }
            return .success(
                WorkerInventory(
                    keeperPID: state.keeperPID, order: orders.isEmpty ? nil : StandingOrder(workers: orders),
                    workers: workers))
        }
        return try answer.get()
    }

    func signals() -> AsyncStream<WorkerSignal> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: WorkerSignal.self, bufferingPolicy: .bufferingOldest(4_096))
        let before: AsyncStream<WorkerSignal>.Continuation? = world.with { state in
            guard state.trouble == nil, !life.isOver else { return continuation }
            defer { state.signals = continuation }
            return state.signals
        }
        before?.finish()
        return stream
    }

    func stopAll() async throws(WorkerControlError) {
        let trouble: WorkerControlError? = world.with { state in
            if let trouble = state.trouble { return trouble }
            for name in state.keepers.keys { state.keepers[name]?.apply([], at: world.now) }
            state.stopped = true
            return nil
        }
        if let trouble { throw trouble }
    }
}

/// Memory by the models of the world.
struct FakeHost: HostReadings {
    let world: World
    /// Uptime when the world began: nobody may take 0 for "the beginning".
    static let bootSeconds = 10_000.0
    static let beginMilliseconds: Int64 = 1_700_000_000_000

    func sample(_ processes: [ProcessIdentity], at uptime: Uptime) -> [Sample?] {
        world.with { state in
            processes.map { identity in
                if identity == ownProcess { return Sample(at: uptime, rss: .mebibytes(20)) }
                guard let process = state.process(identity), !state.unreadable.contains(identity) else { return nil }
                let age = uptime.seconds - Self.bootSeconds - process.startedAt
                let bytes =
                    process.behaviour.baseBytes + process.behaviour.growthPerSecond * age
                    + state.extraBytes[process.number, default: 0]
                    + state.warmUpBytes * (1 - exp(-age / 8))
                state.peaks[identity] = max(state.peaks[identity] ?? 0, bytes)
                return Sample(
                    at: uptime, rss: ByteCount(Int64(bytes)), cpuSeconds: state.cpuSeconds[process.number] ?? age * 0.25
                )
            }
        }
    }

    func descriptors(of process: ProcessIdentity) -> DescriptorReading? {
        world.with { $0.process(process) == nil ? nil : $0.descriptors }
    }

    func machine() -> MachineReading { world.with { $0.machine } }

    var ownProcess: ProcessIdentity { ProcessIdentity(pid: 7, startTicks: 7) }

    func now() -> Moment { Self.moment(at: world.now) }

    static func moment(at seconds: Double) -> Moment {
        Moment(
            uptime: Uptime(seconds: bootSeconds + seconds),
            wall: WallTime(milliseconds: beginMilliseconds + Int64(seconds * 1_000)))
    }
}

/// Asks the models; a hung one never answers, whatever its timeout.
struct FakeProbe: WorkerProbe {
    let world: World

    func isHealthy(adminSocket: String, path: String, timeout: Double) async -> Bool {
        await answer(adminSocket) { process, state in process.saidReady && !state.sickProbes.contains(process.number) }
            ?? false
    }

    func measures(adminSocket: String, timeout: Double) async -> ServiceMeasures? {
        await answer(adminSocket) { process, state in
            var measures = state.measures[process.number] ?? ServiceMeasures()
            measures.requests = measures.requests ?? process.startedAt * 10
            return measures
        }
    }

    private func answer<Value: Sendable>(
        _ adminSocket: String, _ value: @Sendable (KeeperModel.Process, World.State) -> Value
    ) async -> Value? {
        let (hangs, found): (Bool, Value?) = world.with { state in
            state.probeCalls += 1
            guard let process = state.process(adminSocket: adminSocket) else { return (false, nil) }
            return (state.hungProbes.contains(process.number), value(process, state))
        }
        guard hangs else { return found }
        // Ends by cancellation alone; the error says no more than that.
        try? await world.clock.sleep(for: .seconds(1_000_000_000))
        return nil
    }
}

/// Tells what the world says a worker runs.
struct FakePrograms: ProgramReadings {
    let world: World

    func program(of process: ProcessIdentity) -> ProgramIdentity? {
        world.with { state in state.process(process).flatMap { state.programs[$0.number] ?? state.program } }
    }
}
