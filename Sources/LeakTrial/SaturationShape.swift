import Glibc

/// How memory that fills up nears its end. `place` runs from 0 (first reading) to 1 (last); `scale` is in the same unit.
package enum SaturationShape: CaseIterable, Sendable {
    /// Each operation fills the same share of what is still empty: a cache asked for keys drawn at random.
    case exponential
    /// Slower and slower without a real end: fragmentation, tables of what is rarely seen.
    case logarithmic
    /// Straight up to a bound, then level: a cache that gets a new key each time.
    case knee

    package func value(at place: Double, scale: Double) -> Double {
        switch self {
        case .exponential: 1 - exp(-place / scale)
        case .logarithmic: log(1 + place / scale)
        case .knee: min(place, scale)
        }
    }

    /// Scales to try: from a few readings to beyond the series, where the shape is nearly a line.
    package var scales: [Double] {
        switch self {
        case .exponential: [0.02, 0.035, 0.05, 0.075, 0.1, 0.14, 0.2, 0.28, 0.4, 0.56, 0.8, 1.1, 1.5]
        case .logarithmic: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
        case .knee: [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8]
        }
    }
}
