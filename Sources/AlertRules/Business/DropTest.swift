import Glibc
package import OakumModel

/// Whether a count has fallen below what is expected, since when, and by how much: a sequential test, so that a big drop is
/// seen within moments and a small one as soon as it can be told from chance.
///
/// Page's CUSUM (Biometrika 41, 1954) on the likelihood ratio of a Poisson rate at `depth` × the lower end of the expectation
/// against that lower end, divided by the dispersion of the counts: S = max(0, S + (e·(1 − depth) + x·ln depth)/φ). The last
/// restart at zero is the likeliest beginning. The end is found the same way, the other way round.
package struct DropTest: Sendable {
    /// What was counted and expected up to a moment.
    package struct Mark: Hashable, Sendable {
        package var at: Moment
        package var actual: Double
        package var expected: Double
    }

    private struct Sum: Sendable {
        let depth: Double
        var value = 0.0
        var mark: Mark?

        mutating func add(_ actual: Double, _ low: Double, _ dispersion: Double, from: Mark, sign: Double) {
            if value <= 0 || mark == nil {
                value = 0
                mark = from
            }
            value += sign * (low * (1 - depth) + actual * log(depth)) / max(1, dispersion)
        }
    }

    /// A drop by a third and more, and a standstill.
    private static let depths = [0.65, 0.1]
    private static let endThreshold = 9.0
    static let gentleShare = 0.5

    private var actual = 0.0
    private var expected = 0.0
    private var drops = depths.map { Sum(depth: $0) }
    private var rise = Sum(depth: depths[0])
    /// Where the drop began; nil: there is none.
    package private(set) var begin: Mark?
    /// Where the last one ended.
    package private(set) var end: Mark?
    /// Where the one that ended began.
    package private(set) var ended: Mark?

    package init() {}

    /// Takes in an interval that is over.
    ///
    /// - Parameters:
    ///   - low: what should have come at least.
    ///   - threshold: how much evidence it takes; see `threshold(perDay:probability:)`.
    package mutating func add(
        actual count: Double, expected usual: Double, low: Double, dispersion: Double, threshold: Double, from: Moment,
        until: Moment
    ) {
        let before = Mark(at: from, actual: actual, expected: expected)
        actual += count
        expected += usual
        if let begin {
            rise.add(count, low, dispersion, from: before, sign: -1)
            guard rise.value > Self.endThreshold else { return }
            ended = begin
            end = rise.mark
            restart()
        } else {
            for index in drops.indices { drops[index].add(count, low, dispersion, from: before, sign: 1) }
            let found = drops.filter { $0.value > ($0.depth < 0.5 ? 1 : Self.gentleShare) * threshold }
            // The earlier beginning is of the gentler depth, and the truer one unless all stood still.
            guard let first = found.compactMap(\.mark).min(by: { $0.at.uptime < $1.at.uptime }) else { return }
            begin = first
            end = nil
            rise = Sum(depth: Self.depths[0])
        }
    }

    /// Nothing of what was counted can be compared with what comes. What goes on goes on.
    package mutating func restart() {
        drops = Self.depths.map { Sum(depth: $0) }
        rise = Sum(depth: Self.depths[0])
        if end != nil { begin = nil }
    }

    /// It goes on from before a restart of Oakum, with what was counted and expected until then.
    package mutating func assume(since: Moment, actual earlier: Double = 0, expected usual: Double = 0) {
        begin = Mark(at: since, actual: actual - earlier, expected: expected - usual)
        end = nil
    }

    /// What was counted and expected since the drop began, until it ended if it has.
    package var sums: (from: Moment, until: Moment?, actual: Double, expected: Double)? {
        if let begin {
            return (begin.at, nil, actual - begin.actual, expected - begin.expected)
        }
        guard let ended, let end else { return nil }
        return (ended.at, end.at, end.actual - ended.actual, end.expected - ended.expected)
    }

    /// Logarithm of the events a day over the chance of a false alarm a day.
    ///
    /// A likelihood ratio of e^h is exceeded by chance once in e^h restarts, and there are fewer restarts than events. Of the gentle
    /// test only a part of it is asked: at the expected rate rather than its lower end the chance falls twice as fast in h.
    /// Measured in docs/alert-rules.md.
    package static func threshold(perDay: Double, probability: Double) -> Double {
        max(8, log(max(10, perDay) / max(1e-12, min(0.1, probability))))
    }
}
