package import OakumModel

/// Reads one series point by point and says what it is: leaking, warming up, steady, or not yet known.
///
/// One detector belongs to one life of one process: after a restart, begin with a new one. Points that are not finite
/// or older than the one before are refused and counted, never an error. Cost: O(1) amortised per point; memory is
/// bounded (see `FloorPyramid`), about 32 kB for a series of years.
///
/// Method: the series is reduced to the floors of buckets at every power of two of the base width; at each scale the
/// latest windows are fitted with a line and examined by the rules of `GrowthTest`. `docs/leak-detection.md` tells
/// why, with the measured rate of false alarms and the delays.
package struct LeakDetector: Sendable {
    package let settings: DetectionSettings
    /// In the unit of the series; nil when no limit is known, there is then no forecast.
    package let limit: Double?
    /// Points refused so far: not finite, or older than the one before.
    package private(set) var refusedPoints = 0

    /// Why the latest leak verdict was taken back; nil when none was.
    package private(set) var lastRetreat: Retreat?

    private let test: GrowthTest
    private var pyramid: FloorPyramid
    private var leak: FoundLeak?
    /// A growth that passed every rule once and has to do so again a little later.
    private var candidate: FoundLeak?
    private var suspicion: Suspicion?
    private var cached: Verdict?

    package init(settings: DetectionSettings, limit: Double?) {
        self.settings = settings
        self.limit = limit.flatMap { $0.isFinite ? $0 : nil }
        self.test = GrowthTest(settings: settings, limit: self.limit)
        self.pyramid = FloorPyramid(baseWidth: settings.baseWidth, levels: settings.levels)
    }

    /// Takes a point in and, at the end of a bucket, examines the windows that end there.
    package mutating func add(_ point: SeriesPoint) {
        guard pyramid.add(point) else {
            refusedPoints += 1
            return
        }
        guard pyramid.completed > 0 else { return }
        cached = nil
        for level in 0..<pyramid.completed { examine(level) }
        if leak != nil { recheckLeak() }
    }

    /// Whether the series is held to leak as of the latest point: the verdict without its evidence, free.
    package var isLeaking: Bool { leak != nil }

    /// What the series is held to be as of the latest point. Free when no bucket ended since the last call.
    package mutating func verdict() -> Verdict {
        if let cached { return cached }
        let account = Account(
            settings: settings, limit: limit, pyramid: pyramid, leak: leak, suspicion: suspicion)
        let verdict = account.verdict()
        cached = verdict
        return verdict
    }

    // MARK: - Examination

    /// Windows of 14 to 28 buckets: with the doubling of widths this covers every length at steps of 14 % or less.
    private static let lengths = stride(from: 28, through: 14, by: -2)

    private mutating func examine(_ level: Int) {
        let width = pyramid.width(level)
        let tail = max(1, Int((settings.cleanWidth / 4 / width).rounded(.up)) - 1)
        for length in Self.lengths where Double(length) * width >= settings.shortestWindow {
            guard isWorthFitting(level, length: length, tail: tail) else { continue }
            guard
                let window = FloorWindow(pyramid, level: level, length: length, tail: tail),
                let fit = window.fit(level: level, resolution: settings.resolution)
            else { continue }
            switch test.examine(fit, in: pyramid) {
            case .leak(let fit): note(fit)
            case .doubtful(let fit, let doubt): note(fit, doubt)
            }
        }
    }

    /// Whether the latest floors lie above the earliest of the window at all: spares the fit on a quiet series.
    private func isWorthFitting(_ level: Int, length: Int, tail: Int) -> Bool {
        let ring = pyramid.levels[level]
        guard ring.count >= length else { return false }
        var recent = ring.latest(0).floor
        for age in 1...(tail + 1) { recent = min(recent, ring.latest(age).floor) }
        var early = ring.latest(length - 1).floor
        for age in (length - 3)..<(length - 1) { early = min(early, ring.latest(age).floor) }
        let young = now < 2 * settings.warmUp
        return recent - early >= 0.6 * (young ? settings.smallestRise : test.leastRise(from: early))
    }

    /// Seconds since the first point.
    private var now: Double { (pyramid.lastSeconds ?? 0) - (pyramid.origin ?? 0) }

    private mutating func note(_ fit: GrowthFit) {
        guard var known = leak else {
            leak = confirmed(fit)
            return
        }
        // A better or fresher line replaces the one held.
        if fit.slopeError / fit.slope <= known.latest.slopeError / known.latest.slope
            || fit.end - known.latest.end > known.latest.span / 4
        {
            known.latest = fit
        }
        known.lastSeen = max(known.lastSeen, fit.end)
        leak = known
    }

    /// A growth is called a leak when it is still there, and as steep, after a sixth of the window has passed: what
    /// flattens shows by then.
    private mutating func confirmed(_ fit: GrowthFit) -> FoundLeak? {
        if let first = candidate, now - first.decided <= 1.5 * first.first.span {
            guard fit.end - first.first.end >= first.first.span / 6, fit.slope >= 0.8 * first.first.slope else {
                return nil
            }
            candidate = nil
            return FoundLeak(first: fit, latest: fit, decided: now)
        }
        candidate = FoundLeak(first: fit, latest: fit, decided: now)
        return nil
    }

    private mutating func note(_ fit: GrowthFit, _ doubt: Doubt) {
        guard doubt != .noise else { return }
        if let held = suspicion, fit.end < held.fit.end + held.fit.span / 8, held.fit.rise > fit.rise { return }
        suspicion = Suspicion(fit: fit, doubt: doubt)
    }

    /// Takes a leak back when the memory came down again, or when it has long stopped growing below the limit.
    private mutating func recheckLeak() {
        guard let known = leak else { return }
        let level = known.latest.level
        let ring = pyramid.levels[level]
        guard ring.count > 4, pyramid.completed > level else { return }
        let recent = (0..<4).map { ring.latest($0).floor }.min() ?? 0
        let back = known.first.startFloor + 0.4 * (known.latest.endFloor - known.first.startFloor)
        let silent = now - known.lastSeen
        let nearLimit = limit.map { recent >= $0 - 0.1 * ($0 - known.first.startFloor) } ?? false
        let stopped = silent > 3 * known.latest.span && !nearLimit
        guard recent < back || stopped else { return }
        leak = nil
        lastRetreat = stopped ? .levelledOff : .fell
        suspicion = Suspicion(fit: known.latest, doubt: stopped ? .flattening : .seenBefore)
    }
}

/// How a leak verdict ended.
package enum Retreat: Hashable, Sendable {
    /// Most of the growth was given back.
    case fell
    /// Nothing was added for three times as long as it had grown, with room left below the limit.
    case levelledOff
}

/// A leak once it is found.
struct FoundLeak: Hashable, Sendable {
    /// The line it was found by, and the best line since.
    var first: GrowthFit
    var latest: GrowthFit
    /// Seconds from the first point to the decision, and to the end of the latest window that shows it.
    var decided: Double
    var lastSeen: Double

    init(first: GrowthFit, latest: GrowthFit, decided: Double) {
        self.first = first
        self.latest = latest
        self.decided = decided
        lastSeen = latest.end
    }
}

/// The most telling growth that was not called a leak.
struct Suspicion: Hashable, Sendable {
    var fit: GrowthFit
    var doubt: Doubt
}
