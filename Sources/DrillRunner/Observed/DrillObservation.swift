package import OakumModel
import LoadGenerator

/// What the observed arm has beside the others: Oakum watches and tells, nothing is recycled, and the impact happens.
package struct DrillObservation: Sendable {
    /// What every request leaves behind; nil: as in the other arms.
    package var faultBytes: Int64?
    /// After so long users give up, seconds; nil: as in the other arms.
    package var timeoutSeconds: Double?
    /// How long a worker that died takes to come up again, as a service does that has to load its data first; nil: as long as
    /// it needs.
    package var restartSeconds: Double?
    /// The repaired build takes the place of the other, seconds after the first request.
    package var fixedAtSeconds: Double
    package var business: CountedBusiness

    /// The fault of this arm.
    func fault(_ fault: DrillFault?) -> DrillFault? {
        guard let bytes = faultBytes, var result = fault else { return fault }
        result.bytes = bytes
        return result
    }

    /// The users of this arm.
    func load(_ load: DrillLoad) -> DrillLoad {
        var load = load
        load.timeoutSeconds = timeoutSeconds ?? load.timeoutSeconds
        return load
    }
}

/// Something the business counts, and the requests of the load that make it.
package struct CountedBusiness: Sendable {
    /// "sign-ups".
    package var name: String
    /// The workers' counter, with the labels that count.
    package var metric: String
    package var labels: [(key: String, value: String)]
    /// Which stream of the load it is.
    package var stream: Int
    /// How many earlier days are known.
    package var days: Int
    /// How far the percentage that is told may be from the one that was counted, percentage points.
    package var tolerancePoints: Double

    /// What the load brings of it, a second.
    func perSecond(_ load: DrillLoad) -> Double { load.perSecond[stream] }
}

/// What was counted of something in five minutes of an earlier day.
package struct CountedSpan: Hashable, Sendable {
    /// At a multiple of five minutes, UTC.
    package var start: WallTime
    package var count: Double
    package var seconds: Double
}

/// What was counted on earlier days, as a load of the same rate would have brought it. Pure.
enum BusinessPast {
    private static let spanMilliseconds: Int64 = 300_000
    private static let reachMilliseconds: Int64 = 2 * 3_600_000

    /// The hours around this time of day on so many earlier days: counts of random arrivals (Poisson, by its normal
    /// approximation: there are hundreds in five minutes).
    static func spans(perSecond: Double, days: Int, before now: WallTime, seed: UInt64) -> [CountedSpan] {
        var random = SeededRandom(seed: seed)
        let first = now.milliseconds - reachMilliseconds
        let begin = first - first % spanMilliseconds
        let seconds = Double(spanMilliseconds) / 1_000
        var spans: [CountedSpan] = []
        for day in stride(from: days, to: 0, by: -1) {
            for offset in stride(from: 0, to: 2 * reachMilliseconds, by: Int(spanMilliseconds)) {
                let start = begin - Int64(day) * 86_400_000 + Int64(offset)
                let mean = perSecond * seconds
                let count = max(0, (mean + mean.squareRoot() * normal(&random)).rounded())
                spans.append(CountedSpan(start: WallTime(milliseconds: start), count: count, seconds: seconds))
            }
        }
        return spans
    }

    /// The sum of twelve uniform numbers: close enough to a normal deviate here, and without a logarithm of zero.
    private static func normal(_ random: inout SeededRandom) -> Double {
        (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
    }
}
