import OakumModel
import OakumTestKit
import Recycling
import Testing

/// A pool and a simulated keeper with everything that goes wrong in between: late and stale events, late probe answers,
/// orders that arrive late or not at all, and the death of `oakum` at any moment. Invariants are checked at each event.
struct PoolSimulation {
    struct Weather: Sendable {
        var crash = 0.3
        var neverReady = 0.1
        var startFails = 0.1
        var badProbe = 0.2
        var lateSignals = 0.5
        var requests = 0.05
        var deaths = 0.005
        var strange = 0.02
        var pauses = 0.01
        var kills = 0.01
    }

    let settings: PoolSettings
    private var weather: Weather
    private var generator: SeededGenerator
    private(set) var keeper: KeeperModel
    private(set) var watched: WatchedPool
    private(set) var now = 0.0
    /// Signals on their way to the pool, in order.
    private var inbox: [(at: Double, event: PoolEvent)] = []
    private var answers: [(at: Double, event: PoolEvent)] = []
    /// The newest order on its way to the keeper.
    private var order: (at: Double, numbers: Set<UInt32>)?
    private var nextTick = 0.0
    private var tickEvery = 1.0
    private(set) var deaths = 0
    private(set) var finished = 0

    init(generator: inout SeededGenerator, weather: Weather) {
        let desired = generator.int(1...6)
        let intervals: [Double] = [0, 0.5, 5]
        let caps: [Int] = [20, 120, 10_000]
        settings = PoolSettings(
            desired: desired, capacityFloor: generator.int(0...desired), readyWithin: generator.double(3..<12),
            minimumHealthy: generator.double(0..<2), minimumInterval: generator.pick(intervals) ?? 0,
            atMostPerHour: generator.pick(caps) ?? 120, failureBackoff: generator.double(1..<5),
            longestFailureBackoff: 60)
        self.weather = weather
        let faults = weather
        keeper = KeeperModel(seed: generator.next()) { _, generator in
            var behaviour = KeeperModel.Behaviour()
            behaviour.readyAfter = generator.chance(faults.neverReady) ? nil : generator.double(0..<4)
            behaviour.diesAfter = generator.chance(faults.crash) ? generator.double(0..<30) : nil
            behaviour.startFails = generator.chance(faults.startFails)
            behaviour.drainSeconds = generator.chance(0.1) ? 30 : generator.double(0..<5)
            return behaviour
        }
        self.generator = SeededGenerator(seed: generator.next())
        watched = WatchedPool(pool: WorkerPool(settings: settings))
        begin()
    }

    /// Runs until `end`, with faults.
    mutating func run(until end: Double) {
        while now < end { step() }
    }

    /// No more faults from now on: after `seconds` everything must be well.
    mutating func calm(seconds: Double) {
        weather = Weather(
            crash: 0, neverReady: 0, startFails: 0, badProbe: 0, lateSignals: 0, requests: 0, deaths: 0, strange: 0,
            pauses: 0, kills: 0)
        keeper.calm(at: now)
        watched.pool.mayAct = true
        tickEvery = 2
        run(until: now + seconds)
    }

    private mutating func begin() {
        let kept = keeper.order ?? []
        take(watched.begin(adopting: kept, at: now))
        for process in keeper.living {
            deliver(started(process.number, process.identity, saidReady: process.saidReady))
        }
    }

    /// SIGKILL of `oakum`: what was on its way is lost or reaches the next one late.
    private mutating func die() {
        deaths += 1
        if generator.chance(0.5) { order = nil }
        if generator.chance(0.5) { inbox = [] }
        if generator.chance(0.8) { answers = [] }
        watched = WatchedPool(
            pool: WorkerPool(settings: settings, nextNumber: watched.pool.nextNumber), given: watched.given)
        if let late = order {
            // It was sent already: the keeper reads it before the next oakum asks.
            keeper.apply(late.numbers, at: now)
            order = nil
        }
        begin()
    }

    private mutating func step() {
        let times: [Double?] = [nextTick, keeper.nextTime, inbox.first?.at, answers.first?.at, order?.at]
        now = max(now, times.compactMap(\.self).min() ?? now)
        if let due = order, due.at <= now {
            order = nil
            keeper.apply(due.numbers, at: now)
        } else if let first = inbox.first, first.at <= now {
            inbox.removeFirst()
            deliver(first.event)
        } else if let first = answers.first, first.at <= now {
            answers.removeFirst()
            deliver(first.event)
        } else if let next = keeper.nextTime, next <= now {
            if let happening = keeper.step()?.happening { report(happening) }
        } else {
            nextTick = now + tickEvery
            trouble()
            deliver(.tick)
        }
    }

    private mutating func trouble() {
        if generator.chance(weather.requests), let number = generator.pick(watched.pool.ordered.sorted()) {
            let cause = generator.pick([RecycleCause.leak, .budget, .byHand]) ?? .leak
            deliver(.requested(RecycleRequest(worker: number, cause: cause, reason: "simulated")))
        }
        if generator.chance(weather.kills), let victim = generator.pick(keeper.living),
            let happening = keeper.kill(victim.identity, at: now)
        {
            report(happening)
        }
        if generator.chance(weather.pauses) { watched.pool.mayAct.toggle() }
        if generator.chance(weather.strange) { deliver(strangeEvent()) }
        if generator.chance(weather.deaths) { die() }
    }

    private mutating func strangeEvent() -> PoolEvent {
        let number = UInt32(generator.int(1...Int(watched.pool.nextNumber)))
        let nobody = ProcessIdentity(pid: Int32(generator.int(5_000...6_000)), startTicks: 0)
        switch generator.int(0...4) {
        case 0: return .exited(number, nobody, willRestart: generator.chance(0.5))
        case 1: return .saidReady(number, nobody)
        case 2: return .probed(number, nobody, healthy: generator.chance(0.5))
        case 3: return .saidStopping(number, nobody)
        default:
            guard let process = generator.pick(keeper.living) else { return .tick }
            return started(process.number, process.identity, saidReady: false)
        }
    }

    private func started(_ number: UInt32, _ process: ProcessIdentity, saidReady: Bool) -> PoolEvent {
        .started(number, process, adminSocket: "/run/\(number).sock", saidReady: saidReady)
    }

    private mutating func report(_ happening: KeeperModel.Happening) {
        let late = generator.chance(weather.lateSignals) ? generator.double(0..<2) : 0
        let at = max(inbox.last?.at ?? 0, now + late)
        switch happening {
        case .started(let number, let process): inbox.append((at, started(number, process, saidReady: false)))
        case .ready(let number, let process): inbox.append((at, .saidReady(number, process)))
        case .exited(let number, let process, _, let restartIn):
            inbox.append((at, .exited(number, process, willRestart: restartIn != nil)))
        case .startFailed: break
        }
    }

    private mutating func deliver(_ event: PoolEvent) {
        take(watched.handle(event, at: now))
    }

    private mutating func take(_ actions: [PoolAction]) {
        finished += actions.notes.count { if case .recycleFinished = $0 { true } else { false } }
        if let numbers = actions.orders.last {
            order = (now + (generator.chance(0.3) ? generator.double(0..<2) : 0), numbers)
        }
        for action in actions {
            guard case .probe(let number, let process, _) = action else { continue }
            let at = now + (generator.chance(0.2) ? generator.double(0..<5) : 0.01)
            let healthy = keeper.processes[process]?.saidReady == true && !generator.chance(weather.badProbe)
            let position = answers.firstIndex { $0.at > at } ?? answers.endIndex
            answers.insert((at, .probed(number, process, healthy: healthy)), at: position)
        }
    }
}
