import Foundation  // exp, log
import LeakTrial
import OakumTestKit

/// Memory after cycles of 1000 operations, by a formula with noise: what innocent and leaky programs look like when they
/// are read between cycles.
struct CycleShape: Sendable, CustomStringConvertible {
    var description: String
    /// Bytes kept by an operation; 0: innocent.
    var leak = 0.0
    /// Level after so many cycles, without noise.
    var level: @Sendable (Double) -> Double
    /// Bytes of noise: independent, and with memory.
    var noise = 0.0
    var memory = 0.0
    /// Bytes by which the level walks from cycle to cycle.
    var walk = 0.0
    /// Garbage: rises by so many bytes a cycle, and is collected each time after a number of cycles in this range.
    var garbage = 0.0
    var garbageCycles = 1...1
    /// Steps of 64 KB to 1 MB, so many in all, each at a random one of the first 30 cycles.
    var arenas = 0

    static let operations = 1000.0

    /// The readings, as many as the trial asks for.
    func run(seed: UInt64, settings: TrialSettings = TrialSettings()) -> ArmFinding {
        var draws = SeededGenerator(seed: seed)
        _ = draws.next()
        var trial = ArmTrial(settings: settings)
        var drift = 0.0
        var walked = 0.0
        var tooth = 0.0
        var untilCollected = 0
        let arenaSteps = (0..<arenas).map { _ in
            (cycle: Double(draws.next() % 30), bytes: 65_536 * Double(1 + draws.next() % 16))
        }
        for cycle in 0... {
            let rounds = Double(cycle)
            drift = memory * drift + noise * (1 - memory * memory).squareRoot() * normal(&draws)
            walked += walk * normal(&draws)
            tooth += garbage
            if untilCollected == 0 {
                tooth = 0
                untilCollected = garbageCycles.lowerBound + Int(draws.next() % UInt64(garbageCycles.count))
            }
            untilCollected -= 1
            let stepped = arenaSteps.reduce(0) { $0 + ($1.cycle <= rounds ? $1.bytes : 0) }
            let bytes =
                20e6 + level(rounds) + leak * Self.operations * rounds + drift + walked + tooth + stepped
            if let finding = trial.add(
                operations: Self.operations * (rounds + 1), bytes: (bytes / 16).rounded() * 16)
            {
                return finding
            }
        }
        return trial.stop()
    }

    private func normal(_ draws: inout SeededGenerator) -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += Double(draws.next() >> 11) * 0x1p-53 }
        return sum
    }
}

extension CycleShape {
    static let innocent: [CycleShape] = [
        CycleShape(description: "flat, exact", level: { _ in 0 }),
        CycleShape(description: "flat, noise 100 KB", level: { _ in 0 }, noise: 1e5),
        CycleShape(description: "flat, noise 2 MB", level: { _ in 0 }, noise: 2e6),
        CycleShape(description: "flat, noise with memory", level: { _ in 0 }, noise: 1e5, memory: 0.9),
        CycleShape(description: "bounded walk", level: { _ in 0 }, noise: 4e5, memory: 0.97),
        CycleShape(description: "warm-up 4 MB, 2 cycles", level: { 4e6 * (1 - exp(-$0 / 2)) }, noise: 1e5),
        CycleShape(description: "warm-up 4 MB, 2 cycles, exact", level: { 4e6 * (1 - exp(-$0 / 2)) }),
        CycleShape(
            description: "two warm-ups, exact",
            level: { 3e6 * (1 - exp(-$0 / 1.5)) + 2e6 * (1 - exp(-$0 / 6)) }),
        CycleShape(description: "cache of 8 MB, 8 cycles", level: { 8e6 * (1 - exp(-$0 / 8)) }, noise: 1e5),
        CycleShape(description: "cache of 8 MB, 8 cycles, exact", level: { 8e6 * (1 - exp(-$0 / 8)) }),
        CycleShape(description: "cache of 8 MB, 16 cycles", level: { 8e6 * (1 - exp(-$0 / 16)) }, noise: 1e5),
        CycleShape(description: "cache of 8 MB, 16 cycles, exact", level: { 8e6 * (1 - exp(-$0 / 16)) }),
        CycleShape(description: "cache of 1 MB, 24 cycles, exact", level: { 1e6 * (1 - exp(-$0 / 24)) }),
        CycleShape(description: "stretched warm-up", level: { 4e6 * (1 - exp(-pow($0 / 3, 0.5))) }, noise: 2e4),
        CycleShape(description: "fragmentation (logarithm)", level: { 5e5 * log(1 + $0) }, noise: 5e4),
        CycleShape(description: "one step", level: { $0 >= 7 ? 1e6 : 0 }, noise: 2e4),
        CycleShape(description: "one step, exact", level: { $0 >= 9 ? 65_536 : 0 }),
        CycleShape(description: "two steps, exact", level: { ($0 >= 4 ? 65_536 : 0) + ($0 >= 11 ? 65_536 : 0) }),
        CycleShape(
            description: "three steps", level: { 3e5 * (($0 >= 3 ? 1 : 0) + ($0 >= 6 ? 1 : 0) + ($0 >= 11 ? 1 : 0)) }),
        CycleShape(description: "arena steps at random", level: { _ in 0 }, noise: 1e4, arenas: 4),
        CycleShape(
            description: "garbage of 4 to 10 cycles", level: { _ in 0 }, noise: 2e4, garbage: 2e5, garbageCycles: 4...10
        ),
        CycleShape(description: "garbage of 3 cycles", level: { _ in 0 }, garbage: 1e5, garbageCycles: 3...3),
        CycleShape(
            description: "garbage of 2 to 4 cycles + warm-up", level: { 4e6 * (1 - exp(-$0 / 4)) }, noise: 1e4,
            garbage: 1e6, garbageCycles: 2...4),
        CycleShape(description: "swing", level: { 5e5 * sin($0 / 5) }, noise: 2e4),
        CycleShape(description: "shrinking", level: { -1e5 * min($0, 20) }, noise: 2e4),
    ]

    static let leaky: [CycleShape] = [
        CycleShape(description: "32 B, exact", leak: 32, level: { _ in 0 }),
        CycleShape(description: "32 B + warm-up, exact", leak: 32, level: { 1e6 * (1 - exp(-$0 / 2)) }),
        CycleShape(description: "64 B, noise 20 KB", leak: 64, level: { _ in 0 }, noise: 2e4),
        CycleShape(description: "256 B, noise 100 KB", leak: 256, level: { _ in 0 }, noise: 1e5),
        CycleShape(
            description: "256 B + cache, noise 100 KB", leak: 256, level: { 8e6 * (1 - exp(-$0 / 8)) }, noise: 1e5),
        CycleShape(
            description: "256 B in steps of 4 cycles", leak: 0.001,
            level: { 256 * 4000 * ($0 / 4).rounded(.down) }, noise: 1e5),
        CycleShape(description: "1024 B, noise 100 KB", leak: 1024, level: { _ in 0 }, noise: 1e5),
        CycleShape(description: "4 KB + garbage", leak: 4096, level: { _ in 0 }, garbage: 1e6, garbageCycles: 3...6),
        CycleShape(
            description: "array of 16-byte elements", leak: 0.001,
            level: { 16 * pow(2, log2(1000 * ($0 + 1)).rounded(.up)) }),
    ]
}
