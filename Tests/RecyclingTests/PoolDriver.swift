import OakumModel
import Recycling

/// Drives one pool by hand: small words for what happens, and the actions of the last event.
struct PoolDriver {
    var pool: WorkerPool
    var now = 0.0
    private var nextPID: Int32 = 1_000

    init(
        desired: Int = 2, floor: Int = 1, readyWithin: Double = 30, minimumHealthy: Double = 1,
        minimumInterval: Double = 5, atMostPerHour: Int = 120, failureBackoff: Double = 10,
        longestFailureBackoff: Double = 600, nextNumber: UInt32 = 1
    ) {
        pool = WorkerPool(
            settings: PoolSettings(
                desired: desired, capacityFloor: floor, readyWithin: readyWithin, minimumHealthy: minimumHealthy,
                minimumInterval: minimumInterval, atMostPerHour: atMostPerHour, failureBackoff: failureBackoff,
                longestFailureBackoff: longestFailureBackoff),
            nextNumber: nextNumber)
    }

    var uptime: Uptime { Uptime(seconds: now) }

    var servingNumbers: [UInt32] { pool.serving.map(\.number) }

    mutating func begin(_ numbers: Set<UInt32> = [], recycles: [Double] = []) -> [PoolAction] {
        pool.begin(adopting: numbers.asConfigured, recycles: recycles.map(Uptime.init), at: uptime)
    }

    @discardableResult
    mutating func send(_ event: PoolEvent) -> [PoolAction] {
        pool.handle(event, at: uptime)
    }

    @discardableResult
    mutating func wait(_ seconds: Double) -> [PoolAction] {
        now += seconds
        return send(.tick)
    }

    /// A second at a time; everything that came of it.
    mutating func waitStepwise(_ seconds: Int) -> [PoolAction] {
        (0..<seconds).flatMap { _ in wait(1) }
    }

    mutating func freshProcess() -> ProcessIdentity {
        nextPID += 1
        return ProcessIdentity(pid: nextPID, startTicks: UInt64(now * 100) + 1)
    }

    @discardableResult
    mutating func start(_ number: UInt32, ready: Bool = false) -> ProcessIdentity {
        let process = freshProcess()
        send(.started(number, process, adminSocket: "/run/\(number).sock", saidReady: ready))
        return process
    }

    /// Started, ready, probed, and past the minimum healthy time.
    @discardableResult
    mutating func serve(_ number: UInt32) -> ProcessIdentity {
        let process = start(number, ready: true)
        send(.probed(number, process, healthy: true))
        wait(pool.settings.minimumHealthy)
        return process
    }

    /// A pool of `desired` serving workers.
    mutating func serveAll() {
        _ = begin()
        for number in pool.ordered.sorted() { serve(number) }
    }

    @discardableResult
    mutating func request(_ number: UInt32, _ cause: RecycleCause = .leak) -> [PoolAction] {
        send(.requested(RecycleRequest(worker: number, cause: cause, reason: "test")))
    }

    @discardableResult
    mutating func exit(_ number: UInt32, restart: Bool = false) -> [PoolAction] {
        guard let process = pool.workers[number]?.process else { return [] }
        return send(.exited(number, process, willRestart: restart))
    }
}

extension Set<UInt32> {
    /// Workers of no release in particular.
    var asConfigured: [UInt32: ReleaseID] { Dictionary(uniqueKeysWithValues: map { ($0, .configured) }) }
}

extension [PoolAction] {
    var orders: [Set<UInt32>] {
        compactMap { if case .order(let numbers) = $0 { numbers } else { nil } }
    }

    var probes: [UInt32] {
        compactMap { if case .probe(let number, _, _) = $0 { number } else { nil } }
    }

    var notes: [PoolNote] {
        compactMap { if case .note(let note) = $0 { note } else { nil } }
    }

    var startedRecycles: [(worker: UInt32, successor: UInt32)] {
        notes.compactMap {
            if case .recycleStarted(let request, let successor) = $0 { (request.worker, successor) } else { nil }
        }
    }

    var finishedRecycles: [UInt32] {
        notes.compactMap { if case .recycleFinished(let request, _, _) = $0 { request.worker } else { nil } }
    }

    var retryWaits: [Double] {
        notes.compactMap { if case .recycleFailed(_, _, _, let retryIn) = $0 { retryIn } else { nil } }
    }
}
