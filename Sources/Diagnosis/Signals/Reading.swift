import Glibc
import OakumModel

/// What one signal did in the window.
struct Reading {
    var kind: SignalKind
    var name: String?
    /// All levels in the unit of the signal.
    var typical: Double
    /// The worst it was, in the direction that hurts.
    var worst: Double
    var latest: Double
    /// Nil: nothing that matters.
    var change: Change?
    /// For comparing signals with each other; in the scale of the fit.
    var series: Reduced

    /// Nil when there are too few readings to say anything.
    init?(_ signal: Signal, in span: ClosedRange<Double>, restarts: [Double]) {
        let traits = SignalTraits.of(signal.kind)
        let series = Reduced(signal.points, in: span, traits: traits)
        guard series.count >= Reduced.minimum else { return nil }
        kind = signal.kind
        name = signal.name
        self.series = series
        func natural(_ value: Double) -> Double { traits.isLogarithmic ? exp(value) : value }
        let sorted = series.values.sorted()
        typical = natural(sorted[sorted.count / 2])
        worst = natural(traits.worseIsUp ? sorted[sorted.count - 1] : sorted[0])
        latest = natural(series.values.suffix(3).sorted()[1])
        change = Self.change(signal, series, in: span, restarts: traits.belongsToWorker ? restarts : [])
    }

    /// The most telling change, looked for in the whole window and in each life of the process: a saw-tooth is growth
    /// within each life, a new release is a change from one life to the next.
    private static func change(
        _ signal: Signal, _ series: Reduced, in span: ClosedRange<Double>, restarts: [Double]
    ) -> Change? {
        let traits = SignalTraits.of(signal.kind)
        let whole = Change(series, traits)
        for life in lives(in: span, restarts) {
            // From the readings themselves: a bucket across a restart would carry one life into the other.
            guard let found = Change(Reduced(signal.points, in: life, traits: traits), traits) else { continue }
            // The earliest counts: later lives repeat it.
            return (whole?.strength ?? 0) > 2 * found.strength ? whole : found
        }
        return whole
    }

    /// At most so many restarts are looked at, the latest.
    static let maximumLives = 8

    /// The stretches between restarts within the window; none when there was no restart.
    static func lives(in span: ClosedRange<Double>, _ restarts: [Double]) -> [ClosedRange<Double>] {
        let inside = restarts.filter { $0 > span.lowerBound && $0 < span.upperBound }.sorted().suffix(maximumLives)
        guard !inside.isEmpty else { return [] }
        // A process that has just started is still setting itself up.
        let settle = max(2, 0.02 * (span.upperBound - span.lowerBound))
        let starts = [span.lowerBound] + inside.map { $0 + settle }
        let ends = inside.map(\.nextDown) + [span.upperBound]
        return zip(starts, ends).compactMap { $0 < $1 ? $0...$1 : nil }
    }
}

/// A change that is significant and large enough to matter.
struct Change {
    var fit: RampFit
    /// In the unit of the signal.
    var before: Double
    var after: Double

    /// F statistics below this are found in series of random walks too. Few readings leave room for luck: more is asked.
    static func leastStrength(count: Int) -> Double { 40 + 400 / Double(count) }

    /// A jump that no walk makes needs less: noise that hangs together says little against it. Its place is known well.
    static func isJump(_ fit: RampFit) -> Bool {
        fit.jump >= 7 && fit.strength >= 12 && fit.high - fit.low <= 0.25 * fit.span
    }

    init?(_ series: Reduced, _ traits: SignalTraits) {
        guard let fit = RampFit.best(series, resolution: traits.resolution),
            fit.strength >= Self.leastStrength(count: series.count)
                || Self.isJump(fit)
        else { return nil }
        self.fit = fit
        before = traits.isLogarithmic ? exp(fit.level) : fit.level
        after = traits.isLogarithmic ? exp(fit.level + fit.reached) : fit.level + fit.reached
        guard traits.matters(from: before, to: after) else { return nil }
    }

    var strength: Double { fit.strength }
    var isUp: Bool { after > before }
    var onset: Estimate { Estimate(estimate: fit.onset, low: fit.low, high: fit.high) }
    var factor: Double { before != 0 ? after / before : .infinity }

    /// Half of the 95 % interval, towards earlier and towards later: intervals are seldom even. Two readings and 3 % of
    /// the record are the least, as no real change has exactly the shape that is fitted.
    private var reach: (earlier: Double, later: Double) {
        let least = max(2 * fit.grain, 0.03 * fit.span, 1e-9)
        return (max(fit.onset - fit.low, least), max(fit.high - fit.onset, least))
    }

    /// Probability that this began before the other, from the two intervals.
    func precedes(_ other: Change) -> Double {
        let lag = other.lag(behind: self)
        let reach = lag.estimate >= 0 ? lag.estimate - lag.low : lag.high - lag.estimate
        return Normal.below(1.96 * lag.estimate / reach)
    }

    /// Seconds from the other's onset to this one's, with a 95 % interval.
    func lag(behind other: Change) -> Estimate {
        let lag = fit.onset - other.fit.onset
        let (own, others) = (reach, other.reach)
        let down = (own.earlier * own.earlier + others.later * others.later).squareRoot()
        let up = (own.later * own.later + others.earlier * others.earlier).squareRoot()
        return Estimate(estimate: lag, low: lag - down, high: lag + up)
    }
}

enum Normal {
    /// The standard normal distribution function.
    static func below(_ value: Double) -> Double { 0.5 * erfc(-value / 2.0.squareRoot()) }
}
