import OakumModel

/// Turns what a detector knows into a verdict with evidence in words.
struct Account {
    let settings: DetectionSettings
    let limit: Double?
    let pyramid: FloorPyramid
    let leak: FoundLeak?
    let suspicion: Suspicion?

    private var words: Wording { Wording(settings) }
    private var origin: Double { pyramid.origin ?? 0 }
    private var now: Double { (pyramid.lastSeconds ?? 0) - origin }

    func verdict() -> Verdict {
        if let leak { return leaking(leak) }
        let buckets = pyramid.levels[0].count
        guard buckets >= 8, now >= settings.shortestWindow else {
            return Verdict(
                code: .notEnoughData,
                evidence: [
                    "\(Wording.duration(now)) of readings so far: the first verdict needs "
                        + "\(Wording.duration(max(settings.shortestWindow, 8 * settings.baseWidth)))"
                ])
        }
        if let suspicion, isCurrent(suspicion), let verdict = doubtful(suspicion) { return verdict }
        return quiet()
    }

    // MARK: - Leak

    private func leaking(_ leak: FoundLeak) -> Verdict {
        let fit = leak.latest
        let slope = interval(fit)
        let forecast = timeToLimit(fit, slope)
        var evidence = [growth(fit, slope)]
        if fit.secondHalf > 0, fit.firstHalf > 0 {
            let share = Wording.decimal(100 * fit.secondHalf / fit.firstHalf, places: 0)
            evidence.append(
                "the second half grew at \(share) % of the pace of the first: no sign of saturation")
        }
        if let before = pyramid.range(before: origin + leak.first.start, width: settings.cleanWidth) {
            evidence.append(
                "the floor was never above \(words.amount(before.highest)) in the "
                    + "\(Wording.duration(leak.first.start)) before")
        }
        if let limit {
            if let forecast {
                evidence.append(
                    "at this pace the budget of \(words.amount(limit)) is reached in "
                        + Wording.durations(forecast.low, forecast.high))
            }
        } else {
            evidence.append("no limit is known: no forecast")
        }
        return Verdict(
            code: .leak, onsetSeconds: origin + onset(leak), decidedSeconds: origin + leak.decided, slope: slope,
            timeToLimit: forecast, evidence: evidence)
    }

    /// Where the line meets the level from before, if that lies before the window; its start otherwise.
    private func onset(_ leak: FoundLeak) -> Double {
        let fit = leak.first
        let ring = pyramid.levels[min(fit.level, pyramid.levels.count - 1)]
        var earliest = fit.start
        for age in 0..<ring.count {
            let bucket = ring.latest(age)
            let time = bucket.floorTime - origin
            guard time < earliest else { continue }
            let line = fit.startFloor - fit.slope * (fit.start - time)
            guard abs(bucket.floor - line) <= 0.1 * fit.rise else { break }
            earliest = time
        }
        return max(0, earliest)
    }

    /// 95 % for the line as it lies. A young process may still be warming up beneath its leak: if the pace slackens, the
    /// low end goes down to what the next half window would have, should it slacken once more by as much.
    private func interval(_ fit: GrowthFit) -> Estimate {
        let margin = 1.96 * fit.slopeError
        var low = fit.slope - margin
        if fit.start < settings.warmUp, fit.firstHalf > 0, fit.secondHalf < fit.firstHalf {
            let kept = max(0, fit.secondHalf / fit.firstHalf)
            low = min(low, fit.secondHalf * kept - margin)
        }
        return Estimate(estimate: fit.slope, low: max(0, low), high: fit.slope + margin)
    }

    /// The early end: the highest reading seen above the line meets the limit on the steep slope. The late end: the
    /// line itself meets it on the flat one.
    private func timeToLimit(_ fit: GrowthFit, _ slope: Estimate) -> TimeToLimit? {
        guard let limit, slope.high > 0 else { return nil }
        let level = fit.endFloor + fit.slope * (now - fit.end)
        let low = max(0, (limit - level - fit.worstExcursion) / slope.high)
        let high = slope.low > 0 ? max(0, (limit - level) / slope.low) : nil
        return TimeToLimit(low: low, high: high)
    }

    private func growth(_ fit: GrowthFit, _ slope: Estimate) -> String {
        "floor rose from \(words.amount(fit.startFloor)) to \(words.amount(fit.endFloor)) in "
            + "\(Wording.duration(fit.span)): \(words.rate(slope.estimate, low: slope.low, high: slope.high))"
    }

    // MARK: - Growth that is no leak

    private func isCurrent(_ suspicion: Suspicion) -> Bool {
        now - suspicion.fit.end <= max(suspicion.fit.span / 2, 6 * settings.baseWidth)
    }

    private func doubtful(_ suspicion: Suspicion) -> Verdict? {
        let fit = suspicion.fit
        let slope = interval(fit)
        let young = fit.start < settings.warmUp
        var evidence = [growth(fit, slope)]
        let code: VerdictCode
        switch suspicion.doubt {
        case .noise, .uneven, .seenBefore: return nil
        case .step:
            code = .step
            evidence.append(
                "one step makes up \(Wording.decimal(100 * min(1, fit.largestStep), places: 0)) % of the growth")
        case .flattening:
            code = young ? .warmUp : .cacheFill
            let share = Wording.decimal(100 * max(0, fit.secondHalf) / max(fit.firstHalf, 1e-12), places: 0)
            evidence.append("the second half grew at \(share) % of the pace of the first: it is slowing down")
        case .early(let required):
            code = young ? .warmUp : .notEnoughData
            guard young || fit.rise > required / 2 else { return nil }
            // Without an end in sight nothing can be promised.
            let isFar = !required.isFinite || required > 1e15
            evidence.append(
                "too early to tell a leak from a fill"
                    + (isFar ? "" : ": a growth of \(words.amount(required)) would decide"))
        }
        return Verdict(
            code: code, onsetSeconds: code == .step ? nil : origin + fit.start, slope: slope,
            timeToLimit: code == .step ? nil : timeToLimit(fit, slope), evidence: evidence)
    }

    // MARK: - No growth

    private func quiet() -> Verdict {
        let ring = pyramid.levels[coarsestUseful]
        let recent = (0..<max(1, ring.count / 4)).map { ring.latest($0).floor }.min() ?? 0
        let earlier = (ring.count / 2..<ring.count).map { ring.latest($0).floor }.min() ?? recent
        let change = recent - earlier
        let span = Wording.duration(
            (pyramid.lastSeconds ?? 0) - pyramid.end(of: ring.latest(ring.count - 1), level: coarsestUseful)
                + pyramid.width(coarsestUseful))
        if now < settings.warmUp, change >= settings.smallestRise {
            return Verdict(
                code: .warmUp,
                evidence: [
                    "floor rose by \(words.amount(change)) in the first \(Wording.duration(now)): a young process "
                        + "takes memory it will keep"
                ])
        }
        return Verdict(
            code: .steady,
            evidence: ["floor at \(words.amount(recent)), \(words.amount(change)) from where it was in \(span)"])
    }

    /// The finest level that covers what is kept of the series with at least eight buckets, or the finest.
    private var coarsestUseful: Int {
        pyramid.levels.indices.last { pyramid.levels[$0].count >= 8 } ?? 0
    }
}
