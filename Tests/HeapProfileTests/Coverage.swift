import Glibc
import OakumModel
import OakumTestKit
import Synchronization

/// Counts how often intervals held the truth.
final class Coverage: Sendable {
    private struct Tally {
        var held = 0
        var below = 0
        var above = 0
        var ratios = 0.0
        var width = 0.0
        var count: Int { held + below + above }
    }

    private let tallies = Mutex<[Int: Tally]>([:])

    func note(_ interval: Estimate, _ truth: Double, in place: Int = 0) {
        let slack = 1e-9 * abs(truth) + 1e-12
        tallies.withLock { tallies in
            var tally = tallies[place] ?? Tally()
            if interval.high < truth - slack {
                tally.below += 1
            } else if interval.low > truth + slack {
                tally.above += 1
            } else {
                tally.held += 1
            }
            tally.ratios += truth == 0 ? 1 : interval.estimate / truth
            tally.width += interval.high - interval.low
            tallies[place] = tally
        }
    }

    func rate(_ place: Int = 0) -> Double {
        tallies.withLock { tallies in
            tallies[place].map { Double($0.held) / Double($0.count) } ?? 0
        }
    }

    /// Mean of estimate over truth: 1 without bias.
    func meanRatio(_ place: Int = 0) -> Double {
        tallies.withLock { tallies in
            tallies[place].map { $0.ratios / Double($0.count) } ?? 0
        }
    }

    func text(_ place: Int = 0) -> String {
        tallies.withLock { tallies in
            guard let tally = tallies[place] else { return "none" }
            func percent(_ count: Int) -> Double { Double(count * 1000 / tally.count) / 10 }
            return "held \(percent(tally.held)) % of \(tally.count) (all below \(tally.below), all above "
                + "\(tally.above), mean width \(tally.width / Double(tally.count)))"
        }
    }
}

extension SeededGenerator {
    /// How many of `count` trials succeed: by the waiting times between successes, so that rare ones are cheap.
    mutating func binomial(_ count: Int, _ probability: Double) -> Int {
        guard probability < 1 else { return count }
        guard probability > 0 else { return 0 }
        var (done, successes) = (0.0, 0)
        while true {
            let skip = (logOf(1 - double(0..<1)) / logOf(1 - probability)).rounded(.down)
            done += skip + 1
            guard done <= Double(count) else { return successes }
            successes += 1
        }
    }

    mutating func exponential(mean: Double) -> Double {
        -mean * logOf(1 - double(0..<1))
    }
}

private func logOf(_ value: Double) -> Double { log(value) }
