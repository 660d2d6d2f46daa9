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
        let young = fit.start < settings.warmUp
        if fit.start < settings.settle || (fit.start < settings.leastHistory && fit.span < 57_600) {
            return .doubtful(fit, .early(required: .infinity))
        }
        if young && fit.significance < settings.youngSignificance { return .doubtful(fit, .noise) }
        if isSteps(fit, pyramid.width(fit.level)) { return .doubtful(fit, .step) }
        if !isAtLimit(fit) {
            if isFlattening(fit) { return .doubtful(fit, .flattening) }
            let least = young ? settings.leastThird + 0.04 : settings.leastThird
            if fit.thirds.least < least { return .doubtful(fit, .uneven) }
        }
        if isSeenBefore(fit, pyramid) { return .doubtful(fit, .seenBefore) }
        let required = requiredRise(fit)
        if fit.rise < required { return .doubtful(fit, .early(required: required)) }
        return .leak(fit)
    }

    /// The least growth that any window starting at `floor` could need: cheap to know before a fit.
    func leastRise(from floor: Double) -> Double {
        let shares = settings.shares
        let share = min(shares.urgent, shares.unproven, shares.withinDay, shares.overDay, shares.seasoned)
        // Where haste counts, short-lived memory may leave a quarter of the room.
        let room = headroom(above: floor, excursion: 0) * (settings.urgency > 0 ? 0.25 : 1)
        return max(settings.smallestRise, share * room)
    }

    /// Narrow buckets show a straight growth as a staircase, whenever a reading happens to be free of short-lived memory.
    private func isSteps(_ fit: GrowthFit, _ width: Double) -> Bool {
        let most = width * 4 <= settings.cleanWidth ? settings.narrowSteps : settings.wideSteps
        return fit.largestStep > most.one || fit.threeSteps > most.three
    }

    /// Old processes: whether it has halved its pace. Young ones are warming up unless the opposite is shown: the
    /// second half must be, for sure, at least 0.7 as steep as the first, or the limit must lie below the level at
    /// which a growth that slows down so would end.
    private func isFlattening(_ fit: GrowthFit) -> Bool {
        guard fit.start < settings.warmUp else {
            return fit.secondHalf < 0.5 * fit.firstHalf || fit.thirds.late < 0.5 * fit.thirds.early
        }
        let kept = (fit.secondHalf - fit.halfError) / fit.firstHalf
        if fit.firstHalf <= 0 || kept >= 0.7 { return false }
        guard let limit, kept > 0 else { return true }
        // A(1 − e^(−t/τ)) keeps e^(−span/2τ) of its slope from the middle of one half to that of the other.
        let tau = -fit.span / (2 * ln(kept))
        let ceiling = fit.endFloor + (fit.secondHalf - fit.halfError) * kept.squareRoot() * tau
        return ceiling + fit.worstExcursion < limit
    }

    private func isSeenBefore(_ fit: GrowthFit, _ pyramid: FloorPyramid) -> Bool {
        let origin = pyramid.origin ?? 0
        guard let before = pyramid.range(before: origin + fit.start, width: settings.cleanWidth) else { return false }
        let reached = fit.endFloor - fit.rise / 8
        return reached < before.highest + settings.recordShare * headroom(above: before.highest, excursion: 0)
    }

    /// Memory cannot grow past its limit: what stands at the limit flattens for that reason.
    private func isAtLimit(_ fit: GrowthFit) -> Bool {
        guard let limit else { return false }
        return limit - fit.endFloor <= 0.15 * (limit - fit.startFloor)
    }

    private func requiredRise(_ fit: GrowthFit) -> Double {
        let shares = settings.shares
        let history = fit.start
        let room = headroom(above: fit.startFloor, excursion: 0)
        let share: Double
        switch fit.span {
        case ..<2_700: share = history >= 4 * fit.span ? shares.seasoned : shares.unproven
        case ..<57_600: share = history >= max(4 * fit.span, 108_000) ? shares.seasoned : shares.withinDay
        default: share = shares.overDay
        }
        var required = share * room
        if let limit, limit - fit.endFloor - fit.worstExcursion < fit.slope * settings.urgency {
            let share = fit.start < settings.warmUp ? shares.urgentYoung : shares.urgent
            required = min(required, share * headroom(above: fit.startFloor, excursion: fit.excursion))
        }
        return max(settings.smallestRise, required)
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

/// Natural logarithm of a number in 0..<1, without Foundation: halvings, then the series of artanh.
func ln(_ value: Double) -> Double {
    guard value > 0, value.isFinite else { return value == 0 ? -.infinity : .nan }
    let fraction = value.significand
    let ratio = (fraction - 1) / (fraction + 1)
    var term = ratio
    var sum = 0.0
    for power in stride(from: 1.0, through: 39, by: 2) {
        sum += term / power
        term *= ratio * ratio
    }
    return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
}
