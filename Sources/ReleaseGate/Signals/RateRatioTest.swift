import Glibc

/// An interval of a ratio, candidate over baseline. What has no end is nil.
package struct RatioInterval: Hashable, Sendable, Codable {
    package var estimate: Double?
    package var low: Double
    package var high: Double?

    package init(estimate: Double?, low: Double, high: Double?) {
        self.estimate = estimate
        self.low = low
        self.high = high
    }
}

/// Does one arm fail more often than the other? A sequential test of two proportions: a mixture of probability ratios that may
/// be looked at as often as one likes.
///
/// When both arms fail equally often, a failure is the candidate's with a chance that is its share of the requests of that
/// stretch, whatever the common rate is and however it changes meanwhile. Against that, a candidate that fails ρ times as
/// often; the likelihood ratio, averaged over many ρ (Robbins, 1970), has an expectation of at most 1 under equality, so by
/// Ville's inequality it ever reaches 1/α with a chance of at most α (Johari, Koomen, Pekelis and Walsh, "Always valid
/// inference", Operations Research 2022). That holds when failures are many too: how they fall on the arms then varies less
/// than a coin's throws do (Hoeffding, 1963), which makes the test slower, not wrong. Failures must be independent of each
/// other: a client that hammers one worker alone with a bad request is counted every time.
package struct RateRatioTest: Hashable, Sendable {
    /// The ratios that are kept account of, 1/64 to 64 by fourth roots of two.
    private static let ratios = (-24...24).map { exp2(Double($0) / 4) }
    private static let one = 24
    /// The mixture begins at √2: nobody wants a release taken back for less, and it makes the test drift away from a rise of
    /// up to a fifth instead of finding it at last.
    private static let least = 26

    private var likelihoods = [Double](repeating: 0, count: ratios.count)
    package private(set) var candidate = Counts()
    package private(set) var baseline = Counts()
    /// The most that ever spoke against equality: the logarithm of the mixed likelihood ratio.
    package private(set) var strongest = 0.0

    package struct Counts: Hashable, Sendable, Codable {
        package var requests = 0.0
        package var failed = 0.0

        package init(requests: Double = 0, failed: Double = 0) {
            self.requests = requests
            self.failed = failed
        }

        /// nil without requests.
        package var share: Double? { requests > 0 ? failed / requests : nil }

        private enum CodingKeys: String, CodingKey {
            case requests, failed
        }
    }

    package init() {}

    /// Takes in what both arms did in the same stretch of time; both must have served, or there is nothing to compare.
    package mutating func add(candidate new: Counts, baseline old: Counts) {
        candidate.requests += new.requests
        candidate.failed += new.failed
        baseline.requests += old.requests
        baseline.failed += old.failed
        guard new.failed + old.failed > 0, new.requests > 0, old.requests > 0 else { return }
        let share = new.requests / (new.requests + old.requests)
        Self.add(new.failed, old.failed, share, to: &likelihoods)
        strongest = max(strongest, evidence)
    }

    private static func add(_ new: Double, _ old: Double, _ share: Double, to likelihoods: inout [Double]) {
        for index in ratios.indices where index != one {
            // ρ·s / (ρ·s + 1 − s), over s; and the same for the other arm.
            let whole = ratios[index] * share + 1 - share
            likelihoods[index] += new * log(ratios[index] / whole) - old * log(whole)
        }
    }

    /// Logarithm of the mean of likelihoods that are given as logarithms.
    private static func mixture(_ values: ArraySlice<Double>) -> Double {
        guard let most = values.max() else { return -.infinity }
        return most + log(values.reduce(0) { $0 + exp($1 - most) } / Double(values.count))
    }

    /// Speaks against equality by now: the logarithm of the mixed likelihood ratio.
    package var evidence: Double { Self.mixture(likelihoods[Self.least...]) - likelihoods[Self.one] }

    /// Holds at every look together with a chance of 1 − 2α: the ratios that were not refuted, each by the mixture of those
    /// above it or of those below it.
    package func interval(alpha: Double) -> RatioInterval {
        let refuted = Self.refuted(likelihoods, bar: -log(alpha))
        let last = Self.ratios.count - 1
        let mirrored = Self.refuted(likelihoods.reversed(), bar: -log(alpha)).map { last - $0 }
        var estimate: Double?
        if let new = candidate.share, let old = baseline.share, old > 0 { estimate = new / old }
        return RatioInterval(
            estimate: estimate, low: refuted.map { Self.ratios[$0] } ?? 0, high: mirrored.map { Self.ratios[$0] })
    }

    /// The last that the mixture of all after it refutes.
    private static func refuted(_ values: [Double], bar: Double) -> Int? {
        var most = values[values.count - 1]
        var sum = 1.0
        for index in values.indices.reversed().dropFirst() {
            let count = Double(values.count - 1 - index)
            if most + log(sum / count) - values[index] >= bar { return index }
            if values[index] > most {
                sum *= exp(most - values[index])
                most = values[index]
            }
            sum += exp(values[index] - most)
        }
        return nil
    }

    /// The share of failing requests, of the candidate's, that would have been told by now, beside the baseline's failures as
    /// they are; nil: none at all would have been.
    package func smallestShare(alpha: Double) -> Double? {
        guard candidate.requests >= 1, baseline.requests >= 1 else { return nil }
        let share = candidate.requests / (candidate.requests + baseline.requests)
        var each = [Double](repeating: 0, count: Self.ratios.count)
        Self.add(1, 0, share, to: &each)
        var rest = [Double](repeating: 0, count: Self.ratios.count)
        Self.add(0, baseline.failed, share, to: &rest)
        func isTold(_ failed: Double) -> Bool {
            let values = (Self.least..<each.count).map { failed * each[$0] + rest[$0] }
            return Self.mixture(values[...]) >= -log(alpha)
        }
        var (low, high) = (0.0, candidate.requests.rounded(.down))
        guard isTold(high) else { return nil }
        while high - low > 1 {
            let middle = ((low + high) / 2).rounded(.down)
            if isTold(middle) { high = middle } else { low = middle }
        }
        return high / candidate.requests
    }
}
