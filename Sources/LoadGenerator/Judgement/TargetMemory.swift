/// Resident memory of the service under load, over the run. Bounded: 7,200 samples; then pairs are merged, the higher
/// one stays, and each spans twice the time.
package struct TargetMemory: Hashable, Sendable, Codable {
    package struct Sample: Hashable, Sendable, Codable {
        /// After the start of the schedule.
        package var seconds: Double
        package var residentBytes: UInt64

        package init(seconds: Double, residentBytes: UInt64) {
            self.seconds = seconds
            self.residentBytes = residentBytes
        }

        private enum CodingKeys: String, CodingKey {
            case seconds = "s"
            case residentBytes = "rss_bytes"
        }
    }

    package static let capacity = 7_200
    /// Growth is not told from fewer samples.
    package static let samplesForGrowth = 20

    package private(set) var samples: [Sample] = []
    /// Why there are no samples any more: the process ended, or is another one.
    package var lost: String?
    /// How many readings a sample stands for, and how many the last one has. Were later samples to span less time than
    /// merged ones, the first fifth of them would be most of a long run.
    private var span = 1
    private var inLast = 0

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case samples, lost
    }

    package mutating func add(_ sample: Sample) {
        if inLast < span, let last = samples.indices.last {
            inLast += 1
            samples[last].residentBytes = max(samples[last].residentBytes, sample.residentBytes)
            return
        }
        samples.append(sample)
        inLast = 1
        guard samples.count >= Self.capacity else { return }
        samples = stride(from: 0, to: samples.count - 1, by: 2).map { number in
            var merged = samples[number]
            merged.residentBytes = max(merged.residentBytes, samples[number + 1].residentBytes)
            return merged
        }
        inLast += span
        span *= 2
    }

    package var peakBytes: UInt64? { samples.map(\.residentBytes).max() }
    package var firstBytes: UInt64? { samples.first?.residentBytes }
    package var lastBytes: UInt64? { samples.last?.residentBytes }

    /// How much higher the median of the last tenth is than that of the tenth after the first fifth, in bytes (below 0
    /// when it shrank): the first fifth is left to the warm-up. Nil for fewer than 20 samples.
    ///
    /// A growth is no leak: a cache that fills grows, too. `oakum stress` tells them apart.
    package var growthBytes: Double? {
        guard samples.count >= Self.samplesForGrowth else { return nil }
        let tenth = samples.count / 10
        let early = samples[(samples.count / 5)..<(samples.count / 5 + tenth)]
        return median(samples.suffix(tenth)) - median(early)
    }

    private func median(_ part: ArraySlice<Sample>) -> Double {
        let sorted = part.map(\.residentBytes).sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? Double(sorted[middle]) : (Double(sorted[middle - 1]) + Double(sorted[middle])) / 2
    }
}
