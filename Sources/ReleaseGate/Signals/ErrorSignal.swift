import Glibc

/// How often requests failed, in both arms.
package struct ErrorEvidence: Hashable, Sendable, Codable {
    package var candidate: RateRatioTest.Counts
    package var baseline: RateRatioTest.Counts
    /// How many times as often the candidate fails; holds at all looks together.
    package var ratio: RatioInterval
    /// What speaks against equality at its strongest, and what it takes: logarithms of a likelihood ratio.
    package var strongest: Double
    package var threshold: Double
    /// The share of failing requests that would have been told; nil: none.
    package var smallestShare: Double?

    private enum CodingKeys: String, CodingKey {
        case candidate, baseline, ratio, threshold
        case strongest = "log_likelihood_ratio"
        case smallestShare = "smallest_seen_share"
    }
}

/// Judges what `RateRatioTest` has gathered.
struct ErrorSignal: Sendable {
    let settings: GateSettings.Errors
    private(set) var test = RateRatioTest()
    /// What is not paired yet: an arm that served nothing meanwhile cannot be compared with.
    private var candidate = RateRatioTest.Counts()
    private var baseline = RateRatioTest.Counts()

    init(_ settings: GateSettings.Errors) {
        self.settings = settings
    }

    mutating func add(_ counts: RateRatioTest.Counts, of arm: Arm) {
        switch arm {
        case .candidate:
            candidate.requests += counts.requests
            candidate.failed += counts.failed
        case .baseline:
            baseline.requests += counts.requests
            baseline.failed += counts.failed
        }
    }

    /// Ends a stretch of time.
    mutating func pair() {
        guard candidate.requests > 0, baseline.requests > 0 else { return }
        test.add(candidate: candidate, baseline: baseline)
        candidate = RateRatioTest.Counts()
        baseline = RateRatioTest.Counts()
    }

    func finding(silence: String?) -> SignalFinding<ErrorEvidence> {
        let threshold = -log(settings.alpha)
        var ratio = test.interval(alpha: settings.alpha)
        // What was once refuted stays so: the interval holds at all looks together.
        if test.strongest >= threshold { ratio.low = max(1, ratio.low) }
        let evidence = ErrorEvidence(
            candidate: test.candidate, baseline: test.baseline, ratio: ratio,
            strongest: test.strongest, threshold: threshold, smallestShare: test.smallestShare(alpha: settings.alpha))
        let least = settings.leastRequests
        let (new, old) = (test.candidate, test.baseline)
        guard new.requests >= least, old.requests >= least else {
            return SignalFinding(
                .needMoreData,
                "\(Words.count(new.requests)) and \(Words.count(old.requests)) requests with their failures known: "
                    + "\(Words.count(least)) in each arm are needed", evidence: evidence)
        }
        let counts =
            "\(Words.count(new.failed)) of \(Words.count(new.requests)) requests failed, "
            + "\(Words.count(old.failed)) of \(Words.count(old.requests)) of the current release"
        if test.strongest >= threshold {
            return SignalFinding(
                .fail, "\(counts): \(Words.ratio(evidence.ratio)) times as often", evidence: evidence)
        }
        if let silence { return SignalFinding(.needMoreData, silence, evidence: evidence) }
        if test.evidence >= -log(settings.doubtAlpha) {
            return SignalFinding(.needMoreData, "\(counts): too many to pass, too few to fail", evidence: evidence)
        }
        let smallest = evidence.smallestShare.map { "; \(Words.percent($0)) would have been told" }
        return SignalFinding(.pass, counts + (smallest ?? ""), evidence: evidence)
    }
}
