/// A straight line through the floors of one window, with what speaks for and against it.
///
/// All times are relative to the first reading of the series, so that large clocks cost no precision.
struct GrowthFit: Hashable, Sendable {
    var start: Double
    var end: Double
    var level: Int
    /// Values of the line at both ends.
    var startFloor: Double
    var endFloor: Double
    /// Units per second with the standard error, which allows for a random walk beside plain noise.
    var slope: Double
    var slopeError: Double
    /// Slopes of the first and the second half, and the standard error of the second less 0.7 of the first: a half has
    /// a quarter of a plain line's information (√8 the error), and half that of a walk's.
    var firstHalf: Double
    var secondHalf: Double
    var halfError: Double
    /// Growth of each third as a share of the whole.
    var thirds: Thirds
    /// The largest step between neighbours, and the three largest together, as a share of the whole growth.
    var largestStep: Double
    var threeSteps: Double
    /// Typical height of the readings above the line: what short-lived allocations add.
    var excursion: Double
    /// The highest reading of the window above the line.
    var worstExcursion: Double

    var rise: Double { endFloor - startFloor }
    var span: Double { end - start }
    var significance: Double { slope / slopeError }
}

/// How a growth is spread over its window: shares of the whole, about a third each for a straight line.
struct Thirds: Hashable, Sendable {
    var early: Double
    var middle: Double
    var late: Double

    var least: Double { min(early, middle, late) }
}

/// A window of floors, oldest first, and the fit to it.
///
/// It works on the lower envelope, each floor replaced by the lowest floor from there on: memory that is only borrowed
/// comes back, so what a later reading falls below never stayed allocated. The corners of the envelope are the floors
/// that no later one undercuts. Noise around a level has about ln n corners in n buckets, a growth has one wherever a
/// reading was free of borrowed memory; where there are many, the line goes through them alone and is far sharper.
struct FloorWindow {
    private(set) var times: [Double] = []
    private(set) var floors: [Double] = []
    private(set) var peaks: [Double] = []
    /// Buckets without a reading between the floor and the end of the window.
    private var missing: [Int] = []

    /// The latest `length` complete buckets of a level; nil when more than half of the stretch has no readings (gaps).
    ///
    /// The last `tail` buckets only serve to look ahead: without a later reading a floor cannot be told from a peak.
    init?(_ pyramid: FloorPyramid, level: Int, length: Int, tail: Int) {
        let ring = pyramid.levels[level]
        guard ring.count >= length, length - tail >= 8 else { return nil }
        let newest = ring.latest(0)
        guard newest.index - ring.latest(length - 1).index < 2 * length else { return nil }
        var lowest = newest
        var isCorner: [Bool] = []
        for age in 0..<length {
            let bucket = ring.latest(age)
            let undercuts = bucket.floor < lowest.floor
            if undercuts { lowest = bucket }
            guard age >= tail else { continue }
            times.append(bucket.floorTime - (pyramid.origin ?? 0))
            floors.append(lowest.floor)
            peaks.append(bucket.peak)
            missing.append(newest.index - bucket.index - age)
            isCorner.append(undercuts)
        }
        let corners = isCorner.indices.filter { isCorner[$0] }
        if corners.count >= max(6, (length - tail) / 3) {
            times = corners.map { times[$0] }
            floors = corners.map { floors[$0] }
            peaks = corners.map { peaks[$0] }
            missing = corners.map { missing[$0] }
        }
        times.reverse()
        floors.reverse()
        peaks.reverse()
        missing.reverse()
    }

    /// Fits the window; nil when the times or values do not carry a line.
    func fit(level: Int, resolution: Double) -> GrowthFit? {
        let count = floors.count
        guard let first = times.first, let last = times.last, last > first else { return nil }
        let slope = pairedMedianSlope()
        guard slope.isFinite else { return nil }
        let offset = Order.median((0..<count).map { floors[$0] - slope * times[$0] })
        let residuals = (0..<count).map { floors[$0] - offset - slope * times[$0] }
        let spread = max(1.4826 * Order.median(residuals.map(abs)), resolution / 2)
        // Floors far above the line are short-lived memory that no later reading happened to see gone.
        let kept = (0..<count).filter { residuals[$0] <= 4 * spread }
        guard kept.count * 4 >= count * 3,
            let whole = Line(kept.map { times[$0] }, kept.map { floors[$0] })
        else { return nil }
        let half = kept.count / 2
        guard
            let early = Line(kept.prefix(half).map { times[$0] }, kept.prefix(half).map { floors[$0] }),
            let late = Line(kept.suffix(half).map { times[$0] }, kept.suffix(half).map { floors[$0] })
        else { return nil }
        let noise = max(whole.residualDeviation, resolution / 2)
        let walk = walkError(whole, kept: kept, resolution: resolution)
        let plain = noise / whole.spreadOfTimes
        let rise = whole.slope * (last - first)
        let cut = thirds(kept)
        let steps = zip(kept, kept.dropFirst()).map { step(from: $0, to: $1) }.sorted(by: >)
        let above = (0..<count).map { peaks[$0] - whole.value(at: times[$0]) }
        return GrowthFit(
            start: first, end: last, level: level, startFloor: whole.value(at: first), endFloor: whole.value(at: last),
            slope: whole.slope, slopeError: (plain * plain + walk * walk).squareRoot(), firstHalf: early.slope,
            secondHalf: late.slope,
            halfError: (12 * plain * plain + 3 * walk * walk).squareRoot(),
            thirds: Thirds(early: cut.early / rise, middle: cut.middle / rise, late: cut.late / rise),
            largestStep: steps[0] / rise, threeSteps: steps.prefix(3).reduce(0, +) / rise,
            excursion: max(0, Order.median(above)), worstExcursion: max(0, above.max() ?? 0))
    }

    /// The rise between neighbours. Over a gap in the readings nobody knows whether it was a step: it counts as spread
    /// evenly.
    private func step(from before: Int, to after: Int) -> Double {
        (floors[after] - floors[before]) / Double(1 + missing[before] - missing[after])
    }

    /// Median of the slopes between points half a window apart (the pairs of Theil–Sen that carry most; O(n)).
    private func pairedMedianSlope() -> Double {
        let half = floors.count / 2
        var slopes: [Double] = []
        for index in 0..<(floors.count - half) {
            let gap = times[index + half] - times[index]
            if gap > 0 { slopes.append((floors[index + half] - floors[index]) / gap) }
        }
        return slopes.isEmpty ? .nan : Order.median(slopes)
    }

    /// Standard error of the slope if the floor walked at random. The step of the walk is read at a lag of a quarter
    /// of the window, where plain noise hardly counts any more. A line fitted to n steps of size q has error
    /// q·√(6/5n) per step.
    private func walkError(_ line: Line, kept: [Int], resolution: Double) -> Double {
        let lag = max(1, kept.count / 4)
        var squares = 0.0
        var number = 0.0
        for (before, after) in zip(kept, kept.dropFirst(lag)) {
            let change = floors[after] - floors[before] - line.slope * (times[after] - times[before])
            squares += change * change
            number += 1
        }
        guard number > 0, let first = kept.first, let last = kept.last else { return .infinity }
        let stepTime = (times[last] - times[first]) / Double(kept.count - 1)
        let step = (squares / number / Double(lag)).squareRoot()
        return max(step, resolution / 4) * (1.2 / Double(kept.count)).squareRoot() / stepTime
    }

    /// Growth between the medians of the four quarters: the growth of the early, the middle and the late third of the
    /// way between the first and the last of them.
    private func thirds(_ kept: [Int]) -> Thirds {
        let quarter = kept.count / 4
        let starts = [0, quarter, kept.count - 2 * quarter, kept.count - quarter]
        let middles = starts.map { start in
            let part = kept[start..<(start + quarter)]
            return (
                Order.median(part.map { floors[$0] }), part.map { times[$0] }.reduce(0, +) / Double(quarter)
            )
        }
        guard let first = times.first, let last = times.last else { return Thirds(early: 0, middle: 0, late: 0) }
        let scale = (last - first) / 3
        func growth(_ from: Int, _ to: Int) -> Double {
            let gap = middles[to].1 - middles[from].1
            return gap > 0 ? (middles[to].0 - middles[from].0) / gap * scale : 0
        }
        return Thirds(early: growth(0, 1), middle: growth(1, 2), late: growth(2, 3))
    }
}

/// Least squares.
struct Line {
    let slope: Double
    let meanTime: Double
    let mean: Double
    /// √Σ(t − t̄)²: noise divided by this is the standard error of the slope.
    let spreadOfTimes: Double
    let residualDeviation: Double

    /// Nil for fewer than three points or when all times are equal.
    init?(_ times: [Double], _ values: [Double]) {
        let count = Double(times.count)
        guard times.count >= 3, times.count == values.count else { return nil }
        meanTime = times.reduce(0, +) / count
        mean = values.reduce(0, +) / count
        var squares = 0.0
        var products = 0.0
        for (time, value) in zip(times, values) {
            squares += (time - meanTime) * (time - meanTime)
            products += (time - meanTime) * (value - mean)
        }
        guard squares > 0, products.isFinite else { return nil }
        slope = products / squares
        spreadOfTimes = squares.squareRoot()
        var rest = 0.0
        for (time, value) in zip(times, values) {
            let residual = value - mean - slope * (time - meanTime)
            rest += residual * residual
        }
        residualDeviation = (rest / (count - 2)).squareRoot()
    }

    func value(at time: Double) -> Double { mean + slope * (time - meanTime) }
}

enum Order {
    /// The middle value, the mean of the two middle ones; NaN for none.
    static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return .nan }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
