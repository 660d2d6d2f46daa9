import OakumModel

/// Slows down who tries wrong tokens. Pure: the time comes in.
///
/// A token cannot be guessed in any case; this bounds the work and the audit lines of somebody who tries. A right token is
/// let in at once, however many wrong ones came from the same place before: nobody can lock an on-call out.
struct FailureThrottle: Sendable {
    enum Answer: Hashable, Sendable {
        /// Say that it is wrong, and record it.
        case refuse
        /// Say when to come again, and record nothing. Seconds.
        case slowDown(Double)
    }

    private struct Bucket {
        var left: Double
        var at: Uptime
    }

    /// Failures a place may have at once.
    private let burst: Double
    /// Seconds until it may have another one.
    private let interval: Double
    /// Places remembered; beyond that the one that was quiet for longest is forgotten.
    private let capacity: Int
    private var buckets: [String: Bucket] = [:]

    init(burst: Int = 10, interval: Double = 6, capacity: Int = 4_096) {
        self.burst = Double(burst)
        self.interval = interval
        self.capacity = capacity
    }

    mutating func failed(from place: String, at now: Uptime) -> Answer {
        var bucket = buckets[place] ?? Bucket(left: burst, at: now)
        bucket.left = min(burst, bucket.left + max(0, now - bucket.at) / interval)
        bucket.at = now
        defer {
            if buckets[place] == nil, buckets.count >= capacity { forgetOne() }
            buckets[place] = bucket
        }
        guard bucket.left >= 1 else { return .slowDown((1 - bucket.left) * interval) }
        bucket.left -= 1
        return .refuse
    }

    private mutating func forgetOne() {
        if let quietest = buckets.min(by: { $0.value.at < $1.value.at })?.key { buckets[quietest] = nil }
    }
}
