package import OakumModel

/// What a set of samples stands for: bytes and blocks, without bias, with intervals.
///
/// A block of `size` bytes is sampled with probability p = 1 − e^(−size / mean) and then counts as 1 / p blocks and
/// `size / p` bytes (Horvitz and Thompson, 1952); the estimated variance of a sum of `size / p` is the sum of
/// (1 − p) (size / p)². What was sampled is there for certain, so an interval begins at no less than the sizes seen. The
/// part above that is a weighted sum of Poisson counts; its interval is the one of Fay and Feuer (Statistics in Medicine
/// 16, 1997), which holds its rate for few samples too, where a normal one does not.
package struct SampledTotal: Hashable, Sendable {
    package var samples: Int
    package var bytes: Estimate
    package var blocks: Estimate

    package init(samples: Int, bytes: Estimate, blocks: Estimate) {
        self.samples = samples
        self.bytes = bytes
        self.blocks = blocks
    }

    /// - Parameter confidence: the rate at which the intervals cover the truth, 0 to 1.
    package init(_ records: some Sequence<AllocationRecord>, confidence: Double = 0.95) {
        var (bytes, blocks) = (WeightedSum(), WeightedSum())
        for record in records {
            bytes.add(bytesOf: record)
            blocks.add(blocksOf: record)
        }
        self.init(
            samples: bytes.count, bytes: bytes.estimate(confidence: confidence),
            blocks: blocks.estimate(confidence: confidence))
    }
}

/// A sum of values each of which was seen with its own probability.
struct WeightedSum: Hashable, Sendable {
    private(set) var count = 0
    private(set) var total = 0.0
    private(set) var variance = 0.0
    /// The part that is there for certain: the values themselves, not what they stand for.
    private(set) var certain = 0.0
    /// The smallest of the values themselves.
    private(set) var smallest = Double.infinity
    /// The largest step that one more sample of the kind could have made.
    private(set) var largest = 0.0

    /// - Parameter value: already divided by the probability.
    mutating func add(_ value: Double, probability: Double) {
        count += 1
        total += value
        variance += (1 - probability) * value * value
        certain += value * probability
        smallest = min(smallest, max(1, value * probability))
        largest = max(largest, value * (1 - probability).squareRoot())
    }

    mutating func add(bytesOf record: AllocationRecord) {
        add(record.weight, probability: record.probability)
    }

    mutating func add(blocksOf record: AllocationRecord) {
        add(1 / record.probability, probability: record.probability)
    }

    func estimate(confidence: Double) -> Estimate {
        let tail = (1 - confidence) / 2
        let uncertain = total - certain
        guard uncertain > 0, variance > 0 else { return Estimate(estimate: total, low: total, high: total) }
        let lowShape = uncertain * uncertain / variance
        let low = variance / uncertain * Quantiles.gamma(tail, shape: lowShape)
        let (mean, spread) = (uncertain + largest, variance + largest * largest)
        let high = spread / mean * Quantiles.gamma(1 - tail, shape: mean * mean / spread)
        // What was not seen comes in whole blocks.
        return Estimate(
            estimate: total, low: certain + min((low / smallest).rounded(.down) * smallest, uncertain),
            high: certain + max((high / smallest).rounded(.up) * smallest, uncertain))
    }

    /// What may have gone unseen when nothing was: the upper end for a sum without a sample, of values like `like`.
    static func unseen(like sum: WeightedSum, confidence: Double) -> Double {
        sum.largest * Quantiles.gamma((1 + confidence) / 2, shape: 1)
    }

    /// This less the other one, which has no sample in common with it (MOVER: Zou and Donner, Statistics in Medicine
    /// 27, 2008). Where one side has no samples its interval reaches up to what may have gone unseen.
    func less(_ other: WeightedSum, confidence: Double) -> Estimate {
        let reference = largest > other.largest ? self : other
        func interval(_ sum: WeightedSum) -> Estimate {
            guard sum.count > 0 else {
                return Estimate(estimate: 0, low: 0, high: Self.unseen(like: reference, confidence: confidence))
            }
            return sum.estimate(confidence: confidence)
        }
        let (plus, minus) = (interval(self), interval(other))
        let difference = plus.estimate - minus.estimate
        func norm(_ a: Double, _ b: Double) -> Double { (a * a + b * b).squareRoot() }
        return Estimate(
            estimate: difference,
            low: difference - norm(plus.estimate - plus.low, minus.high - minus.estimate),
            high: difference + norm(plus.high - plus.estimate, minus.estimate - minus.low))
    }
}

extension AllocationRecord {
    /// With which it was sampled. A block of no bytes is sampled as if it had one.
    var probability: Double {
        let size = max(1, Double(size))
        return min(1, size / max(size, weight))
    }
}
