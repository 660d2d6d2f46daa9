import Glibc

/// How two signals move together.
struct CoMovement {
    /// Correlation of the levels, −1 to 1: high for any two that rise.
    var levels: Double
    /// What is left when each one's own onset and rise are taken off.
    private var left: [Double]
    private var right: [Double]

    /// Fewer common readings say nothing.
    static let minimum = 10

    /// Nil when the two have too few readings in common.
    init?(_ first: Reading, with second: Reading) {
        let pairs = Self.aligned(first.series, second.series)
        guard pairs.count >= Self.minimum else { return nil }
        levels = Self.correlation(pairs.map(\.first), pairs.map(\.second))
        left = Self.rests(pairs.map { ($0.time, $0.first) }, first.change?.fit)
        right = Self.rests(pairs.map { ($0.time, $0.second) }, second.change?.fit)
    }

    /// Correlation of what is left when each one's own onset and rise are taken off, at the best lag of a few readings;
    /// nil when it is within what chance gives. This is the part that two unrelated rises do not share.
    var fluctuations: Double? {
        var best = 0.0
        let reach = min(6, left.count / 8)
        for lag in -reach...reach {
            let found = Self.correlation(
                Array(left.dropFirst(max(0, lag)).dropLast(max(0, -lag))),
                Array(right.dropFirst(max(0, -lag)).dropLast(max(0, lag))))
            if abs(found) > abs(best) { best = found }
        }
        // Bartlett (1946): two autocorrelated records correlate by chance as much as shorter white ones.
        let memory = Self.autocorrelation(left) * Self.autocorrelation(right)
        let effective = Double(left.count) * (1 - memory) / (1 + memory)
        let bound = 3 / max(4, effective).squareRoot()
        return abs(best) > bound ? best : nil
    }

    /// Both on the buckets of the coarser one; buckets that either lacks are left out.
    private static func aligned(_ first: Reduced, _ second: Reduced) -> [(time: Double, first: Double, second: Double)]
    {
        guard let start = [first.times.first, second.times.first].compactMap({ $0 }).max(),
            let end = [first.times.last, second.times.last].compactMap({ $0 }).min(), end > start
        else { return [] }
        // Readings that crowd in one place must not make millions of buckets of the rest.
        let width = max(first.spacing, second.spacing, (end - start) / 1_024) * 1.001
        let left = means(first, from: start, width: width)
        let right = means(second, from: start, width: width)
        return left.keys.filter { right[$0] != nil }.sorted().compactMap { bucket in
            guard let one = left[bucket], let other = right[bucket] else { return nil }
            return (start + (Double(bucket) + 0.5) * width, one, other)
        }
    }

    private static func means(_ series: Reduced, from start: Double, width: Double) -> [Int: Double] {
        var sums: [Int: (sum: Double, count: Double)] = [:]
        for (time, value) in zip(series.times, series.values) where time >= start {
            let bucket = Int((time - start) / width)
            let held = sums[bucket] ?? (0, 0)
            sums[bucket] = (held.sum + value, held.count + 1)
        }
        return sums.mapValues { $0.sum / $0.count }
    }

    private static func rests(_ points: [(Double, Double)], _ fit: RampFit?) -> [Double] {
        guard let fit else { return points.map(\.1) }
        return points.map { $0.1 - fit.value(at: $0.0) }
    }

    static func correlation(_ left: [Double], _ right: [Double]) -> Double {
        guard left.count == right.count, left.count > 2 else { return 0 }
        let count = Double(left.count)
        let (meanLeft, meanRight) = (left.reduce(0, +) / count, right.reduce(0, +) / count)
        var (product, squareLeft, squareRight) = (0.0, 0.0, 0.0)
        for (one, other) in zip(left, right) {
            product += (one - meanLeft) * (other - meanRight)
            squareLeft += (one - meanLeft) * (one - meanLeft)
            squareRight += (other - meanRight) * (other - meanRight)
        }
        // A constant moves with nothing.
        guard squareLeft > 1e-12 * (1 + meanLeft * meanLeft), squareRight > 1e-12 * (1 + meanRight * meanRight) else {
            return 0
        }
        return product / (squareLeft * squareRight).squareRoot()
    }

    private static func autocorrelation(_ values: [Double]) -> Double {
        min(0.95, max(0, correlation(Array(values.dropLast()), Array(values.dropFirst()))))
    }
}
