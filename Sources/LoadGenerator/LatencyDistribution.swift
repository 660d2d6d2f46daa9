import Histogram

/// All latencies of a run: an HdrHistogram, of which any percentile and any count can be asked, within 0.1 %.
package struct LatencyDistribution: Hashable, Sendable {
    private let histogram: Histogram<UInt64>

    init(histogram: Histogram<UInt64>) {
        self.histogram = histogram
    }

    package var count: UInt64 { histogram.totalCount }

    package func milliseconds(atPercentile percentile: Double) -> Double {
        Double(histogram.valueAtPercentile(percentile)) / 1000
    }

    package var maxMilliseconds: Double { Double(histogram.max) / 1000 }
    package var meanMilliseconds: Double { histogram.mean / 1000 }

    /// How many were slower than that.
    package func count(above milliseconds: Double) -> UInt64 {
        let microseconds = max(milliseconds * 1000, 0)
        let end = histogram.highestTrackableValue
        // What is beyond the histogram may be beyond an integer, too.
        guard microseconds < Double(end), histogram.totalCount > 0 else { return 0 }
        return histogram.count(within: (UInt64(microseconds) + 1)...end)
    }

    /// Percentile and milliseconds, closer together towards the end of the distribution: what a plot needs.
    package func curve() -> [(percentile: Double, milliseconds: Double)] {
        guard count > 0 else { return [] }
        var points: [(Double, Double)] = []
        var tail = 1.0
        while tail >= 1 / Double(count) / 2, points.count < 200 {
            let percentile = 100 * (1 - tail)
            points.append((percentile, milliseconds(atPercentile: percentile)))
            tail /= 1.25
        }
        points.append((100, maxMilliseconds))
        return points
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.curve().elementsEqual(right.curve(), by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(maxMilliseconds)
    }
}
