import OakumModel
import Recycling
import Testing

/// A pool whose every step is held against what must always be true.
struct WatchedPool {
    var pool: WorkerPool
    /// Every number that was ever ordered.
    private(set) var given: Set<UInt32>
    private var starts: [Double] = []
    private var failures = 0
    private var notBefore = -Double.infinity
    private var probing: [UInt32: ProcessIdentity] = [:]
    private var surplus = 0

    init(pool: WorkerPool, given: Set<UInt32> = []) {
        self.pool = pool
        self.given = given
    }

    mutating func begin(adopting numbers: Set<UInt32>, at now: Double) -> [PoolAction] {
        surplus = max(0, numbers.count - pool.settings.desired)
        given.formUnion(numbers)
        let actions = pool.begin(adopting: numbers.asConfigured, at: Uptime(seconds: now))
        checkOrder(before: numbers, at: now)
        return actions
    }

    mutating func handle(_ event: PoolEvent, at now: Double) -> [PoolAction] {
        let before = pool
        let actions = pool.handle(event, at: Uptime(seconds: now))
        if case .probed(let number, let process, _) = event, probing[number] == process { probing[number] = nil }
        checkOrder(before: before.ordered, at: now)
        checkCapacity(before: before, event: event)
        checkRecycles(actions, before: before, event: event, at: now)
        checkActions(actions)
        return actions
    }

    private mutating func checkOrder(before: Set<UInt32>, at now: Double) {
        let settings = pool.settings
        #expect(pool.ordered.count <= settings.desired + max(1, surplus), "ordered too many")
        #expect(pool.ordered.count >= min(settings.desired, before.count), "ordered too few")
        let new = pool.ordered.subtracting(before)
        #expect(given.isDisjoint(with: new), "a number was given twice")
        given.formUnion(new)
        #expect(pool.ordered.allSatisfy { pool.workers[$0] != nil }, "an ordered worker is unknown")
        #expect(
            pool.workers.values.allSatisfy { ($0.phase == .draining) != pool.ordered.contains($0.number) },
            "draining is what is not ordered")
        #expect(pool.workers.values.allSatisfy { $0.phase != .serving || $0.process != nil })
        #expect(pool.waiting.count <= settings.desired + surplus, "more wishes than workers")
        #expect(Set(pool.waiting.map(\.worker)).count == pool.waiting.count, "two wishes for one worker")
        #expect(pool.workers.values.allSatisfy { $0.number < pool.nextNumber }, "the next number is in use")
    }

    /// An act of ours: a serving worker left the order. One that dies or stops of itself in this event does not count.
    private func checkCapacity(before: WorkerPool, event: PoolEvent) {
        var gone: UInt32?
        switch event {
        case .exited(let number, _, _), .saidStopping(let number, _): gone = number
        default: break
        }
        let dropped = before.ordered.subtracting(pool.ordered).filter {
            $0 != gone && before.workers[$0]?.phase == .serving
        }
        guard !dropped.isEmpty else { return }
        #expect(dropped.count == 1, "two serving workers dropped at once")
        #expect(pool.serving.count >= pool.settings.capacityFloor, "below the floor at \(event)")
    }

    private mutating func checkRecycles(
        _ actions: [PoolAction], before: WorkerPool, event: PoolEvent, at now: Double
    ) {
        var running = before.current != nil
        for note in actions.notes {
            switch note {
            case .recycleStarted:
                #expect(!running, "two recycles at a time")
                #expect(pool.mayAct, "begun while acts are stopped")
                #expect(now >= notBefore, "begun within the wait after a failure")
                if let last = starts.last { #expect(now - last >= pool.settings.minimumInterval) }
                starts.append(now)
                #expect(starts.count { now - $0 < 3_600 } <= pool.settings.atMostPerHour)
                running = true
            case .recycleFinished:
                #expect(running)
                running = false
                failures = 0
                notBefore = -.infinity
            case .recycleFailed(let request, _, _, let retryIn):
                #expect(running)
                running = false
                checkFailure(of: request.worker, retryIn: retryIn, before: before, event: event)
                notBefore = now + retryIn
            default: break
            }
        }
        #expect(running == (pool.current != nil))
    }

    /// The wait doubles, and the old worker goes on as before.
    private mutating func checkFailure(of worker: UInt32, retryIn: Double, before: WorkerPool, event: PoolEvent) {
        var expected = pool.settings.failureBackoff
        for _ in 0..<failures { expected = min(expected * 2, pool.settings.longestFailureBackoff) }
        #expect(retryIn == expected)
        failures += 1
        #expect(pool.ordered.contains(worker))
        guard event == .tick else { return }
        #expect(before.workers[worker]?.process == pool.workers[worker]?.process, "the old worker was touched")
    }

    private mutating func checkActions(_ actions: [PoolAction]) {
        #expect(actions.count <= 2 * pool.settings.desired + 8, "too many actions: \(actions)")
        for action in actions {
            guard case .probe(let number, let process, _) = action else { continue }
            #expect(probing[number] != process, "a second probe while one is under way")
            #expect(pool.workers[number]?.process == process)
            probing[number] = process
        }
    }
}
