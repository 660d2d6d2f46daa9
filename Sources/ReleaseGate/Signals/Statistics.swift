import Glibc

/// How many standard errors a bound takes when the error itself comes from few numbers: Student's quantile for the one of the
/// normal distribution (Cornish and Fisher's expansion, Abramowitz and Stegun 26.7.5; good to 2 % from five degrees on).
func studentQuantile(_ z: Double, freedom: Double) -> Double {
    let n = max(3, freedom)
    let first = (z * z * z + z) / 4
    let second = (5 * power(z, 5) + 16 * power(z, 3) + 3 * z) / 96
    let third = (3 * power(z, 7) + 19 * power(z, 5) + 17 * power(z, 3) - 15 * z) / 384
    return z + first / n + second / (n * n) + third / (n * n * n)
}

private func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { value, _ in value * base }
}

/// What memory there is in a series of residuals: first-order autocorrelation, 0 to 0.9. `fitted` parameters took part of it
/// away, and short series show too little of it (Kendall, 1954); both are given back.
func serialMemory(_ residuals: [Double], fitted: Int) -> Double {
    var squares = 0.0
    var products = 0.0
    for value in residuals { squares += value * value }
    for (before, after) in zip(residuals, residuals.dropFirst()) { products += before * after }
    guard squares > 0 else { return 0 }
    let raw = products / squares
    return min(0.9, max(0, raw + (Double(fitted - 1) + 3 * max(0, raw)) / Double(residuals.count)))
}

/// The middle value, the mean of the two middle ones; nil for none.
func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}
