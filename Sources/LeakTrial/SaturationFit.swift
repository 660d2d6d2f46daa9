import Glibc

/// A line plus something that fills up: y = a + b·x + c·s(x / τ), c ≥ 0, over several shapes s and scales τ.
///
/// Whatever the data cannot tell from the best fit stays, and the interval of b is the union over all that stays, so a
/// filling cache is no leak just because an exponential does not suit it. The error of b is the largest of three: plain
/// noise, noise with memory (first-order autoregression), and a level that walks at random.
package struct SaturationFit: Hashable, Sendable {
    /// Bytes for each operation that the line keeps.
    package var growth: GrowthInterval
    /// What the filling part comes to at the end of the series by the best fit, bytes; 0 for a plain line.
    package var filled: Double
    /// Where the filling part ends by the best fit, bytes; infinite for a logarithm.
    package var ceiling: Double
    /// Standard deviation about the best fit, bytes.
    package var noise: Double

    /// Nil for fewer than six readings.
    package init?(_ series: CycleSeries, resolution: Double) {
        guard series.count >= 6, series.span > 0, let origin = series.operations.first else { return nil }
        let places = series.operations.map { ($0 - origin) / series.span }
        let line = Candidate(places, series.bytes, shape: nil, scale: 1)
        var candidates = [line].compactMap(\.self)
        for shape in SaturationShape.allCases {
            for scale in shape.scales {
                if let candidate = Candidate(places, series.bytes, shape: shape, scale: scale) {
                    candidates.append(candidate)
                }
            }
        }
        let floor = resolution * resolution * Double(series.count)
        guard let best = candidates.min(by: { max($0.squares, floor) < max($1.squares, floor) }) else { return nil }
        let error = SlopeError(best, places: places, resolution: resolution)
        let bestSquares = max(best.squares, floor)
        // 99.9 % of the profile likelihood (chi-squared with one degree of freedom), with as many independent
        // readings as the noise's memory leaves.
        let margin = exp(10.83 / max(3, Double(series.count) * error.independence))
        var low = Double.infinity
        var high = -Double.infinity
        for candidate in candidates where max(candidate.squares, floor) <= bestSquares * margin {
            let spread = error.quantile * error.standardError(of: candidate)
            low = min(low, candidate.slope - spread)
            high = max(high, candidate.slope + spread)
        }
        growth = GrowthInterval(
            estimate: best.slope / series.span, low: low / series.span, high: high / series.span)
        filled = best.filling * (best.shape?.value(at: 1, scale: best.scale) ?? 0)
        ceiling =
            switch best.shape {
            case nil: 0
            case .exponential: best.filling
            case .knee: best.filling * best.scale
            case .logarithmic: .infinity
            }
        noise = (best.squares / Double(max(1, series.count - best.parameters))).squareRoot()
    }
}

/// One shape and scale, fitted by least squares. The slope is in bytes over the whole series.
struct Candidate {
    let shape: SaturationShape?
    let scale: Double
    let slope: Double
    let filling: Double
    let squares: Double
    let residuals: [Double]
    /// The variance of the slope is this times that of the noise.
    let variance: Double
    var parameters: Int { shape == nil ? 2 : 3 }

    /// Nil when the shape is a line in these readings, or would have to empty instead of fill.
    init?(_ places: [Double], _ values: [Double], shape: SaturationShape?, scale: Double) {
        let count = Double(values.count)
        let fill = places.map { shape?.value(at: $0, scale: scale) ?? 0 }
        let meanPlace = places.reduce(0, +) / count
        let meanFill = fill.reduce(0, +) / count
        let meanValue = values.reduce(0, +) / count
        var pp = 0.0, ff = 0.0, pf = 0.0, pv = 0.0, fv = 0.0
        for index in values.indices {
            let place = places[index] - meanPlace
            let filled = fill[index] - meanFill
            let value = values[index] - meanValue
            pp += place * place
            ff += filled * filled
            pf += place * filled
            pv += place * value
            fv += filled * value
        }
        if shape == nil {
            guard pp > 0 else { return nil }
            slope = pv / pp
            filling = 0
            variance = 1 / pp
        } else {
            let determinant = pp * ff - pf * pf
            guard determinant > 1e-4 * pp * ff else { return nil }
            filling = (fv * pp - pv * pf) / determinant
            guard filling > 0 else { return nil }
            slope = (pv * ff - fv * pf) / determinant
            variance = ff / determinant
        }
        self.shape = shape
        self.scale = scale
        let (slope, filling) = (slope, filling)
        residuals = values.indices.map { index in
            values[index] - meanValue - slope * (places[index] - meanPlace) - filling * (fill[index] - meanFill)
        }
        squares = residuals.reduce(0) { $0 + $1 * $1 }
    }
}

/// How far a slope may be off, judged by what the best fit leaves over.
struct SlopeError {
    /// Variance of one reading, bytes².
    private let plain: Double
    /// By how much memory in the noise widens the error (variance).
    private let inflation: Double
    /// Standard error of the slope when the level walks at random.
    private let walk: Double
    let quantile: Double
    /// Share of the readings that count as independent.
    var independence: Double { 1 / inflation }

    init(_ best: Candidate, places: [Double], resolution: Double) {
        let count = best.residuals.count
        let freedom = Double(max(1, count - 3))
        plain = max(best.squares / freedom, resolution * resolution)
        var products = 0.0
        for (before, after) in zip(best.residuals, best.residuals.dropFirst()) { products += before * after }
        let raw = best.squares > 0 ? products / best.squares : 0
        // Fitting removes part of the memory: three parameters of n readings, and the estimate's own bias (Kendall 1954).
        let memory = min(0.9, max(0, raw + (1 + 3 * max(0, raw)) / Double(count)))
        inflation = (1 + memory) / (1 - memory)
        let lag = max(1, count / 4)
        var steps = 0.0
        for (before, after) in zip(best.residuals, best.residuals.dropFirst(lag)) {
            steps += (after - before) * (after - before)
        }
        let step = (steps / Double(max(1, count - lag)) / Double(lag)).squareRoot()
        // White noise steps too: what it alone would give at this lag is no walk.
        let white = (2 * best.squares / freedom / Double(lag)).squareRoot()
        let excess = max(0, step * step - white * white * (1 - memory)).squareRoot()
        walk = excess * (1.2 / Double(count)).squareRoot() * Double(count - 1)
        quantile = studentQuantile(freedom: freedom)
    }

    func standardError(of candidate: Candidate) -> Double {
        (plain * inflation * candidate.variance + walk * walk).squareRoot()
    }
}

/// The 99.95 % quantile of Student's distribution (Abramowitz and Stegun 26.7.5; good to 2 % from five degrees on).
func studentQuantile(freedom: Double) -> Double {
    let z = 3.2905
    let first = (z * z * z + z) / 4
    let second = (5 * z * z * z * z * z + 16 * z * z * z + 3 * z) / 96
    let third = (3 * z * z * z * z * z * z * z + 19 * z * z * z * z * z + 17 * z * z * z - 15 * z) / 384
    return z + first / freedom + second / (freedom * freedom) + third / (freedom * freedom * freedom)
}
