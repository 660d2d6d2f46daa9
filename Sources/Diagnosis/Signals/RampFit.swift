import Glibc

/// The level before, an onset, and a straight rise to the level after: y = level + rise · clamp((t − onset) / width, 0, 1).
///
/// Width 0 is a step, a width that reaches the end is growth that goes on; between them lie growths that end. Least
/// squares over every onset and seven widths, each in O(1) from running sums, so a fit costs O(n).
struct RampFit {
    var onset: Double
    /// 95 % interval of the onset, from the profile of the residual sum of squares.
    var low: Double
    var high: Double
    /// The interval reaches the first reading: it may have begun before.
    var isOpen: Bool
    var width: Double
    var level: Double
    /// Over the whole width; what is reached at the end may be less.
    var rise: Double
    /// Rise reached at the last reading.
    var reached: Double
    /// F statistic against "no change", deflated by the autocorrelation of the residuals.
    var strength: Double
    /// The rise in units of what the series moves by anyway in as many readings: what tells a jump from a walk.
    var jump: Double
    /// Standard deviation of the residuals.
    var noise: Double
    var end: Double
    /// Seconds from the first reading to the last.
    var span: Double
    /// Seconds between readings: no onset is known better.
    var grain: Double

    /// Still rising at the last reading.
    var goesOn: Bool { width >= 0.85 * (end - onset) }
    var isStep: Bool { width <= 0.05 * (end - onset) }

    func value(at time: Double) -> Double {
        guard time >= onset else { return level }
        guard width > 0 else { return level + rise }
        return level + rise * min(1, (time - onset) / width)
    }

    /// How much worse than the best an onset may fit and still be in the 95 % interval: more than the 3.84 of the
    /// chi-squared law, because the width is fitted along and onsets between readings are not tried.
    private static let tolerance = 8.0

    /// The best fit; nil with too few readings or when all are equal.
    ///
    /// Readings far off the first fit (more than four times the noise, by the median of absolute residuals) are drawn near
    /// to it and the fit is done once more: a short burst must not pass for noise that hides a lasting change.
    static func best(_ series: Reduced, resolution: Double) -> RampFit? {
        guard let first = plain(series, resolution: resolution) else { return nil }
        let rests = zip(series.times, series.values).map { $1 - first.value(at: $0) }
        let noise = max(1.48 * rests.map(abs).sorted()[rests.count / 2], resolution)
        guard rests.contains(where: { abs($0) > 4 * noise }) else { return first }
        var tamed = series
        for (index, rest) in rests.enumerated() where abs(rest) > 4 * noise {
            tamed.values[index] += (rest > 0 ? 3 * noise : -3 * noise) - rest
        }
        return plain(tamed, resolution: resolution)
    }

    private static func plain(_ series: Reduced, resolution: Double) -> RampFit? {
        guard series.count >= Reduced.minimum, let search = RampSearch(series) else { return nil }
        let outcome = search.run()
        guard var best = outcome.best else { return nil }
        let freedom = Double(max(1, series.count - 4))
        var fit = RampFit(
            onset: best.onset, low: best.onset, high: best.onset, isOpen: false, width: best.width,
            level: best.level, rise: best.rise, reached: 0, strength: 0, jump: 0, noise: 0, end: search.end,
            span: search.end - search.origin, grain: series.spacing)
        let inflation = fit.inflation(series)
        let variance = max(best.rest / freedom, resolution * resolution)
        // A step is the simpler story where it fits about as well.
        if let step = outcome.step, step.rest <= best.rest + tolerance / 2 * variance * inflation {
            best = step
            (fit.onset, fit.width, fit.level, fit.rise) = (step.onset, 0, step.level, step.rise)
        }
        fit.reached = fit.value(at: search.end) - fit.level
        fit.noise = variance.squareRoot()
        fit.strength = max(0, search.total - best.rest) / variance / inflation
        fit.jump = abs(fit.rise) / max(Self.usualMove(series), resolution) / fit.readings(series).squareRoot()
        fit.bracket(outcome.profile, best.rest + tolerance * variance * inflation, series)
        return fit
    }

    /// The onsets that fit nearly as well, and a reading more on either side: between two readings nobody looked.
    private mutating func bracket(_ profile: [Double], _ bound: Double, _ series: Reduced) {
        let fitting = profile.indices.filter { profile[$0] <= bound }
        guard let first = fitting.first, let last = fitting.last else { return }
        // No real change has exactly the shape that is fitted.
        let doubt = 0.015 * span
        low = max(series.times[0], min(onset - doubt, series.times[max(0, first - 1)]))
        high = min(end, max(onset + doubt, series.times[min(last + 1, series.count - 1)]))
        isOpen = first <= 1
    }

    /// Readings that the rise takes: two at least, as a jump may fall between buckets.
    private func readings(_ series: Reduced) -> Double {
        Double(max(2, series.times.count { $0 >= onset && $0 <= onset + width }))
    }

    /// The typical move from one reading to the next; the median, raised where most moves are nothing.
    private static func usualMove(_ series: Reduced) -> Double {
        let moves = zip(series.values.dropFirst(), series.values).map { abs($0 - $1) }.sorted()
        let rest = moves.dropLast(max(2, moves.count / 20))
        return max(1.48 * moves[moves.count / 2], rest.reduce(0, +) / Double(max(1, rest.count)))
    }

    /// How much longer a record of this autocorrelation must be than white noise: (1 + r) / (1 − r), with the
    /// small-sample bias of r taken off (Kendall 1954, (1 + 4 r) / n for a fitted trend).
    private func inflation(_ series: Reduced) -> Double {
        let rests = zip(series.times, series.values).map { $1 - value(at: $0) }
        let square = rests.map { $0 * $0 }.reduce(0, +)
        guard square > 0 else { return 1 }
        let product = zip(rests, rests.dropFirst()).map { $0 * $1 }.reduce(0, +)
        let raw = product / square
        let unbiased = min(0.95, max(0, raw + (1 + 4 * raw) / Double(series.count)))
        return (1 + unbiased) / (1 - unbiased)
    }
}

/// The search itself, on running sums. Times and values are shifted to begin at their first and mean: no cancellation.
private struct RampSearch {
    struct Candidate {
        var onset: Double
        var width: Double
        var level: Double
        var rise: Double
        /// Residual sum of squares.
        var rest: Double
    }

    let end: Double
    /// Sum of squares about the mean.
    let total: Double
    let origin: Double
    private let mean: Double
    private let times: [Double]
    private var sums: [(time: Double, square: Double, value: Double, product: Double)]

    init?(_ series: Reduced) {
        guard let first = series.times.first, let last = series.times.last, last > first else { return nil }
        let average = series.values.reduce(0, +) / Double(series.count)
        origin = first
        end = last
        mean = average
        times = series.times.map { $0 - first }
        var running = (time: 0.0, square: 0.0, value: 0.0, product: 0.0)
        sums = [running]
        sums.reserveCapacity(series.count + 1)
        var square = 0.0
        for (time, value) in zip(times, series.values) {
            let shifted = value - average
            square += shifted * shifted
            running.time += time
            running.square += time * time
            running.value += shifted
            running.product += time * shifted
            sums.append(running)
        }
        total = square
        guard square > 0 else { return nil }
    }

    /// The best candidate of all, the best step, and the least residual for each onset.
    func run() -> (best: Candidate?, step: Candidate?, profile: [Double]) {
        var best: Candidate?
        var step: Candidate?
        var profile = [Double](repeating: .infinity, count: times.count)
        let span = end - origin
        // Three readings at least after the onset, or an odd one at the end is a change.
        for index in 0..<(times.count - 3) {
            let rest = span - times[index]
            var widths = [0, rest]
            for power in [1, 2, 3, 4, 6] where span / Double(1 << power) < rest {
                widths.append(span / Double(1 << power))
            }
            for width in widths {
                guard let found = candidate(index, width) else { continue }
                profile[index] = min(profile[index], found.rest)
                if found.rest < best?.rest ?? .infinity { best = found }
                if width == 0, found.rest < step?.rest ?? .infinity { step = found }
            }
        }
        return (best, step, profile)
    }

    private func candidate(_ index: Int, _ width: Double) -> Candidate? {
        // A step needs three readings on each side: two that are off by chance are none.
        guard width > 0 || (index >= 3 && times.count - index >= 3) else { return nil }
        let count = Double(times.count)
        let onset = times[index]
        let plateau = width > 0 ? firstIndex(from: onset + width) : index
        // Likewise a rise that ends needs something before its end.
        guard width == 0 || plateau >= 4 || onset + width >= end - origin else { return nil }
        let (low, high, all) = (sums[index], sums[plateau], sums[times.count])
        var (x, xx, xy) = (0.0, 0.0, 0.0)
        if width > 0 {
            let within = Double(plateau - index)
            let time = high.time - low.time
            x = (time - onset * within) / width
            xx = (high.square - low.square - 2 * onset * time + onset * onset * within) / (width * width)
            xy = (high.product - low.product - onset * (high.value - low.value)) / width
        }
        x += count - Double(plateau)
        xx += count - Double(plateau)
        xy += all.value - high.value
        let spread = xx - x * x / count
        guard spread > 1e-9 else { return nil }
        let rise = xy / spread
        return Candidate(
            onset: origin + onset, width: width, level: mean - rise * x / count, rise: rise,
            rest: max(0, total - rise * xy))
    }

    private func firstIndex(from time: Double) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
