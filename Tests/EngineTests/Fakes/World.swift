import OakumEngine
import OakumModel
import OakumTestKit
import Synchronization

/// The outside of an engine: keepers, processes and their memory, on virtual time. Shared by the fakes.
final class World: Sendable {
    struct State {
        var keepers: [String: KeeperModel] = [:]
        var signals: AsyncStream<WorkerSignal>.Continuation?
        /// What every call of the keeper answers while set.
        var trouble: WorkerControlError?
        /// What `apply` alone answers while set.
        var orderTrouble: WorkerControlError?
        var orders: [StandingOrder] = []
        var applyCalls = 0
        var inspectCalls = 0
        var stopped = false
        var hungProbes: Set<UInt32> = []
        /// What workers tell of themselves, by number.
        var measures: [UInt32: ServiceMeasures] = [:]
        var machine = MachineReading()
        /// What every worker has open.
        var descriptors = DescriptorReading(open: 12, limit: 1_024)
        /// What every worker takes in its first seconds, beside what its model says.
        var warmUpBytes = 0.0
        /// Of workers that use something else than a quarter of a core, by number.
        var cpuSeconds: [UInt32: Double] = [:]
        /// What workers run, by number; of the others `program`.
        var programs: [UInt32: ProgramIdentity] = [:]
        var program: ProgramIdentity?
        var sickProbes: Set<UInt32> = []
        var probeCalls = 0
        var unreadable: Set<ProcessIdentity> = []
        var keeperPID: Int32 = 50
        /// How a death is told.
        var crashReason = ExitReason.signal(9)
        /// Serving workers that never may be fewer by an order.
        var floor = 0
        var violations: [String] = []
        /// The largest resident set of each process that was ever sampled.
        var peaks: [ProcessIdentity: Double] = [:]
        /// Added to what the models say, by worker number, in bytes.
        var extraBytes: [UInt32: Double] = [:]
    }

    let state: Mutex<State>
    let clock: VirtualClock

    init(clock: VirtualClock, keepers: [String: KeeperModel]) {
        self.clock = clock
        self.state = Mutex(State(keepers: keepers))
    }

    /// Seconds since the world began.
    var now: Double { clock.now.seconds }

    func with<Value>(_ body: (inout State) -> sending Value) -> sending Value {
        state.withLock { body(&$0) }
    }

    var nextTime: Double? {
        state.withLock { state in state.keepers.values.compactMap(\.nextTime).min() }
    }

    /// Lets everything happen that is due.
    func step() {
        let now = now
        state.withLock { state in
            for name in state.keepers.keys.sorted() {
                while let next = state.keepers[name]?.nextTime, next <= now {
                    guard let happening = state.keepers[name]?.step()?.happening else { continue }
                    Self.tell(happening, of: name, in: state)
                }
            }
        }
    }

    /// SIGKILL of a worker from outside.
    func kill(_ number: UInt32, of service: String = "web") {
        let now = now
        state.withLock { state in
            guard let process = state.keepers[service]?.process(of: number),
                let happening = state.keepers[service]?.kill(process.identity, at: now)
            else { return }
            Self.tell(happening, of: service, in: state)
        }
    }

    /// The connection to the keeper breaks; with `trouble` set it cannot be made again.
    func loseKeeper(_ trouble: WorkerControlError? = .keeperLost("nobody listens")) {
        let signals = state.withLock { state in
            state.trouble = trouble
            defer { state.signals = nil }
            return state.signals
        }
        signals?.finish()
    }

    private static func tell(_ happening: KeeperModel.Happening, of service: String, in state: State) {
        let id: (UInt32) -> WorkerID = { WorkerID(service: service, number: $0) }
        switch happening {
        case .started(let number, let process):
            state.signals?.yield(.started(kept(number, process, of: service)))
        case .ready(let number, let process):
            state.signals?.yield(.ready(id(number), process))
        case .exited(let number, let process, let crashed, let restartIn):
            let reason = crashed ? state.crashReason : .code(0)
            state.signals?.yield(.exited(id(number), process, reason, restartIn: restartIn))
        case .startFailed(let number, let restartIn):
            state.signals?.yield(.startFailed(id(number), "no such file", restartIn: restartIn))
        }
    }

    static func kept(
        _ number: UInt32, _ process: ProcessIdentity, of service: String, saidReady: Bool = false,
        stopping: Bool = false
    ) -> KeptWorker {
        KeptWorker(
            id: WorkerID(service: service, number: number), process: process, adminSocket: "/run/\(process.pid).sock",
            saidReady: saidReady, stopping: stopping)
    }
}

extension VirtualClock.Instant {
    var seconds: Double { offset / .seconds(1) }

    /// Never before that time, whatever is lost in the conversion.
    init(seconds: Double) {
        self.init(offset: .nanoseconds(Int64((seconds * 1e9).rounded(.up)) + 1))
    }
}

extension World.State {
    /// An order may not drop a worker that has long been serving when too few others are ready.
    mutating func checkFloor(_ order: StandingOrder, at now: Double) {
        for (name, keeper) in keepers {
            let wanted = Set((order.workers[name] ?? [:]).keys)
            let ready = keeper.living.filter { $0.saidReady && !$0.stopping }
            let dropped = ready.filter { !wanted.contains($0.number) && now - $0.startedAt > 20 }
            guard !dropped.isEmpty else { continue }
            let left = ready.count { wanted.contains($0.number) }
            if left < floor { violations.append("\(name): \(left) left at \(now) s by \(wanted.sorted())") }
        }
    }

    func process(_ identity: ProcessIdentity) -> KeeperModel.Process? {
        keepers.values.lazy.compactMap { $0.processes[identity] }.first
    }

    func process(adminSocket: String) -> KeeperModel.Process? {
        keepers.values.lazy.flatMap(\.living).first { "/run/\($0.identity.pid).sock" == adminSocket }
    }
}

/// One life of `oakum`. After its SIGKILL nothing it still does has an effect.
final class Life: Sendable {
    private let alive = Mutex(true)

    var isOver: Bool { alive.withLock { !$0 } }

    func end() {
        alive.withLock { $0 = false }
    }
}
