package import OakumModel

/// How long a site's memory lives: the share of its bytes that outlives each age (Kaplan and Meier, 1958), from the
/// lifetimes of freed samples and the ages of live ones.
///
/// A leak shows as a level that the curve falls to and keeps; turnover falls to nothing.
package struct Survival: Hashable, Sendable {
    /// The share that outlives `horizonSeconds`. What lives longer than anything that could be observed yet is counted
    /// as not freed: that is all anyone can know.
    package var neverFreed: Estimate
    /// The latest age at which enough samples were seen, either freed just before or alive after.
    package var horizonSeconds: Double
    /// Of what reached the age `tailSeconds`, the share that outlives the horizon: 1 where the curve keeps its level.
    package var tail: Estimate
    package var tailSeconds: Double
    /// Of the few that were seen to reach the horizon, the share that was freed since: a level may be about to end.
    package var freedBeyond: Double
    /// The curve up to the horizon, one point for each age at which it falls, by rising age.
    package var curve: [SurvivalPoint]
    package var freedSamples: Int
    package var liveSamples: Int
    /// What the freed samples stand for in bytes.
    package var freedBytes: Double
    /// Half of the bytes are freed by this age; nil when fewer are.
    package var medianSeconds: Double?

    /// - Parameters:
    ///   - live: ages in seconds and weights in bytes.
    ///   - confidence: the rate at which each interval covers the truth.
    /// - Returns: nil when there are too few samples to see anything at any age.
    init?(freed: some Sequence<LifetimeBucket>, live: some Sequence<(age: Double, weight: Double)>, confidence: Double)
    {
        let table = LifeTable(freed: freed, live: live)
        guard let last = Self.horizon(of: table) else { return nil }
        neverFreed = table.share(outliving: last, confidence: confidence)
        horizonSeconds = LifetimeBucket.end(of: last)
        // Two octaves: a quarter of the horizon.
        let first = max(0, last - 3)
        tail = table.share(outliving: last, from: first, confidence: confidence)
        tailSeconds = LifetimeBucket.start(of: first)
        let (freed, live) = table.beyond(last)
        freedBeyond = freed >= 2.999 ? freed / (freed + live) : 0
        curve = []
        var level = 1.0
        for bucket in 0...last {
            let next = table.estimate(outliving: bucket)
            guard next < level || bucket == last else { continue }
            level = next
            let share = bucket == last ? neverFreed : table.share(outliving: bucket, confidence: confidence)
            curve.append(SurvivalPoint(seconds: LifetimeBucket.end(of: bucket), share: share))
        }
        medianSeconds = curve.first { $0.share.estimate <= 0.5 }?.seconds
        freedSamples = table.freedSamples
        liveSamples = table.liveSamples
        freedBytes = table.freedWeight
    }

    /// The last bucket whose outcome is known for enough samples: freed in it or alive after it. Enough is three, six
    /// where half of the live ones are as many, and a quarter of the live ones: at the age of the very oldest, a level
    /// would hang on one or two samples.
    private static func horizon(of table: LifeTable) -> Int? {
        let live = table.live.reduce(0, +)
        let enough = max(2.999, min(5.999, live / 2), live / 4)
        var after = 0.0
        for bucket in LifetimeBucket.indices.reversed() {
            defer { after += table.freed[bucket] + table.live[bucket] }
            guard bucket < LifetimeBucket.indices.upperBound - 1 else { continue }
            if table.freed[bucket] + after >= enough { return bucket }
        }
        return nil
    }
}

/// One point of a survival curve.
package struct SurvivalPoint: Hashable, Sendable {
    package var seconds: Double
    /// The share of bytes that outlives this age.
    package var share: Estimate

    package init(seconds: Double, share: Estimate) {
        self.seconds = seconds
        self.share = share
    }
}
