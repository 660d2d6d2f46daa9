/// How much history is kept. The oldest goes first, whether by age or by size.
package struct HistoryLimits: Hashable, Sendable {
    /// Full resolution for this long.
    package var fullSeconds: Double
    /// Ten-second buckets for this long.
    package var shortSeconds: Double
    /// Five-minute buckets for this long.
    package var longSeconds: Double
    /// All files together; a quarter each for full resolution and ten-second buckets, half for the rest.
    package var maximumBytes: Int64

    package init(fullSeconds: Double, shortSeconds: Double, longSeconds: Double, maximumBytes: Int64) {
        self.fullSeconds = fullSeconds
        self.shortSeconds = shortSeconds
        self.longSeconds = longSeconds
        self.maximumBytes = maximumBytes
    }

    /// A quarter of an hour, six hours, four weeks, 256 MiB: a hundred workers need about half of that.
    package static let standard = HistoryLimits(
        fullSeconds: 900, shortSeconds: 6 * 3600, longSeconds: 28 * 86_400, maximumBytes: 256 << 20)
}

/// The three resolutions.
enum Tier: String, CaseIterable, Sendable {
    case full
    case short
    case long

    /// Width of a bucket; nil where every sample is kept.
    var bucketMilliseconds: Int64? {
        switch self {
        case .full: nil
        case .short: 10_000
        case .long: 300_000
        }
    }

    func keepSeconds(_ limits: HistoryLimits) -> Double {
        switch self {
        case .full: limits.fullSeconds
        case .short: limits.shortSeconds
        case .long: limits.longSeconds
        }
    }

    func maximumBytes(_ limits: HistoryLimits) -> Int64 {
        limits.maximumBytes / (self == .long ? 2 : 4)
    }
}
