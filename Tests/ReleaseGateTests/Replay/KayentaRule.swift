import Glibc

/// Kayenta's judge, written anew from its description, to be run on the same recordings: a Mann-Whitney test on raw readings
/// of one metric, which takes every reading for independent.
///
/// NetflixACAJudge-v1.0 of spinnaker/kayenta: NaNs are removed; equal data, or one single value, passes; else a 98 % interval of
/// the Hodges–Lehmann shift. High when its lower end exceeds a quarter of the shift's estimate, and the ratio of means reaches
/// `allowedIncrease` (1, the default, asks for nothing).
struct KayentaRule {
    enum Verdict: String, Equatable {
        case pass
        case high
        case low
        case noData = "no_data"
    }

    var allowedIncrease = 1.0
    var tolerance = 0.25
    /// The normal quantile of 98 %, two-sided.
    private static let quantile = 2.3263

    func judge(baseline: [Double], candidate: [Double]) -> Verdict {
        let old = baseline.filter { !$0.isNaN }.sorted()
        let new = candidate.filter { !$0.isNaN }.sorted()
        guard !old.isEmpty, !new.isEmpty else { return .noData }
        if old == new || Set(old + new).count == 1 { return .pass }
        let shift = Self.shift(old, new)
        let bar = tolerance * abs(shift.estimate)
        let ratio = Self.mean(new) / Self.mean(old)
        if shift.low > bar, ratio >= allowedIncrease { return .high }
        if shift.high < -bar, ratio <= 1 / allowedIncrease { return .low }
        return .pass
    }

    /// Memory that went up fails; memory that went down does not.
    func fails(baseline: [Double], candidate: [Double]) -> Bool {
        judge(baseline: baseline, candidate: candidate) == .high
    }

    /// The median of all differences, and those between which it lies: ranks by the normal law of the test, with ties (as
    /// R's wilcox.test has them). Both sorted. The differences are not written down: ranks are found by halving.
    static func shift(_ old: [Double], _ new: [Double]) -> (estimate: Double, low: Double, high: Double) {
        let (m, n) = (Double(new.count), Double(old.count))
        let all = m * n
        var ties = 0.0
        let merged = (old + new).sorted()
        var start = 0
        for index in merged.indices where index == merged.count - 1 || merged[index + 1] != merged[index] {
            let equal = Double(index - start + 1)
            ties += equal * equal * equal - equal
            start = index + 1
        }
        let spread = (all / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1)))).squareRoot()
        let margin = quantile * spread
        let low = ranked(old, new, max(0, (all / 2 - margin).rounded()))
        let high = ranked(old, new, min(all - 1, (all / 2 + margin).rounded() - 1))
        return (ranked(old, new, ((all - 1) / 2).rounded(.down)), low, high)
    }

    /// The difference with so many below it, to a millionth of the range.
    private static func ranked(_ old: [Double], _ new: [Double], _ rank: Double) -> Double {
        var low = new[0] - old[old.count - 1]
        var high = new[new.count - 1] - old[0]
        let fine = max((high - low) * 1e-6, 1e-12)
        while high - low > fine {
            let middle = (low + high) / 2
            if below(old, new, middle) > rank { high = middle } else { low = middle }
        }
        return (low + high) / 2
    }

    /// How many differences are at most so much: both are sorted, so one walk does.
    private static func below(_ old: [Double], _ new: [Double], _ most: Double) -> Double {
        var first = 0
        var sum = 0
        for value in new {
            while first < old.count, value - old[first] > most { first += 1 }
            sum += old.count - first
        }
        return Double(sum)
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}
