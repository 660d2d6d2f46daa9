import Glibc
import OakumModel

extension LifetimeBucket {
    /// The first lifetime that belongs to a bucket, in seconds.
    package static func start(of index: Int) -> Double {
        index <= 0 ? 0 : 0.001 * exp2(Double(index - 1) / 2)
    }

    /// The first lifetime that no longer belongs to it, in seconds; infinite for the last one.
    package static func end(of index: Int) -> Double {
        index >= indices.upperBound - 1 ? .infinity : start(of: index + 1)
    }

    /// The bucket of a lifetime or an age.
    package static func index(ofSeconds seconds: Double) -> Int {
        guard seconds >= 0.001 else { return 0 }
        guard seconds < start(of: indices.upperBound - 1) else { return indices.upperBound - 1 }
        var index = max(1, Int(2 * log2(seconds / 0.001)) + 1)
        // Rounding may miss by one at an edge.
        while index > 0, seconds < start(of: index) { index -= 1 }
        while index < indices.upperBound - 1, seconds >= end(of: index) { index += 1 }
        return index
    }
}

/// Lifetimes of one site by bucket of age: how many samples were freed in it, and how many live ones are just that old.
///
/// A live sample is censored at its age: of its lifetime nothing is known but that it is longer. Samples stand for bytes,
/// so they are counted by weight, scaled to an effective number of equal samples (Kish): weight² over squared weights.
struct LifeTable: Hashable, Sendable {
    /// Effective samples freed in each bucket.
    private(set) var freed = [Double](repeating: 0, count: LifetimeBucket.indices.count)
    /// Effective live samples whose age is in each bucket.
    private(set) var live = [Double](repeating: 0, count: LifetimeBucket.indices.count)
    private(set) var freedSamples = 0
    private(set) var liveSamples = 0
    private(set) var freedWeight = 0.0
    private(set) var liveWeight = 0.0

    init(freed: some Sequence<LifetimeBucket>, live: some Sequence<(age: Double, weight: Double)>) {
        var squares = (freed: 0.0, live: 0.0)
        for bucket in freed where LifetimeBucket.indices.contains(bucket.index) && bucket.count > 0 {
            self.freed[bucket.index] += bucket.weight
            freedSamples += Int(clamping: bucket.count)
            freedWeight += bucket.weight
            squares.freed += bucket.weight * bucket.weight / Double(bucket.count)
        }
        for sample in live {
            self.live[LifetimeBucket.index(ofSeconds: max(0, sample.age))] += sample.weight
            liveSamples += 1
            liveWeight += sample.weight
            squares.live += sample.weight * sample.weight
        }
        let weight = freedWeight + liveWeight
        guard weight > 0 else { return }
        // Within a bucket of freed samples the squares are not known, only their lower bound: live ones may say more.
        let typical = max((squares.freed + squares.live) / weight, liveWeight > 0 ? squares.live / liveWeight : 0)
        for index in LifetimeBucket.indices {
            self.freed[index] /= typical
            self.live[index] /= typical
        }
    }

    /// Effective samples that reached the beginning of a bucket.
    func atRisk(_ bucket: Int) -> Double {
        var sum = 0.0
        for index in stride(from: LifetimeBucket.indices.upperBound - 1, through: bucket, by: -1) {
            sum += freed[index] + live[index]
        }
        return sum
    }

    /// Effective samples seen at ages beyond a bucket.
    func beyond(_ bucket: Int) -> (freed: Double, live: Double) {
        (freed[(bucket + 1)...].reduce(0, +), live[(bucket + 1)...].reduce(0, +))
    }

    /// The share that outlives bucket `last`, of what reached bucket `first`.
    ///
    /// The actuarial form of Kaplan and Meier's estimate: who is censored within a bucket is at risk for half of it.
    func estimate(outliving last: Int, from first: Int = 0) -> Double {
        var estimate = 1.0
        var reached = atRisk(first)
        for bucket in first...max(first, last) {
            if freed[bucket] > 0 { estimate *= max(0, 1 - freed[bucket] / (reached - live[bucket] / 2)) }
            reached -= freed[bucket] + live[bucket]
        }
        guard atRisk(last + 1) <= 0 else { return estimate }
        // Nobody is left to say that anything outlives it: where most had the time, all that had it were freed.
        let untimed = live[first...max(first, last)].reduce(0, +)
        return freed[first...max(first, last)].reduce(0, +) > untimed ? 0 : estimate
    }

    /// The same with its interval.
    ///
    /// The interval is the beta product of Fay, Brittain and Proschan (Biostatistics 14, 2013), which holds its rate for
    /// few samples and without events, where Greenwood's does not. Its ends take the two extremes for those censored
    /// within a bucket, at its beginning and at its end, so that it holds whatever the lifetimes within a bucket are.
    func share(outliving last: Int, from first: Int = 0, confidence: Double) -> Estimate {
        let estimate = estimate(outliving: last, from: first)
        var (low, high) = (BetaProduct(), BetaProduct())
        var reached = atRisk(first)
        for bucket in first...max(first, last) {
            let (dead, censored) = (freed[bucket], live[bucket])
            if dead > 0 {
                low.multiply(max(0, reached - censored - dead) + 1, dead)
                high.multiply(max(0, reached - dead) + 1, dead)
            }
            reached -= dead + censored
        }
        let after = atRisk(last + 1)
        low.multiply(after, 1)
        let tail = (1 - confidence) / 2
        return Estimate(
            estimate: estimate, low: min(estimate, after > 0 ? low.quantile(tail) : 0),
            high: max(estimate, high.quantile(1 - tail)))
    }
}

/// The product of independent beta variables, as the beta variable with the same mean and variance.
struct BetaProduct {
    private var mean = 1.0
    private var square = 1.0

    mutating func multiply(_ alpha: Double, _ beta: Double) {
        let sum = alpha + beta
        guard sum > 0 else { return }
        mean *= alpha / sum
        square *= alpha * (alpha + 1) / (sum * (sum + 1))
    }

    func quantile(_ probability: Double) -> Double {
        let variance = square - mean * mean
        guard mean > 0, mean < 1, variance > 1e-18 else { return mean }
        let size = mean * (1 - mean) / variance - 1
        return Quantiles.beta(probability, mean * size, (1 - mean) * size)
    }
}
