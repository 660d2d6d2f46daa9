import Foundation  // exp and sin
import OakumModel
import OakumTestKit

/// A worker's resident set, one reading a second, in MiB inside and bytes outside.
///
/// Made to look like a sign-up service: a base, a saturating warm-up under load, Argon2 hashes that map a block for tens
/// of milliseconds so that single readings jump by one or two blocks, pages that come and go, and, as told, caches,
/// steps, swings, garbage collection, or a leak.
struct SimulatedWorker {
    var base = 45.0
    var loadStart = 3.0
    /// Saturating growths: each rises to `size` with time constant `tau` from `start` on.
    var fills: [Fill] = [Fill(start: 3, size: 15, tau: 15)]
    /// Straight growths that end: a cache of fixed size filled by distinct keys, connections, threads.
    var ramps: [Ramp] = []
    var hashBlock = 19.0
    var hashSlots = 2
    /// Chance that a given slot is hashing at the moment of a reading, at full load.
    var duty = 0.35
    var jitter = 0.15
    var steps: [Step] = []
    /// Peak to peak, MiB; period and phase in seconds.
    var swing = 0.0
    var swingPeriod = 86_400.0
    var swingPhase = 0.0
    var toothHeight = 0.0
    var toothPeriod = 30.0
    /// Load as a share of full load over time, as steps: (from second, share).
    var load: [(from: Double, share: Double)] = []
    var leakStart = Double.infinity
    /// MiB a second.
    var leakRate = 0.0
    /// Bytes; for the detector, not for the simulation.
    var limit: Double?
    var generator: SeededGenerator
    private var drift = 0.0

    struct Fill { var start, size, tau: Double }
    struct Ramp { var start, size, seconds: Double }
    struct Step { var at, size: Double }

    init(seed: UInt64) {
        generator = SeededGenerator(scrambling: seed)
    }

    static let mebibyte = 1_048_576.0

    mutating func reading(at time: Double) -> Double {
        var level = base
        if time < 1.5 { level = min(base, 18 + 20 * time) }
        for fill in fills where time > fill.start { level += fill.size * (1 - exp(-(time - fill.start) / fill.tau)) }
        for ramp in ramps where time > ramp.start {
            level += ramp.size * min(1, (time - ramp.start) / ramp.seconds)
        }
        for step in steps where time >= step.at { level += step.size }
        if swing > 0 { level += swing / 2 * (1 + sin(2 * .pi * time / swingPeriod + swingPhase)) }
        if toothHeight > 0 {
            level += toothHeight * (time / toothPeriod - (time / toothPeriod).rounded(.down))
        }
        if time > leakStart { level += leakRate * (time - leakStart) }
        drift = 0.98 * drift + 0.2 * jitter * generator.boundedNormal()
        level += drift + abs(jitter * generator.boundedNormal())
        let share = load.last { $0.from <= time }?.share ?? 1
        if time >= loadStart {
            for _ in 0..<hashSlots where generator.unit() < duty * share { level += hashBlock }
        }
        return (level * 256).rounded() / 256 * Self.mebibyte
    }

    mutating func point(at time: Double) -> SeriesPoint {
        SeriesPoint(seconds: time, value: reading(at: time))
    }
}
