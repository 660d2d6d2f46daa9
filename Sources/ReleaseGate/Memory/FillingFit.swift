import Glibc
import LeakTrial

/// Something that fills up and stops, y = a + c·s(x / τ), over the shapes and scales of `LeakTrial`: a cache that the new
/// release has, or made larger. Beside it a straight line, which never stops.
package struct FillingFit: Hashable, Sendable {
    /// By how much the line is likelier than the best of what fills up: the logarithm of the likelihood ratio, with as many
    /// independent points as the noise's memory leaves. Negative: it is what fills up.
    package let lineIsLikelier: Double
    /// What the best of it comes to in the end; infinite for a logarithm.
    package let ceiling: Double

    private let independent: Double
    private let noise: Double
    private let span: Double
    /// Mean square of what is left over when a line that rises by 1 is taken for something that fills up.
    private let unlikeness: Double

    /// - Parameter mostScale: what fills up must have got so far that a scale τ is at most so much of the series; slower is a line,
    ///   as far as anybody can tell. Nil for fewer than six points.
    package init?(_ places: [Double], _ values: [Double], resolution: Double, mostScale: Double) {
        let count = Double(places.count)
        guard places.count >= 6, places.count == values.count, let first = places.first, let last = places.last,
            last > first
        else { return nil }
        let shares = places.map { ($0 - first) / (last - first) }
        let line = Regression(shares, values)
        let floor = resolution * resolution / 12 * count
        var least = Double.infinity
        var closest = Double.infinity
        var ceiling = 0.0
        for shape in SaturationShape.allCases {
            for scale in shape.scales where scale <= mostScale {
                let terms = shares.map { shape.value(at: $0, scale: scale) }
                closest = min(closest, Regression(terms, shares).squares)
                let fit = Regression(terms, values)
                guard fit.slope > 0, fit.squares < least else { continue }
                least = fit.squares
                ceiling =
                    switch shape {
                    case .exponential: fit.slope
                    case .knee: fit.slope * scale
                    case .logarithmic: .infinity
                    }
            }
        }
        let memory = serialMemory(line.residuals, fitted: 2)
        independent = max(3, count * (1 - memory) / (1 + memory))
        noise = max(line.squares, floor) / count
        span = last - first
        unlikeness = closest / count
        lineIsLikelier = independent / 2 * log(max(least, floor) / max(line.squares, floor))
        self.ceiling = ceiling
    }

    /// The slope, bytes a request, of a line that could be told by so much from what fills up, through noise like this.
    package func smallestSlope(margin: Double) -> Double {
        (noise * (exp(2 * margin / independent) - 1) / unlikeness).squareRoot() / span
    }
}

/// Least squares of one term and a level.
private struct Regression {
    let slope: Double
    let squares: Double
    let residuals: [Double]

    init(_ terms: [Double], _ values: [Double]) {
        let count = Double(terms.count)
        let meanTerm = terms.reduce(0, +) / count
        let mean = values.reduce(0, +) / count
        var spread = 0.0
        var products = 0.0
        for (term, value) in zip(terms, values) {
            spread += (term - meanTerm) * (term - meanTerm)
            products += (term - meanTerm) * (value - mean)
        }
        let slope = spread > 0 ? products / spread : 0
        self.slope = slope
        residuals = zip(terms, values).map { $1 - mean - slope * ($0 - meanTerm) }
        squares = residuals.reduce(0) { $0 + $1 * $1 }
    }
}
