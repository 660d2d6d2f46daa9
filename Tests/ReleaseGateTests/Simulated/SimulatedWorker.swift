import Glibc
import OakumModel
import OakumTestKit
import ReleaseGate

/// A worker by a formula with noise: the model the research simulated Kayenta's rule with (level 400 MiB, noise with memory of
/// 4 MiB, 6 MiB from worker to worker, 60 MiB of warm-up), and requests, failures, CPU and latency beside it.
struct WorkerShape: Sendable {
    var levelMiB = 400.0
    var offsetMiB = 6.0
    /// First-order autoregression, 0.9 from one quarter of a minute to the next.
    var noiseMiB = 4.0
    var warmUpMiB = 60.0
    var warmUpSeconds = 480.0
    /// Kept by each request, at `requestsPerSecond`.
    var leakMiBPerHour = 0.0
    /// A cache: fills up to so much, most of it in so many seconds at `requestsPerSecond`.
    var cacheMiB = 0.0
    var cacheSeconds = 1_800.0
    /// In step with the time of day, both ways.
    var swingMiB = 0.0
    var requestsPerSecond = 50.0
    /// What this worker gets of it.
    var share = 1.0
    var failing = 0.002
    var cpuMilliseconds = 2.0
    var latencyMedian = 0.02
    var latencySpread = 0.6
    var openDescriptors = 40.0
    var descriptorsPerHour = 0.0
    var hasLatency = false

    static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
    private static let mebibyte = 1_048_576.0

    /// Every `step` seconds, seconds from the worker's start.
    func readings(
        seconds: Double, step: Double, startedAt: Uptime = Uptime(seconds: 0), phase: Double = 0,
        using draws: inout SeededGenerator
    ) -> [GateReading] {
        let memory = pow(0.9, step / 15)
        let offset = draws.normal(deviation: offsetMiB)
        var drift = draws.normal(deviation: noiseMiB)
        var (served, failed, cpu) = (0.0, 0.0, 0.4)
        var counts = [Double](repeating: 0, count: Self.bounds.count + 1)
        let chances = bucketChances
        var readings: [GateReading] = []
        readings.reserveCapacity(Int(seconds / step))
        for index in 1...Int(seconds / step) {
            let time = Double(index) * step
            drift = memory * drift + noiseMiB * (1 - memory * memory).squareRoot() * draws.normal()
            var new = 0.0
            let wanted = requestsPerSecond * share * step
            if hasLatency {
                for bucket in chances.indices {
                    let inside = draws.poisson(wanted * chances[bucket])
                    counts[bucket] += inside
                    new += inside
                }
            } else {
                new = draws.poisson(wanted)
            }
            served += new
            failed += min(new, draws.poisson(new * failing))
            cpu += max(0, new * cpuMilliseconds / 1_000 * draws.normal(mean: 1, deviation: 0.05)) + 0.002 * step
            let full = served / requestsPerSecond
            var held = levelMiB + offset + drift + warmUpMiB * (1 - exp(-time / warmUpSeconds))
            held += leakMiBPerHour * full / 3_600 + cacheMiB * (1 - exp(-full / cacheSeconds))
            held += swingMiB * sin(2 * .pi * (time + phase) / 86_400)
            let bytes = max(1, held) * Self.mebibyte
            readings.append(
                GateReading(
                    at: startedAt + time, bytesInUse: ByteCount(Int64(bytes)),
                    residentBytes: ByteCount(Int64(bytes * 1.1)), requests: served, failed: failed,
                    latency: hasLatency ? Self.cumulative(counts) : nil, cpuSeconds: cpu,
                    openDescriptors: Int(openDescriptors + descriptorsPerHour * full / 3_600)))
        }
        return readings
    }

    private static func cumulative(_ counts: [Double]) -> LatencyCounts? {
        var sum = 0.0
        let rising = counts.map { count in
            sum += count
            return sum
        }
        return LatencyCounts(bounds: bounds, counts: rising.dropLast(), total: sum)
    }

    /// Of a lognormal law, by bucket.
    private var bucketChances: [Double] {
        var below = 0.0
        var chances = Self.bounds.map { bound in
            let all = 0.5 * erfc(-log(bound / latencyMedian) / latencySpread / 2.0.squareRoot())
            defer { below = all }
            return all - below
        }
        chances.append(1 - below)
        return chances
    }
}

extension SeededGenerator {
    /// A count with that mean (from 30 on by the normal law).
    mutating func poisson(_ mean: Double) -> Double {
        guard mean > 0 else { return 0 }
        guard mean < 30 else { return max(0, normal(mean: mean, deviation: mean.squareRoot()).rounded()) }
        let least = exp(-mean)
        var product = double(0..<1)
        var count = 0.0
        while product > least {
            product *= double(0..<1)
            count += 1
        }
        return count
    }
}

/// A comparison that is played to a gate.
struct SimulatedCanary {
    var candidate: [[GateReading]]
    var baseline: [[GateReading]]
    var limit: ByteCount? = .mebibytes(1_024)

    /// Workers of two shapes, as many of the one as of the other.
    init(
        candidate: WorkerShape, baseline: WorkerShape = WorkerShape(), workers: Int = 1, seconds: Double,
        step: Double = 15, using draws: inout SeededGenerator
    ) {
        var mine: [[GateReading]] = []
        var others: [[GateReading]] = []
        for _ in 0..<workers {
            mine.append(candidate.readings(seconds: seconds, step: step, using: &draws))
            others.append(baseline.readings(seconds: seconds, step: step, using: &draws))
        }
        self.candidate = mine
        self.baseline = others
    }

    init(candidate: [[GateReading]], baseline: [[GateReading]], limit: ByteCount? = .mebibytes(1_024)) {
        self.candidate = candidate
        self.baseline = baseline
        self.limit = limit
    }

    func gate(_ settings: GateSettings = .proving) -> ReleaseGate {
        ReleaseGate(
            .canary(
                startedAt: Uptime(seconds: 0), candidate: Self.numbers(candidate, from: 1),
                baseline: Self.numbers(baseline, from: 101), limit: limit),
            settings: settings)
    }

    /// Every reading, a look every so many seconds; until it fails, or to the end. What each look says goes to `seen`.
    func play(
        _ settings: GateSettings = .proving, lookEvery: Double = 600, seen: (GateReport) -> Void = { _ in }
    ) -> GateReport {
        var gate = gate(settings)
        return play(&gate, lookEvery: lookEvery, seen: seen)
    }

    func play(
        _ gate: inout ReleaseGate, lookEvery: Double = 600, seen: (GateReport) -> Void = { _ in }
    ) -> GateReport {
        var nextLook = lookEvery
        var report = gate.look(at: Uptime(seconds: 0))
        for index in 0..<((candidate + baseline).map(\.count).max() ?? 0) {
            var now = 0.0
            for (number, readings) in candidate.enumerated() where index < readings.count {
                gate.add(readings[index], of: GateWorker(.candidate, UInt32(number + 1)))
                now = max(now, readings[index].at.seconds)
            }
            for (number, readings) in baseline.enumerated() where index < readings.count {
                gate.add(readings[index], of: GateWorker(.baseline, UInt32(number + 101)))
                now = max(now, readings[index].at.seconds)
            }
            guard now >= nextLook else { continue }
            nextLook += lookEvery
            report = gate.look(at: Uptime(seconds: now))
            seen(report)
            if report.verdict == .fail { break }
        }
        return report
    }

    private static func numbers(_ workers: [[GateReading]], from first: UInt32) -> [UInt32] {
        workers.indices.map { first + UInt32($0) }
    }
}
