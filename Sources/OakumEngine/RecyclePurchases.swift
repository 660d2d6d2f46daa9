import OakumModel
import Recycling

/// What recycles bought: time, never a cure. Remembers the slope before each and compares it with the successor's.
///
/// Bounded by the number of living workers: an entry goes when its worker does.
struct RecyclePurchases: Sendable {
    private struct Leaving: Sendable {
        var slope: Double?
        var rss: ByteCount?
        /// What it held once it had warmed up: where its growth began, by its slope.
        var warmLevel: Double?
        /// An even share of the service's requests by its own: its successor will get about as many as the others.
        var evenShare: Double
    }

    private struct Purchase: Sendable {
        var slopeBefore: Double?
        var predicted: Double?
        /// What a worker holds once it has warmed up.
        var begin: Double?
        /// From there to what the predecessor held: what `predicted` is the time for.
        var regrowth: Double?
        var servingSince: Uptime
        /// It replaced a worker that had to go; one replaced by hand may have been well.
        var wasNeeded: Bool
        var judged = false
        var toldEnd = false
        var toldCutShort = false
    }

    private var leaving: [UInt32: Leaving] = [:]
    private var bought: [UInt32: Purchase] = [:]

    /// A worker is about to be replaced. When it was itself bought by a recycle, tells how long that lasted: once, even
    /// when the replacing fails and is tried again.
    mutating func begin(
        _ request: RecycleRequest, watch: WorkerWatch?, evenShare: Double? = nil, service: String, at now: Moment
    ) -> Event? {
        let number = request.worker
        guard let watch else { return nil }
        let slope = watch.verdict.code == .leak ? watch.verdict.slope?.estimate : nil
        leaving[number] = Leaving(
            slope: slope, rss: watch.latest?.rss, warmLevel: Self.warmLevel(watch, at: now.uptime),
            evenShare: min(2, max(0.5, evenShare ?? 1)))
        guard let purchase = bought[number], purchase.wasNeeded, !purchase.toldEnd else { return nil }
        let lasted = now.uptime - purchase.servingSince
        var facts: [String: String] = [:]
        if let predicted = purchase.predicted { facts["predicted_s"] = Words.fixed(predicted, 1) }
        facts["lasted_s"] = Words.fixed(lasted, 1)
        var message = "\(service)/\(number) lasted \(Words.seconds(lasted))"
        // Who is replaced at a lower level than the predecessor has not used up what was bought, and the other way round:
        // compared is the time to the same level, at the pace that was seen.
        var observed = lasted
        if let regrowth = purchase.regrowth, let begin = purchase.begin, let held = watch.latest?.rss,
            Double(held.bytes) - begin > regrowth / 2
        {
            observed = lasted * regrowth / (Double(held.bytes) - begin)
            message += ", at a pace that brings it to its predecessor's level in \(Words.seconds(observed))"
        }
        message += purchase.predicted.map { ", \(Words.seconds($0)) were expected: " } ?? ": "
        if request.cause == .byHand {
            // Nobody knows how long it would have gone on: that is no observation.
            guard !purchase.toldCutShort else { return nil }
            bought[number]?.toldCutShort = true
            facts["at_least_s"] = Words.fixed(lasted, 1)
            message += "cut short by hand, so what the last recycle bought is not known"
        } else {
            bought[number]?.toldEnd = true
            facts["observed_s"] = Words.fixed(observed, 1)
            message += "the last recycle bought time, the cause is still there"
        }
        return Event(
            kind: .slopeAfterwards, at: now, service: service, worker: number, process: watch.process,
            message: message, verdict: watch.verdict, facts: facts)
    }

    /// A worker's growth followed back by its slope to when it began to serve: what it held then, warm-up included. Less
    /// than it did hold when the leak set in later. Nil when it does not leak or was taken over in the middle of its life.
    private static func warmLevel(_ watch: WorkerWatch, at now: Uptime) -> Double? {
        guard watch.verdict.code == .leak, let slope = watch.verdict.slope?.estimate, slope > 0,
            let held = watch.latest?.rss, let since = watch.servingSince, watch.startedAt != nil
        else { return nil }
        return Double(held.bytes) - slope * max(0, now - since)
    }

    /// The successor serves and the old worker is gone. Returns the seconds this is expected to have bought: the time the
    /// successor takes from the level it will hold once it is warm to what the old one held, at the old one's slope for an
    /// even share of the requests. A warm-up is quick and no leak: counted as a part of the growth, it would promise too much.
    mutating func finish(
        _ request: RecycleRequest, successor: UInt32, watch: WorkerWatch?, at now: Moment
    ) -> Double? {
        let left = leaving.removeValue(forKey: request.worker)
        bought[request.worker] = nil
        var predicted: Double?
        var regrowth: Double?
        var begin: Double?
        if let slope = left?.slope, slope > 0, let held = left?.rss,
            let fresh = watch?.freshFloor ?? watch?.latest?.rss,
            held > fresh
        {
            let warm = max(Double(fresh.bytes), left?.warmLevel ?? 0)
            let level = warm < Double(held.bytes) ? warm : Double(fresh.bytes)
            begin = level
            regrowth = Double(held.bytes) - level
            predicted = (Double(held.bytes) - level) / (slope * (left?.evenShare ?? 1))
        }
        // A successor that died meanwhile starts afresh: nothing it does then is due to this recycle.
        if let since = watch?.servingSince {
            let needed = request.cause != .byHand || left?.slope != nil
            bought[successor] = Purchase(
                slopeBefore: left?.slope, predicted: predicted, begin: begin, regrowth: regrowth, servingSince: since,
                wasNeeded: needed)
        }
        return predicted
    }

    /// The successor's verdict became a leak, or it has stayed without one for ten minutes: told once.
    mutating func judge(_ number: UInt32, watch: WorkerWatch, service: String, at now: Moment) -> Event? {
        guard let purchase = bought[number], !purchase.judged, let before = purchase.slopeBefore else { return nil }
        let leaks = watch.verdict.code == .leak
        guard leaks || now.uptime - purchase.servingSince >= 600 else { return nil }
        bought[number]?.judged = true
        var facts = ["slope_before_bytes_per_s": Words.fixed(before, 0)]
        if let predicted = purchase.predicted { facts["predicted_s"] = Words.fixed(predicted, 1) }
        if !leaks { facts["holds"] = "true" }
        var message =
            "\(service)/\(number) shows no leak 10 min after its recycle; before it grew \(Words.rate(before))"
        if leaks, let after = watch.verdict.slope?.estimate {
            facts["slope_after_bytes_per_s"] = Words.fixed(after, 0)
            let time = purchase.predicted.map { "about \(Words.seconds($0))" } ?? "time"
            message =
                "\(service)/\(number) grows by \(Words.rate(after)), its predecessor by \(Words.rate(before)): "
                + "the recycle bought \(time), it fixed nothing"
        }
        return Event(
            kind: .slopeAfterwards, at: now, service: service, worker: number, process: watch.process,
            message: message, verdict: watch.verdict, facts: facts)
    }

    /// The worker's process is gone.
    ///
    /// - Parameter isLeaving: its recycle is under way, and what it leaves behind is still to be reckoned.
    mutating func forget(_ number: UInt32, leaving isLeaving: Bool) {
        if !isLeaving { leaving[number] = nil }
        bought[number] = nil
    }
}
