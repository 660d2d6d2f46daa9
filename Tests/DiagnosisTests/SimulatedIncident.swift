import Diagnosis
import Foundation  // exp, log and sin
import LeakDetection
import OakumModel
import OakumTestKit

/// What is wrong with a simulated service.
enum Trouble: String, CaseIterable {
    case nothing, randomWalks = "random walks"
    case leak = "leak (incident A)", cacheLeak = "cache leak (incident B)"
    case cacheFill = "bounded cache fills"
    case cpuDeploy = "CPU-bound deploy", badDeploy = "deploy that fails requests"
    case surge = "traffic surge", slowDependency = "slow dependency", unmeasuredDependency = "slow, not measured"
    case diskFull = "disk full", descriptorLeak = "descriptor leak", network
    case hostMemory = "host memory", hostProcessor = "host processors"
    case leakAndSurge = "leak + surge", leakAndDependency = "leak + slow dependency", leakAndDeploy = "leak + deploy"

    /// What a diagnosis may name first; empty: nothing at all.
    var causes: Set<CauseCode> {
        switch self {
        case .nothing, .randomWalks: []
        case .leak, .cacheLeak: [.memory]
        case .cacheFill: [.cacheFill]
        case .cpuDeploy: [.cpuBoundDeploy]
        case .badDeploy: [.deploy]
        case .surge: [.trafficSurge]
        case .slowDependency, .unmeasuredDependency: [.slowDependency]
        case .diskFull: [.diskFull]
        case .descriptorLeak: [.fileDescriptors]
        case .network: [.network]
        case .hostMemory: [.hostMemory]
        case .hostProcessor: [.hostProcessor]
        case .leakAndSurge: [.memory, .trafficSurge]
        case .leakAndDependency: [.memory, .slowDependency]
        case .leakAndDeploy: [.memory, .cpuBoundDeploy]
        }
    }

    var leaks: Bool { [.leak, .cacheLeak, .leakAndSurge, .leakAndDependency, .leakAndDeploy].contains(self) }
    var surges: Bool { self == .surge || self == .leakAndSurge }
    var dependencyIsSlow: Bool { [.slowDependency, .unmeasuredDependency, .leakAndDependency].contains(self) }
    var isDearDeploy: Bool { self == .cpuDeploy || self == .leakAndDeploy }
}

/// A service under load, one reading a second: rates wander, latencies are heavy-tailed, memory jumps by whole blocks.
struct SimulatedIncident {
    static let mebibyte = 1_048_576.0

    var trouble: Trouble
    var seconds: Int
    /// When it begins.
    var onset: Double
    var restart: Double?
    /// Kinds that nobody measures.
    var missing: Set<SignalKind> = []
    /// A stretch without any reading (a suspended machine).
    var gap: ClosedRange<Double>?
    var generator: SeededGenerator
    var hasVerdict = true
    /// How many seconds each simulated one stands for: 10 for an incident over hours in ten-second buckets.
    var stretch = 1.0
    /// Weak effects, strong noise.
    var isFaint = false
    /// Things that happen at the same time and mean nothing.
    var herrings: Herrings?

    struct Herrings {
        var deploy: Double
        var blip: ClosedRange<Double>
        var bump: ClosedRange<Double>
        var fills: Bool
    }

    mutating func addHerrings() {
        let length = Double(seconds)
        let blip = length * generator.double(0.05..<0.9)
        let bump = length * generator.double(0.05..<0.9)
        herrings = Herrings(
            deploy: length * generator.double(0..<1), blip: blip...(blip + length * 0.03),
            bump: bump...(bump + length * 0.06), fills: generator.chance(0.5))
    }

    /// A fresh process without load for some seconds, whose trouble begins with its first request, as in a drill.
    mutating func startFresh() {
        isFresh = true
        onset = 8
        leakRate *= 0.5
    }

    private(set) var isFresh = false

    mutating func makeFaint() {
        isFaint = true
        factor = generator.double(1.35..<1.8)
    }
    /// Bytes a second.
    private(set) var leakRate = 0.0
    private(set) var recorded: [SignalKind: [SeriesPoint]] = [:]
    private(set) var cachePoints: [SeriesPoint] = []
    private(set) var limit: Double
    private let cacheBound: Double
    private var factor: Double

    init(_ trouble: Trouble, generator: SeededGenerator) {
        var generator = generator
        self.trouble = trouble
        seconds = generator.pick([240, 420, 700]) ?? 240
        onset = Double(seconds) * generator.double(0.25..<0.6)
        factor = generator.double(1.8..<4)
        let base = Self.mebibyte * generator.double(40..<90)
        let room = Self.mebibyte * generator.double(60..<200)
        limit = base + room
        // The budget is reached near the end of the window or well after it.
        leakRate = room * generator.double(0.7..<1.1) / (Double(seconds) - onset)
        cacheBound = room * generator.double(0.5..<0.8)
        self.base = base
        self.generator = generator
    }

    private let base: Double

    // MARK: - Simulation

    private struct State {
        var leaked = 0.0
        var cached = 0.0
        var age = 60.0
        var openFiles = 30.0
        var walks: [SignalKind: Double] = [:]
        var rate = 0.0
    }

    mutating func run() {
        let usual = generator.double(10..<150)
        let cost = generator.double(0.15..<0.5) / usual
        let latency = generator.double(0.003..<0.06)
        let duty = generator.double(0.02..<0.35)
        let volume = generator.double(0.2..<0.8)
        var state = State()
        if isFresh { state.age = 0 }
        for second in 0..<seconds {
            let time = Double(second)
            state.rate = 0.9 * state.rate + generator.normal(deviation: 0.03)
            let began = time >= onset
            if let restart, time >= restart, time < restart + 1 {
                state.leaked = 0
                state.cached = 0
                state.openFiles = 30
                state.age = 0
            }
            if trouble.isDearDeploy || trouble == .badDeploy, time >= onset, time < onset + 1 { state.age = 0 }
            state.age += 1
            let bump = herrings.map { $0.bump.contains(time) ? 1.5 : 1 } ?? 1
            let surge = trouble.surges ? 1 + (factor - 1) * min(1, max(0, time - onset) / 20) : 1
            var rate = usual * surge * bump * (1 + state.rate) * exp(generator.normal(deviation: isFaint ? 0.1 : 0.04))
            let dear = trouble.isDearDeploy && began ? factor : 1
            if isFresh, time < 8 { rate = 0 }
            // The dependency's answer is part of every request's latency.
            let slow = trouble.dependencyIsSlow && began ? factor * factor * 3 : 1
            let dependency = 0.3 * latency * slow * exp(generator.normal(deviation: 0.12))
            if slow > 1 { rate *= 0.9 }
            grow(&state, began, rate, usual)
            let scan = trouble == .cacheLeak ? 1.2 * state.leaked / (limit - base) * rate / usual : 0
            let wanted = cost * rate * dear * exp(generator.normal(deviation: isFaint ? 0.12 : 0.05)) + scan
            let cores = min(1.9, wanted)
            let busy = min(0.97, wanted / 2)
            var answer = (0.7 * latency * dear + 0.4 * scan * latency) / (1 - busy) + dependency
            var errors = generator.chance(0.15) ? generator.double(0..<0.002) : 0
            if wanted > 1.85 { errors += 0.1 * (wanted - 1.85) }
            if slow > 20, generator.chance(0.6) { errors += generator.double(0..<0.05) }
            outside(time, began, &answer, &errors, volume)
            if herrings?.blip.contains(time) == true { answer *= 3 }
            answer *= exp(generator.normal(deviation: isFaint ? 0.25 : 0.1)) * (generator.chance(0.03) ? 3 : 1)
            let memory = resident(state, duty) + rate * answer * 60_000
            if memory > limit {
                errors += 0.3
                answer *= 2
            }
            record(time, state, rate, cores, answer, min(1, errors), memory, dependency, busy)
        }
    }

    private mutating func grow(_ state: inout State, _ began: Bool, _ rate: Double, _ usual: Double) {
        guard began else { return }
        if trouble.leaks { state.leaked += leakRate * rate / usual }
        if trouble == .cacheFill { state.cached = min(cacheBound, state.cached + leakRate * rate / usual) }
        if trouble == .descriptorLeak { state.openFiles += 900 / (Double(seconds) - onset) }
    }

    private mutating func resident(_ state: State, _ duty: Double) -> Double {
        let warm = 15 * Self.mebibyte * (1 - exp(-state.age / 15))
        let blocks = Double((0..<2).filter { _ in generator.chance(duty) }.count) * 12 * Self.mebibyte
        return base - 15 * Self.mebibyte + warm + blocks + state.leaked + state.cached
            + generator.normal(deviation: 0.15 * Self.mebibyte)
    }

    private mutating func outside(
        _ time: Double, _ began: Bool, _ answer: inout Double, _ errors: inout Double, _ volume: Double
    ) {
        var pressure = (cpu: 0.0, memory: 0.0, disk: generator.double(0..<2))
        var (available, free, lost) = (0.55, volume, generator.double(0..<0.001))
        if trouble == .diskFull {
            // It fills from the start, and is full at the onset.
            free = max(0, volume * (1 - time / onset))
            if began {
                errors += generator.double(0.2..<0.5)
                pressure.disk += 5
            }
        } else if herrings?.fills == true {
            free = volume * (1 - 0.2 * time / Double(seconds))
        }
        if began {
            switch trouble {
            case .badDeploy: errors += generator.double(0.05..<0.2)
            case .network:
                lost += generator.double(0.02..<0.06)
                answer *= 2.5
                errors += generator.double(0..<0.03)
            case .hostMemory:
                available = max(0.03, 0.55 - 0.02 * (time - onset))
                if available < 0.1 {
                    pressure.memory = generator.double(15..<30)
                    answer *= 3
                }
            case .hostProcessor:
                pressure.cpu = generator.double(30..<55)
                answer *= 2.5
            case .descriptorLeak where time > onset + 0.8 * (Double(seconds) - onset):
                errors += generator.double(0.1..<0.3)
            default: break
            }
        }
        add(.memoryPressure, time, pressure.memory + generator.double(0..<0.3))
        add(.ioPressure, time, pressure.disk)
        add(.hostMemory, time, available + generator.normal(deviation: 0.005))
        add(.diskFree, time, free)
        add(.network, time, lost)
        extraProcessorPressure = pressure.cpu
    }

    private var extraProcessorPressure = 0.0

    private mutating func record(
        _ time: Double, _ state: State, _ rate: Double, _ cores: Double, _ answer: Double, _ errors: Double,
        _ memory: Double, _ dependency: Double, _ busy: Double
    ) {
        add(.memory, time, memory)
        add(.cpu, time, cores)
        add(.latency, time, answer)
        add(.errors, time, errors)
        add(.cpuPressure, time, extraProcessorPressure + max(0, busy - 0.6) * 60 + generator.double(0..<1))
        if trouble != .unmeasuredDependency { add(.dependencyLatency, time, dependency) }
        if trouble == .cacheLeak { add(.work, time, rate * (50 + state.leaked / 1_000)) }
        // As `oakum up` does: what needs a scan or a request only every ten seconds.
        guard stretch > 1 || Int(time).isMultiple(of: 10) else { return }
        add(.requests, time, rate)
        add(.fileDescriptors, time, (state.openFiles + rate * answer).rounded())
        cachePoints.append(SeriesPoint(seconds: 5_000 + time * stretch, value: state.cached))
    }

    private mutating func add(_ kind: SignalKind, _ time: Double, _ value: Double) {
        if let gap, gap.contains(time) { return }
        recorded[kind, default: []].append(SeriesPoint(seconds: 5_000 + time * stretch, value: value))
    }

    // MARK: - What is observed

    /// Moves every series like a random walk instead, each on its own.
    mutating func wander() {
        for kind in recorded.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            guard let points = recorded[kind], let first = points.first else { continue }
            let step = 0.15 / Double(points.count).squareRoot()
            var walk = 0.0
            recorded[kind] = points.map { point in
                walk += generator.normal(deviation: step)
                let noise = exp(walk + generator.normal(deviation: 0.02))
                return SeriesPoint(seconds: point.seconds, value: max(first.value, 1e-4) * noise)
            }
        }
    }

    func observations(until end: Double? = nil, withVerdict: Bool = true) -> Observations {
        let last = 5_000 + (end ?? Double(seconds)) * stretch
        let signals = recorded.filter { !missing.contains($0.key) }.map { kind, points in
            let name: String? =
                switch kind {
                case .work: "entries_scanned"
                case .dependencyLatency: "accounts"
                default: nil
                }
            return Signal(kind, name: name, points: points.filter { $0.seconds <= last })
        }
        var observations = Observations(
            from: 5_000, until: last, signals: signals.sorted { $0.kind.rawValue < $1.kind.rawValue })
        let deploysAtOnset = trouble.isDearDeploy || trouble == .badDeploy
        observations.deploys = deploysAtOnset ? [Deploy(seconds: 5_000 + onset * stretch, release: "1.4.2")] : []
        if let herrings {
            observations.deploys?.append(Deploy(seconds: 5_000 + herrings.deploy * stretch, release: "other"))
            observations.deploys?.sort { $0.seconds < $1.seconds }
        }
        observations.restarts =
            [4_000] + (deploysAtOnset ? [5_000 + onset * stretch] : [])
            + (restart.map { [5_000 + $0 * stretch] } ?? [])
        observations.budget = ByteCount(Int64(limit))
        observations.descriptorLimit = 1_024
        if hasVerdict, withVerdict {
            observations.verdict = verdict(until: last, since: observations.restarts?.last ?? 0)
        }
        if trouble == .cacheFill {
            observations.caches = [
                CacheFill(
                    name: "profile cache",
                    points: cachePoints.filter { $0.seconds <= last }, bound: ByteCount(Int64(cacheBound)))
            ]
        }
        return observations
    }

    var detector: LeakDetector { LeakDetector(settings: .worker, limit: limit) }

    private func verdict(until end: Double, since start: Double) -> Verdict? {
        guard !missing.contains(.memory), let points = recorded[.memory] else { return nil }
        var detector = detector
        for point in points where point.seconds >= start && point.seconds <= end { detector.add(point) }
        return detector.verdict()
    }
}
