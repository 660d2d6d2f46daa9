package import OakumModel

/// What a site is held to be, with the reason in plain words.
package struct SiteVerdict: Hashable, Sendable {
    package var code: SiteVerdictCode
    package var reason: String
    /// What stays of it per second: bytes that outlived the age at which most is freed, over the time they came in. nil
    /// unless it leaks.
    package var leakBytesPerSecond: Estimate?

    package init(code: SiteVerdictCode, reason: String, leakBytesPerSecond: Estimate? = nil) {
        self.code = code
        self.reason = reason
        self.leakBytesPerSecond = leakBytesPerSecond
    }
}

/// "Not enough data" is an answer.
package enum SiteVerdictCode: String, Hashable, Sendable, Codable, CaseIterable {
    /// A share of its bytes is not freed at any age seen, and more of it keeps coming.
    case leaks
    /// What it allocates is freed after a time: a cache, a queue, a buffer.
    case turnsOver = "turns_over"
    /// Allocated early and kept; nothing is added any more, or less and less: tables, warm-up, a cache that is full.
    case settled
    case notEnoughData = "not_enough_data"
}

/// The rule for a site's verdict. Pure: survival and births in, verdict out.
struct SiteJudge {
    /// Seconds from the beginning of sampling to the last birth of any block: a site that is still while all are still
    /// has not settled.
    var activeSeconds: Double
    /// Live samples of the site: seconds from the beginning of sampling to the birth, age and weight.
    var live: [(born: Double, age: Double, record: AllocationRecord)]
    var survival: Survival?
    var confidence: Double

    /// Below this share, what is left over is held to be chance.
    static let negligibleShare = 0.02
    /// As much of what reached the tail must be seen to outlive it, at the least.
    static let flatShare = 0.5
    static let fewestLasting = 5

    func verdict() -> SiteVerdict {
        guard let survival else {
            return SiteVerdict(code: .notEnoughData, reason: oneBlock ?? "fewer than 3 samples at any age")
        }
        let share = survival.neverFreed
        if share.high < 0.05 || (share.low < Self.negligibleShare && share.estimate < 0.05 && !isFlat(survival)) {
            return SiteVerdict(code: .turnsOver, reason: turnover(survival))
        }
        let lasting = live.filter { $0.age >= survival.tailSeconds }
        guard isFlat(survival), share.low > Self.negligibleShare else {
            return undecided(survival, lasting: lasting.count)
        }
        guard lasting.count >= Self.fewestLasting else {
            return SiteVerdict(
                code: .notEnoughData,
                reason: oneBlock
                    ?? "\(lasting.count) samples outlived \(Wording.time(survival.tailSeconds)), 5 are needed")
        }
        let births = Births(lasting.map(\.born), until: activeSeconds - survival.tailSeconds)
        if let settled = births.settled {
            return SiteVerdict(code: .settled, reason: settled)
        }
        var kept = WeightedSum()
        for sample in lasting { kept.add(bytesOf: sample.record) }
        let window = max(births.until - (births.times.first ?? 0), 1e-3)
        let bytes = kept.estimate(confidence: confidence)
        let rate = Estimate(
            estimate: bytes.estimate / window, low: bytes.low / window, high: bytes.high / window)
        return SiteVerdict(code: .leaks, reason: leak(survival), leakBytesPerSecond: rate)
    }

    /// A container that grows is freed and allocated anew, larger: lifetimes say nothing about it.
    private var oneBlock: String? {
        let total = live.reduce(0) { $0 + $1.record.weight }
        guard let largest = live.map(\.record).max(by: { $0.weight < $1.weight }),
            largest.weight >= 0.8 * total, Double(largest.size) >= 0.5 * largest.weight
        else { return nil }
        return
            "one block of \(Wording.bytes(Double(largest.size))) is \(Wording.percent(largest.weight / total)) of it: "
            + "whether it grows, a second image tells"
    }

    private func isFlat(_ survival: Survival) -> Bool {
        survival.tail.estimate > 0.9 && survival.tail.low > Self.flatShare && survival.freedBeyond < 0.1
    }

    private func turnover(_ survival: Survival) -> String {
        let gone = "\(Wording.percent(1 - survival.neverFreed.estimate)) of its bytes are freed within "
        let half = survival.medianSeconds.map { ", half of them within \(Wording.time($0))" } ?? ""
        return gone + Wording.time(survival.horizonSeconds) + half
    }

    private func leak(_ survival: Survival) -> String {
        let horizon = Wording.time(survival.horizonSeconds)
        guard survival.freedSamples > 0 else {
            return "none of its \(survival.liveSamples) samples was freed, within \(horizon) or at all; "
                + "a cache that keeps longer than that looks the same until then"
        }
        let share = survival.neverFreed
        return "\(Wording.percent(share.estimate)) (\(Wording.percent(share.low)) to "
            + "\(Wording.percent(share.high))) of its bytes outlive \(horizon), and of what reached "
            + "\(Wording.time(survival.tailSeconds)) \(Wording.percent(survival.tail.estimate)) did"
    }

    private func undecided(_ survival: Survival, lasting: Int) -> SiteVerdict {
        let share = survival.neverFreed
        let known =
            "\(Wording.percent(share.estimate)) (\(Wording.percent(share.low)) to \(Wording.percent(share.high))) "
            + "of its bytes outlive \(Wording.time(survival.horizonSeconds))"
        let why = isFlat(survival) ? "too few to tell from none" : "and it is still being freed at that age"
        return SiteVerdict(code: .notEnoughData, reason: oneBlock ?? "\(known), \(why)")
    }
}

/// When the lasting blocks of a site came into being. A leak goes on; tables and warm-ups do not.
struct Births {
    var times: [Double]
    /// The latest time of birth that the window of observation allows.
    var until: Double

    init(_ times: [Double], until: Double) {
        self.times = times.sorted()
        self.until = max(until, self.times.last ?? 0)
    }

    /// Why the site has settled; nil when more keeps coming, as far as anyone can tell.
    ///
    /// Births at a steady rate would leave the last stretch empty with probability (1 − stretch)^n, and put half of
    /// themselves into the later half of the time. Births come in bursts, though: the last stretch must be three times as
    /// long as any before, and a half counts as many births as its bursts allow.
    var settled: String? {
        guard let last = times.last, until > 0 else { return nil }
        if isOver(times[...]) {
            return "nothing that stays was added in the last \(Wording.time(until - last)) observed"
        }
        // One in ten may be a straggler: in a cache, an entry that happens to live long.
        let most = times.prefix(times.count - times.count / 10)
        if let end = most.last, end < until / 2, isOver(most) {
            return "nearly all that stays was added in the first \(Wording.time(end)) of \(Wording.time(until))"
        }
        let count = Double(times.count)
        let late = Double(times.reduce(0) { $0 + ($1 > until / 2 ? 1 : 0) }) / count
        let effective = count / burstiness
        let high = Quantiles.beta(0.995, late * effective + 1, (1 - late) * effective)
        guard high < 0.35 else { return nil }
        return "less and less of it stays: \(Wording.percent(late)) of what does came in the later half"
    }

    /// Whether the stretch after these births is too long for chance and three times as long as any between them.
    private func isOver(_ times: ArraySlice<Double>) -> Bool {
        guard let last = times.last else { return false }
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        var chance = 1.0
        for _ in times where chance > 1e-12 { chance *= last / until }
        return chance < 0.005 && until - last > 3 * (gaps.max() ?? 0)
    }

    /// Variance over mean of the births in a sixteenth of the time, within the halves: 1 for independent ones.
    private var burstiness: Double {
        var cells = [Double](repeating: 0, count: 16)
        for time in times { cells[min(15, max(0, Int(time / until * 16)))] += 1 }
        var squares = 0.0
        for half in [cells[..<8], cells[8...]] {
            let mean = half.reduce(0, +) / 8
            squares += half.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        return max(1, squares / 14 / (Double(times.count) / 16))
    }
}
