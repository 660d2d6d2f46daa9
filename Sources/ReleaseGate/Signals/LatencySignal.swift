import Glibc

/// How long requests took, in both arms.
package struct LatencyEvidence: Hashable, Sendable, Codable {
    package var quantile: Double
    /// nil: beyond the last bucket.
    package var candidateSeconds: Double?
    package var baselineSeconds: Double?
    package var ratio: RatioInterval?
    package var candidateRequests: Double
    package var baselineRequests: Double
    /// By how much more than by chance slow requests come together (variance), candidate and baseline; 1: not at all.
    package var clustering: [Double]
    /// Upper bound of the bucket the candidate's quantile lies in, over the lower one: no ratio is finer than its buckets.
    package var bucketRatio: Double?
    package var threshold: Double
    /// The ratio that would have failed.
    package var smallestRatio: Double?

    private enum CodingKeys: String, CodingKey {
        case quantile, ratio, clustering, threshold
        case candidateSeconds = "candidate_s"
        case baselineSeconds = "baseline_s"
        case candidateRequests = "candidate_requests"
        case baselineRequests = "baseline_requests"
        case bucketRatio = "bucket_ratio"
        case smallestRatio = "smallest_seen_ratio"
    }
}

/// Counts by bucket, cumulative over the bounds; the last is all.
struct LatencyStretch: Stretch {
    var candidate: [Double] = []
    var baseline: [Double] = []

    mutating func merge(_ later: LatencyStretch) {
        Self.add(later.candidate, to: &candidate)
        Self.add(later.baseline, to: &baseline)
    }

    static func add(_ counts: [Double], to sum: inout [Double]) {
        if sum.isEmpty { sum = counts } else { for index in counts.indices { sum[index] += counts[index] } }
    }
}

/// The ratio of a high quantile, from histograms.
///
/// A quantile's interval is that of its rank, which is binomial, read off the histogram; it is wider by what slow requests
/// come together more than chance has it (the design effect, Kish 1965, from block to block). Both are combined into one of
/// the ratio by the method of variance estimates recovery (Zou and Donner, 2008), on logarithms.
struct LatencySignal: Sendable {
    let settings: GateSettings.Latency
    /// Those that all histograms so far have in common.
    private(set) var bounds: [Double] = []
    private var hasBounds = false
    private var blocks = WorkBlocks<LatencyStretch>()

    init(_ settings: GateSettings.Latency) {
        self.settings = settings
    }

    mutating func add(_ counts: LatencyCounts, of arm: Arm) {
        if !hasBounds { bounds = counts.bounds }
        hasBounds = true
        if bounds != counts.bounds { keep(Set(counts.bounds)) }
        let kept = Set(bounds)
        let common =
            zip(counts.bounds, counts.counts).filter { kept.contains($0.0) }.map(\.1) + [counts.total]
        blocks.add { stretch in
            switch arm {
            case .candidate: LatencyStretch.add(common, to: &stretch.candidate)
            case .baseline: LatencyStretch.add(common, to: &stretch.baseline)
            }
        }
    }

    mutating func pair(at seconds: Double) { blocks.end(at: seconds) }

    /// Releases may have other buckets: those both have are compared.
    private mutating func keep(_ others: Set<Double>) {
        let indices = bounds.indices.filter { others.contains(bounds[$0]) }
        let last = bounds.count
        func cut(_ counts: inout [Double]) {
            if !counts.isEmpty { counts = (indices + [last]).map { counts[$0] } }
        }
        blocks.update { stretch in
            cut(&stretch.candidate)
            cut(&stretch.baseline)
        }
        bounds = indices.map { bounds[$0] }
    }

    func finding(silence: String?) -> SignalFinding<LatencyEvidence> {
        var all = LatencyStretch()
        for block in blocks.complete { all.merge(block) }
        let new = all.candidate.last ?? 0
        let old = all.baseline.last ?? 0
        guard new > 0 || old > 0 else { return SignalFinding(.needMoreData, "no latency histogram was told") }
        var evidence = LatencyEvidence(
            quantile: settings.quantile, candidateRequests: new, baselineRequests: old, clustering: [],
            threshold: settings.mostRatio)
        guard new >= settings.leastRequests, old >= settings.leastRequests,
            blocks.complete.count >= settings.leastBlocks
        else {
            return SignalFinding(
                .needMoreData,
                "\(Words.count(new)) and \(Words.count(old)) timed requests in "
                    + "\(Words.plural(blocks.complete.count, "block")) of \(Words.seconds(blocks.width)): "
                    + "\(Words.count(settings.leastRequests)) in each arm and \(settings.leastBlocks) are needed",
                evidence: evidence)
        }
        guard bounds.count >= 2 else {
            return SignalFinding(
                .needMoreData, "the releases have fewer than two latency buckets in common", evidence: evidence)
        }
        measure(all, &evidence)
        return judge(evidence, silence)
    }

    private func judge(_ evidence: LatencyEvidence, _ silence: String?) -> SignalFinding<LatencyEvidence> {
        let name = "p\(Words.fixed(100 * settings.quantile, 0))"
        guard let ratio = evidence.ratio else {
            return SignalFinding(
                .needMoreData, "\(name) lies beyond the last bucket of \(Words.ratio(bounds.last ?? 0)) s in both arms",
                evidence: evidence)
        }
        func milliseconds(_ seconds: Double?) -> String {
            seconds.map { "\(Words.fixed(1_000 * $0, $0 < 0.01 ? 2 : 1)) ms" } ?? "beyond the last bucket"
        }
        let words =
            "\(name) \(milliseconds(evidence.candidateSeconds)), \(milliseconds(evidence.baselineSeconds)) of the "
            + "current release: ratio \(Words.ratio(ratio)), at most \(Words.ratio(settings.mostRatio)) is allowed"
        if ratio.low > settings.mostRatio { return SignalFinding(.fail, words, evidence: evidence) }
        if let silence { return SignalFinding(.needMoreData, silence, evidence: evidence) }
        if let high = ratio.high, high <= settings.mostRatio { return SignalFinding(.pass, words, evidence: evidence) }
        let smallest = evidence.smallestRatio.map { "; \(Words.ratio($0)) would have failed" }
        return SignalFinding(.needMoreData, words + (smallest ?? ""), evidence: evidence)
    }

    // MARK: - Numbers

    private func measure(_ all: LatencyStretch, _ evidence: inout LatencyEvidence) {
        let (new, old) = (Histogram(bounds, all.candidate), Histogram(bounds, all.baseline))
        let (newSpread, oldSpread) = (clustering(all, \.candidate), clustering(all, \.baseline))
        evidence.clustering = [newSpread, oldSpread]
        evidence.candidateSeconds = new.quantile(settings.quantile)
        evidence.baselineSeconds = old.quantile(settings.quantile)
        evidence.bucketRatio = new.bucketRatio(settings.quantile)
        let newRange = new.range(settings.quantile, settings.sigmas * newSpread.squareRoot())
        let oldRange = old.range(settings.quantile, settings.sigmas * oldSpread.squareRoot())
        let end = bounds[bounds.count - 1]
        // Beyond the last bucket only one side is known: a lower bound for the candidate, none for the baseline.
        guard let baseline = evidence.baselineSeconds, baseline > 0, oldRange.low > 0 else { return }
        let candidate = evidence.candidateSeconds ?? end
        guard candidate > 0, newRange.low > 0 else { return }
        let middle = log(candidate / baseline)
        let down = log(candidate / newRange.low)
        var ratio = RatioInterval(
            estimate: evidence.candidateSeconds.map { $0 / baseline }, low: 0, high: nil)
        if let high = oldRange.high {
            let width = hypot(down, log(high / baseline))
            ratio.low = exp(middle - width)
            evidence.smallestRatio = settings.mostRatio * exp(width)
        }
        if evidence.candidateSeconds != nil, let high = newRange.high {
            ratio.high = exp(middle + hypot(log(high / candidate), log(baseline / oldRange.low)))
        }
        evidence.ratio = ratio
    }

    /// Variance of the slow requests from block to block over that of independent ones, at the bound nearest the quantile.
    private func clustering(_ all: LatencyStretch, _ arm: KeyPath<LatencyStretch, [Double]>) -> Double {
        let counts = all[keyPath: arm]
        let total = counts[counts.count - 1]
        let slow = bounds.indices.map { (total - counts[$0]) / total }
        let wanted = 1 - settings.quantile
        guard
            let bound = slow.indices.filter({ slow[$0] > 0 && slow[$0] < 0.5 })
                .min(by: { abs(log(slow[$0] / wanted)) < abs(log(slow[$1] / wanted)) })
        else { return 1 }
        let share = slow[bound]
        var sum = 0.0
        var number = 0.0
        for block in blocks.complete {
            let counts = block[keyPath: arm]
            guard let requests = counts.last, requests > 0 else { continue }
            let excess = requests - counts[bound] - requests * share
            sum += excess * excess / (requests * share * (1 - share))
            number += 1
        }
        return number > 1 ? max(1, sum / (number - 1)) : 1
    }
}

/// Quantiles as Prometheus reads them: evenly spread within a bucket, the first of which begins at 0.
struct Histogram {
    private let bounds: [Double]
    /// Cumulative; the last is all.
    private let counts: [Double]
    private let total: Double

    init(_ bounds: [Double], _ counts: [Double]) {
        self.bounds = bounds
        self.counts = counts
        total = counts.last ?? 0
    }

    /// Nil beyond the last bound.
    func quantile(_ level: Double) -> Double? {
        guard level >= 0, level < 1, total > 0, let bucket = bucket(level) else { return nil }
        let below = bucket > 0 ? counts[bucket - 1] : 0
        let inside = counts[bucket] - below
        let share = inside > 0 ? (level * total - below) / inside : 1
        return lower(bucket) + (bounds[bucket] - lower(bucket)) * min(1, max(0, share))
    }

    /// The quantile's interval; a lower end beyond the last bound is that bound.
    func range(_ level: Double, _ sigmas: Double) -> (low: Double, high: Double?) {
        let error = sigmas * (level * (1 - level) / total).squareRoot()
        return (quantile(max(0, level - error)) ?? bounds[bounds.count - 1], quantile(level + error))
    }

    func bucketRatio(_ level: Double) -> Double? {
        guard let bucket = bucket(level), bucket > 0 else { return nil }
        return bounds[bucket] / bounds[bucket - 1]
    }

    private func bucket(_ level: Double) -> Int? {
        bounds.indices.first { counts[$0] >= level * total && counts[$0] > 0 }
    }

    private func lower(_ bucket: Int) -> Double { bucket > 0 ? bounds[bucket - 1] : 0 }
}
