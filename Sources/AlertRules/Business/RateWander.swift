import Glibc

/// How far a rate usually strays from what is expected of it, learnt from the last week.
///
/// Two numbers, both from medians, which an outage does not move: the dispersion of counts of five minutes (variance over
/// mean, from the differences of neighbours, so that a slow drift is no part of it), and the relative deviation of half hours
/// beyond that. 6 KiB.
package struct RateWander: Sendable {
    /// Squares of half hours' relative errors, and what of them chance alone makes.
    private var blocks: [(square: Double, chance: Double)] = []
    private var pairs: [Double] = []
    private var block = (actual: 0.0, expected: 0.0, buckets: 0)
    private var last: Double?

    private static let blockLimit = 336
    private static let pairLimit = 576
    /// Before there is enough to learn from.
    private static let usual = 0.12
    private static let least = 0.04
    private static let usualDispersion = 2.0
    /// Of the first two hours: people may come in dozens, and nobody knows yet.
    private static let unknownDispersion = 12.0
    private static let leastPairs = 24
    private var sincePairs = 12
    /// The median of the square of a standard normal variable.
    private static let medianSquare = 0.4549

    package private(set) var deviation = Self.usual
    /// Variance over mean of counts; of what is too rare to tell the usual one.
    package var dispersion: Double {
        learnt ?? (seen < Self.leastPairs ? Self.unknownDispersion : Self.usualDispersion)
    }
    private var learnt: Double?
    /// Buckets so far, counted up to `leastPairs`.
    private var seen = 0

    package init() {}

    /// - Parameters:
    ///   - count: of five minutes.
    ///   - expected: of the same; nil: not known.
    package mutating func add(count: Double, expected: Double?) {
        seen = min(Self.leastPairs, seen + 1)
        if let last, last + count >= 10 {
            pairs.append((count - last) * (count - last) / (last + count))
            if pairs.count > Self.pairLimit { pairs.removeFirst(pairs.count - Self.pairLimit) }
            sincePairs += 1
            if pairs.count >= Self.leastPairs, sincePairs >= 12 {
                sincePairs = 0
                learnt = min(50, max(1, Self.median(pairs) / Self.medianSquare))
            }
        }
        last = count
        guard let expected else { return }
        block.actual += count
        block.expected += expected
        block.buckets += 1
        guard block.buckets >= 6 else { return }
        if block.expected >= 5 {
            let error = block.actual / block.expected - 1
            blocks.append((error * error, dispersion / block.expected))
            if blocks.count > Self.blockLimit { blocks.removeFirst(blocks.count - Self.blockLimit) }
        }
        block = (0, 0, 0)
        learn()
    }

    private mutating func learn() {
        guard blocks.count >= 24 else { return }
        let whole = Self.median(blocks.map(\.square)) / Self.medianSquare
        let chance = Self.median(blocks.map(\.chance))
        deviation = min(1, max(Self.least, max(0, whole - chance).squareRoot()))
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted[sorted.count / 2]
    }
}
