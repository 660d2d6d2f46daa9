import OakumModel

/// What the worker's memory did, from the verdict and from its readings in this window.
struct MemoryGrowth {
    let verdict: Verdict?
    let reading: Reading?
    /// Nil when the memory did not grow in a way that matters.
    let change: Change?
    /// Bytes a second, of the growth; nil without one.
    let slope: Estimate?
    /// The slope in each life of the process that lies in the window, the oldest first; nil where it was too short.
    let lives: [Life]

    struct Life {
        var start: Double
        var first: Double
        var last: Double
        /// Bytes a second, with its 95 % interval; nil when the life was too short to tell.
        var slope: Estimate?
    }

    init(_ observations: Observations, _ reading: Reading?, span: ClosedRange<Double>) {
        verdict = observations.verdict
        self.reading = reading
        let change = reading?.change.flatMap { $0.isUp ? $0 : nil }
        self.change = change
        let onset = change?.fit.onset
        let lives = reading.map { Self.lives($0.series, observations.restarts ?? [], span, from: onset) } ?? []
        self.lives = lives
        if let verdict, verdict.code == .leak, let slope = verdict.slope, slope.estimate > 0 {
            self.slope = slope
        } else {
            slope = change.flatMap { change in
                lives.last { ($0.slope?.low ?? 0) > 0 }?.slope ?? Self.slope(of: change.fit)
            }
        }
    }

    var isLeak: Bool { verdict?.code == .leak }
    /// The detector has seen enough and says that it is something else.
    var isCleared: Bool {
        switch verdict?.code {
        case .steady, .step, .load, .cacheFill, .fragmentation: true
        case .leak, .warmUp, .notEnoughData, nil: false
        }
    }

    /// Growth that had not ended at the last reading.
    var goesOn: Bool { isLeak || (change?.fit.goesOn ?? false) }

    /// Lives that grew again at about the pace of the one before: (before, after).
    var resumed: (before: Double, after: Double)? {
        let slopes = lives.compactMap(\.slope).filter { $0.low > 0 }
        guard slopes.count >= 2 else { return nil }
        let (before, after) = (slopes[slopes.count - 2].estimate, slopes[slopes.count - 1].estimate)
        return (0.4...2.5).contains(after / before) ? (before, after) : nil
    }

    private static func slope(of fit: RampFit) -> Estimate? {
        guard fit.width > 0 else { return nil }
        let slope = fit.rise / fit.width
        // The F statistic is the square of the slope by its error.
        let error = abs(slope) / max(1, fit.strength).squareRoot()
        return Estimate(estimate: slope, low: slope - 1.96 * error, high: slope + 1.96 * error)
    }

    /// - Parameter onset: a life in which the growth began counts from there.
    private static func lives(
        _ series: Reduced, _ restarts: [Double], _ span: ClosedRange<Double>, from onset: Double?
    ) -> [Life] {
        let lives = Reading.lives(in: span, restarts)
        return (lives.isEmpty ? [span] : lives).compactMap { life in
            let (start, end) = (life.lowerBound, life.upperBound)
            let part = series.within(start...end)
            guard part.count >= 3, let first = part.values.first, let last = part.values.last else { return nil }
            let growing = onset.flatMap { start < $0 && $0 < end ? part.within($0...end) : nil } ?? part
            return Life(start: start, first: first, last: last, slope: line(growing))
        }
    }

    /// Least squares; the interval allows for residuals that hang together.
    static func line(_ part: Reduced) -> Estimate? {
        let count = Double(part.count)
        guard part.count >= 6 else { return nil }
        let time = part.times.reduce(0, +) / count
        let value = part.values.reduce(0, +) / count
        var (square, product) = (0.0, 0.0)
        for (at, level) in zip(part.times, part.values) {
            square += (at - time) * (at - time)
            product += (at - time) * (level - value)
        }
        guard square > 0 else { return nil }
        let slope = product / square
        let rests = zip(part.times, part.values).map { $1 - value - slope * ($0 - time) }
        let rest = rests.map { $0 * $0 }.reduce(0, +)
        let next = zip(rests, rests.dropFirst()).map { $0 * $1 }.reduce(0, +)
        let memory = rest > 0 ? min(0.9, max(0, next / rest + 2 / count)) : 0
        let error = (rest / (count - 2) / square * (1 + memory) / (1 - memory)).squareRoot()
        return Estimate(estimate: slope, low: slope - 2 * error, high: slope + 2 * error)
    }
}
