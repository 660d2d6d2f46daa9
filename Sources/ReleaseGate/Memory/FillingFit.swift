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
        let shares = Self.centred(places.map { ($0 - first) / (last - first) })
        let levels = Self.centred(values)
        let line = Term(shares, levels, shares)
        let floor = resolution * resolution / 12 * count
        var least = Double.infinity
        var closest = Double.infinity
        var ceiling = 0.0
        for shape in SaturationShape.allCases {
            for scale in shape.scales where scale <= mostScale {
                let term = Term(
                    places.map { shape.value(at: ($0 - first) / (last - first), scale: scale) }, levels, shares)
                closest = min(closest, term.lineSquares)
                guard term.slope > 0, term.squares < least else { continue }
                least = term.squares
                ceiling =
                    switch shape {
                    case .exponential: term.slope
                    case .knee: term.slope * scale
                    case .logarithmic: .infinity
                    }
            }
        }
        let residuals = zip(shares, levels).map { $1 - line.slope * $0 }
        let memory = serialMemory(residuals, fitted: 2)
        independent = max(3, count * (1 - memory) / (1 + memory))
        noise = max(line.squares, floor) / count
        span = last - first
        unlikeness = closest / count
        lineIsLikelier = independent / 2 * log(max(least, floor) / max(line.squares, floor))
        self.ceiling = ceiling
    }

    private static func centred(_ values: [Double]) -> [Double] {
        let mean = values.reduce(0, +) / Double(values.count)
        return values.map { $0 - mean }
    }

    /// The slope, bytes a request, of a line that could be told by so much from what fills up, through noise like this.
    package func smallestSlope(margin: Double) -> Double {
        (noise * (exp(2 * margin / independent) - 1) / unlikeness).squareRoot() / span
    }
}

/// Least squares of one term and a level, for what was measured and for a line beside it; both about their means.
private struct Term {
    let slope: Double
    /// What is left over of what was measured, and of the line.
    let squares: Double
    let lineSquares: Double

    init(_ term: [Double], _ values: [Double], _ line: [Double]) {
        var (sum, own, ofValues, ofLine) = (0.0, 0.0, 0.0, 0.0)
        var (valueSquares, allLineSquares) = (0.0, 0.0)
        for index in term.indices {
            let (here, value, straight) = (term[index], values[index], line[index])
            sum += here
            own += here * here
            ofValues += here * value
            ofLine += here * straight
            valueSquares += value * value
            allLineSquares += straight * straight
        }
        let spread = own - sum * sum / Double(term.count)
        slope = spread > 0 ? ofValues / spread : 0
        squares = max(0, valueSquares - (spread > 0 ? ofValues * ofValues / spread : 0))
        lineSquares = max(0, allLineSquares - (spread > 0 ? ofLine * ofLine / spread : 0))
    }
}
