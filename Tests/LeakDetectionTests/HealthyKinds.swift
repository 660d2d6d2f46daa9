import OakumModel

/// The ways a worker's memory moves without a leak.
enum HealthyKind: String, CaseIterable {
    case freshShort = "fresh, load at once"
    case freshLong = "fresh, 3 h"
    case loadChanges = "load changes"
    case retention = "retention steps"
    case cacheFill = "cache fill"
    case linearFill = "fill by distinct keys"
    case swing = "daily swing"
    case sawtooth = "garbage collection"
    case plateau = "fragmentation plateau"
    case everything = "everything at once"

    /// How many workers are simulated at scale 1.
    var share: Double {
        switch self {
        case .freshShort: 40
        case .swing: 0.2
        default: 2
        }
    }

    /// A worker and for how many seconds to watch it.
    func worker(seed: UInt64) -> (SimulatedWorker, Double) {
        var worker = SimulatedWorker(seed: seed &+ 77_000)
        worker.warmUp()
        var seconds = 10_800.0
        switch self {
        case .freshShort: seconds = 90
        case .freshLong: break
        case .loadChanges: worker.changeLoad(until: seconds)
        case .retention: worker.retainSteps(until: seconds)
        case .cacheFill: worker.fillCache(until: seconds)
        case .linearFill: worker.fillStraight(until: seconds)
        case .swing:
            seconds = 259_200
            worker.swingDaily()
        case .sawtooth: worker.collectGarbage()
        case .plateau: worker.fragment()
        case .everything:
            seconds = 21_600
            worker.changeLoad(until: seconds)
            worker.retainSteps(until: seconds)
            worker.fillCache(until: seconds)
            worker.swingDaily()
            worker.swing /= 2
        }
        worker.setLimit()
        return (worker, seconds)
    }
}

extension SimulatedWorker {
    /// A warm-up of 10 to 30 MiB within the first 30 to 60 s of load, onto a floor of about 60 MiB.
    mutating func warmUp() {
        let size = generator.within(10, 30)
        base = generator.within(55, 68) - size
        loadStart = generator.within(2, 20)
        // 95 % reached after three time constants.
        fills = [Fill(start: loadStart, size: size, tau: generator.within(30, 60) / 3)]
        hashBlock = [7, 12, 19][Int(generator.within(0, 3))]
        hashSlots = generator.unit() < 0.5 ? 1 : 2
        duty = generator.within(0.02, hashSlots == 1 ? 0.6 : 0.37)
        jitter = generator.within(0.02, 0.5)
    }

    mutating func changeLoad(until end: Double) {
        var time = loadStart
        load = [(time, 1)]
        while time < end {
            time += generator.within(60, 2_400)
            let share = generator.within(0.1, 1)
            load.append((time, share))
            // New connections and buffers come with load, within seconds to a minute, and stay.
            if generator.unit() < 0.4, fills.count < 5 {
                fills.append(Fill(start: time, size: generator.within(1, 5), tau: generator.within(2, 20)))
            }
        }
    }

    mutating func retainSteps(until end: Double) {
        var time = 30.0
        var sum = 0.0
        while time < end, sum < 20 {
            time += generator.within(20, 3_000)
            let size = generator.within(0.5, 8)
            sum += size
            steps.append(Step(at: time, size: size))
            if generator.unit() < 0.3 { steps.append(Step(at: time + generator.within(30, 600), size: -size)) }
        }
    }

    mutating func fillCache(until end: Double) {
        fills.append(
            Fill(
                start: generator.within(3, 600), size: generator.within(4, 20), tau: generator.within(30, end / 3)))
    }

    mutating func fillStraight(until end: Double) {
        ramps.append(
            Ramp(
                start: generator.within(3, 600), size: generator.within(3, 12), seconds: generator.within(20, end / 2)))
    }

    mutating func swingDaily() {
        swing = generator.within(3, 14)
        swingPhase = generator.within(0, 6.28)
    }

    mutating func collectGarbage() {
        toothHeight = generator.within(3, 15)
        toothPeriod = generator.within(4, 400)
    }

    /// Steps that come ever more rarely and smaller, as free lists fill: a plateau.
    mutating func fragment() {
        var size = generator.within(1, 4)
        var time = generator.within(20, 120)
        var gap = generator.within(10, 120)
        for _ in 0..<16 {
            steps.append(Step(at: time, size: size))
            time += gap * generator.within(0.6, 1.4)
            gap *= 1.4
            size *= 0.85
        }
    }

    /// A budget as an operator sets it: 110 MiB, or more where the most the floor can be with the hashes on top needs
    /// more than that, with a fifth to spare.
    mutating func setLimit() {
        var floor = base + swing + toothHeight
        floor += fills.map(\.size).reduce(0, +) + ramps.map(\.size).reduce(0, +)
        floor += steps.map(\.size).filter { $0 > 0 }.reduce(0, +)
        limit = max(110, 1.2 * (floor + Double(hashSlots) * hashBlock)) * Self.mebibyte
    }
}
