import Glibc

/// Quantiles of the distributions that the intervals are made of. Deterministic; about 1e-10 relative accuracy, some
/// ten microseconds each.
enum Quantiles {
    /// Of the beta distribution. A shape of zero is all mass at that end.
    static func beta(_ probability: Double, _ alpha: Double, _ beta: Double) -> Double {
        guard alpha > 0 else { return 0 }
        guard beta > 0 else { return 1 }
        return crossing(0, 1) { incompleteBeta($0, alpha, beta) - probability }
    }

    /// Of the gamma distribution with scale 1. A shape of zero is all mass at 0.
    static func gamma(_ probability: Double, shape: Double) -> Double {
        guard shape > 0 else { return 0 }
        var high = shape + 10 * shape.squareRoot() + 20
        while incompleteGamma(high, shape) < probability { high *= 2 }
        return crossing(0, high) { incompleteGamma($0, shape) - probability }
    }

    /// Of the normal distribution with mean 0 and deviation 1.
    static func normal(_ probability: Double) -> Double {
        crossing(-40, 40) { erfc(-$0 / 2.0.squareRoot()) / 2 - probability }
    }

    /// Where a rising function crosses zero, between two ends that enclose the place (Chandrupatla, Advances in Engineering
    /// Software 28, 1997: inverse quadratic steps where they are safe, bisection where not).
    private static func crossing(_ low: Double, _ high: Double, of function: (Double) -> Double) -> Double {
        var (a, b) = (high, low)
        var (fa, fb) = (function(a), function(b))
        var (c, fc) = (a, fa)
        var step = 0.5
        for _ in 0..<200 where fa != 0 && fb != 0 {
            let next = a + step * (b - a)
            let value = function(next)
            if (value < 0) == (fa < 0) { (c, fc) = (a, fa) } else { (c, fc, b, fb) = (b, fb, a, fa) }
            (a, fa) = (next, value)
            let best = abs(fa) < abs(fb) ? a : b
            let tolerance = 1e-12 * abs(best) + 1e-300
            let least = tolerance / max(abs(b - c), 1e-300)
            if value == 0 || abs(b - a) <= tolerance { return best }
            let (xi, phi) = ((a - b) / (c - b), (fa - fb) / (fc - fb))
            let isSafe = phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi
            step =
                isSafe
                ? fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb) : 0.5
            step = step.isFinite ? min(1 - least, max(least, step)) : 0.5
        }
        return abs(fa) < abs(fb) ? a : b
    }

    /// Lanczos' approximation (g = 7, nine terms), for x > 0.
    private static func logGamma(_ x: Double) -> Double {
        guard x >= 0.5 else { return log(.pi / sin(.pi * x)) - logGamma(1 - x) }
        let terms = [
            676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
            -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
        ]
        let x = x - 1
        var sum = 0.99999999999980993
        for (index, term) in terms.enumerated() { sum += term / (x + Double(index) + 1) }
        let t = x + 7.5
        return 0.5 * log(2 * .pi) + (x + 0.5) * log(t) - t + log(sum)
    }

    /// The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22, evaluated as Lentz does).
    static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        // The fraction converges fast below the mean; above it, the other tail is taken.
        guard x > (a + 1) / (a + b + 2) else { return betaFraction(x, a, b) }
        return 1 - betaFraction(1 - x, b, a)
    }

    private static func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let front = exp(a * log(x) + b * log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a
        let tiny = 1e-300
        var c = 1.0
        var d = 1 / nonzero(1 - (a + b) * x / (a + 1), tiny)
        var result = d
        for step in 1..<10_000 {
            let m = Double(step)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / nonzero(1 + even * d, tiny)
            c = nonzero(1 + even / c, tiny)
            result *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / nonzero(1 + odd * d, tiny)
            c = nonzero(1 + odd / c, tiny)
            let change = d * c
            result *= change
            if abs(change - 1) < 1e-14 { break }
        }
        return front * result
    }

    /// The regularised lower incomplete gamma function: a series below the mean (DLMF 8.11.4), a continued fraction
    /// above it (DLMF 8.9.2).
    static func incompleteGamma(_ x: Double, _ shape: Double) -> Double {
        guard x > 0 else { return 0 }
        let front = exp(shape * log(x) - x - logGamma(shape))
        if x < shape + 1 {
            var term = 1 / shape
            var sum = term
            var next = shape
            for _ in 0..<100_000 {
                next += 1
                term *= x / next
                sum += term
                if term < sum * 1e-15 { break }
            }
            return min(1, sum * front)
        }
        let tiny = 1e-300
        var b = x + 1 - shape
        var c = 1 / tiny
        var d = 1 / nonzero(b, tiny)
        var result = d
        for step in 1..<100_000 {
            let factor = -Double(step) * (Double(step) - shape)
            b += 2
            d = 1 / nonzero(factor * d + b, tiny)
            c = nonzero(b + factor / c, tiny)
            let change = d * c
            result *= change
            if abs(change - 1) < 1e-14 { break }
        }
        return max(0, 1 - front * result)
    }

    private static func nonzero(_ value: Double, _ tiny: Double) -> Double {
        abs(value) < tiny ? tiny : value
    }
}
