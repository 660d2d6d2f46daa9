/// A straight line through a series with memory, and between what its slope lies.
///
/// The standard error is the larger of two: Newey and West's (1987), with a lag of 1.3 √m, and the ordinary one widened by the
/// residuals' first-order autocorrelation.
package struct SlopeFit: Hashable, Sendable {
    package let estimate: Double
    package let standardError: Double
    package let low: Double
    package let high: Double

    /// Nil for fewer than six points, or when all are at the same place.
    package init?(_ places: [Double], _ values: [Double], resolution: Double, sigmas: Double) {
        let count = Double(places.count)
        guard places.count >= 6, places.count == values.count else { return nil }
        let meanPlace = places.reduce(0, +) / count
        let mean = values.reduce(0, +) / count
        let offsets = places.map { $0 - meanPlace }
        let spread = offsets.reduce(0) { $0 + $1 * $1 }
        guard spread > 0 else { return nil }
        let slope = zip(offsets, values).reduce(0) { $0 + $1.0 * ($1.1 - mean) } / spread
        guard slope.isFinite else { return nil }
        let residuals = zip(offsets, values).map { $1 - mean - slope * $0 }
        let squares = residuals.reduce(0) { $0 + $1 * $1 }
        let freedom = count - 2
        let plain = max(squares / freedom, resolution * resolution / 12) / spread
        let memory = serialMemory(residuals, fitted: 2)
        let widened = plain * (1 + memory) / (1 - memory)
        let robust = Self.neweyWest(offsets, residuals, spread) * count / freedom
        let error = max(widened, robust).squareRoot()
        estimate = slope
        standardError = error
        // Points that depend on each other show their own scatter worse too.
        let width = studentQuantile(sigmas, freedom: freedom * (1 - memory) / (1 + memory)) * error
        low = slope - width
        high = slope + width
    }

    private static func neweyWest(_ offsets: [Double], _ residuals: [Double], _ spread: Double) -> Double {
        let scores = zip(offsets, residuals).map { $0 * $1 }
        let lags = Int((1.3 * Double(scores.count).squareRoot()).rounded(.up))
        var sum = scores.reduce(0) { $0 + $1 * $1 }
        for lag in 1...max(1, min(lags, scores.count - 1)) {
            let products = zip(scores, scores.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 }
            sum += 2 * (1 - Double(lag) / Double(lags + 1)) * products
        }
        return max(0, sum) / (spread * spread)
    }
}
