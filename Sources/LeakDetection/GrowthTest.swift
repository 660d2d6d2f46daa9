/// Why a growth is not called a leak (yet).
enum Doubt: Hashable, Sendable {
    /// The noise may explain it.
    case noise
    /// One step carries most of it.
    case step
    /// It slows down as a warm-up or a fill does.
    case flattening
    /// It comes and goes within the window.
    case uneven
    /// Memory has been that high before.
    case seenBefore
    /// It has used less of the headroom than a decision needs: `required` units.
    case early(required: Double)
}

/// What one window says.
enum Finding: Hashable, Sendable {
    case leak(GrowthFit)
    case doubtful(GrowthFit, Doubt)
}

/// The rules a growth must pass to be called a leak. A growth is a leak when it is
/// 1. significant, against plain noise and against a random walk;
/// 2. not the work of one step;
/// 3. present in every part of the window, and not flattening: a saturating growth A(1 − e^(−t/τ)) with as much behind
///    it as before it has slowed to 0.7 of its first half's slope in its second half;
/// 4. higher than the series has been before;
/// 5. so large that waiting for more evidence would cost a good part of the headroom.
struct GrowthTest: Hashable, Sendable {
    let settings: DetectionSettings
    let limit: Double?

    func examine(_ fit: GrowthFit, in pyramid: FloorPyramid) -> Finding {
        guard fit.slope > 0, fit.significance >= settings.significance, fit.rise >= settings.smallestRise else {
            return .doubtful(fit, .noise)
        }
        if fit.largestStep > 0.4 { return .doubtful(fit, .step) }
        if isFlattening(fit) { return .doubtful(fit, .flattening) }
        if fit.thirds.least < 0.12 { return .doubtful(fit, .uneven) }
        if isSeenBefore(fit, pyramid) { return .doubtful(fit, .seenBefore) }
        let required = requiredRise(fit)
        if fit.rise < required { return .doubtful(fit, .early(required: required)) }
        return .leak(fit)
    }

    /// The least growth that any window starting at `floor` could need: cheap to know before a fit.
    func leastRise(from floor: Double) -> Double {
        let shares = settings.shares
        let share = min(shares.unproven, shares.withinDay, shares.overDay, shares.seasoned)
        return max(settings.smallestRise, share * headroom(above: floor, excursion: 0) / 4)
    }

    private func isFlattening(_ fit: GrowthFit) -> Bool {
        guard fit.start < settings.warmUp else {
            return fit.secondHalf < 0.5 * fit.firstHalf || fit.thirds.late < 0.5 * fit.thirds.early
        }
        return fit.secondHalf - 0.7 * fit.firstHalf < fit.halfError
    }

    private func isSeenBefore(_ fit: GrowthFit, _ pyramid: FloorPyramid) -> Bool {
        let origin = pyramid.origin ?? 0
        guard let before = pyramid.range(before: origin + fit.start, width: settings.cleanWidth) else { return false }
        let reached = fit.endFloor - fit.rise / 8
        return reached < before.highest + settings.recordMargin * (before.highest - before.lowest)
    }

    private func requiredRise(_ fit: GrowthFit) -> Double {
        let shares = settings.shares
        let history = fit.start
        let share: Double
        switch fit.span {
        case ..<2_700: share = history >= 4 * fit.span ? shares.seasoned : shares.unproven
        case ..<57_600: share = history >= max(4 * fit.span, 108_000) ? shares.seasoned : shares.withinDay
        default: share = shares.overDay
        }
        return max(settings.smallestRise, share * headroom(above: fit.startFloor, excursion: fit.excursion))
    }

    /// Room between a floor and the limit, less half of what short-lived memory takes of it. A limit far away counts
    /// as near enough to care: at most ``DetectionSettings/assumedHeadroom`` or a quarter of the room.
    private func headroom(above floor: Double, excursion: Double) -> Double {
        guard let limit else { return settings.assumedHeadroom }
        let room = limit - floor
        let free = max(room - excursion / 2, room / 4)
        return min(free, max(settings.assumedHeadroom, free / 4))
    }
}
