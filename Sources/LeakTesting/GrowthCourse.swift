/// Decides which round comes next, and when enough is known. Pure: readings in, steps out.
///
/// A leak is growth that goes on as the calls get more: rounds double, so a cache is full after a few of them, however it
/// was filled, and storage that grows by doubling (an array, a dictionary) grows in every round if it grows without end.
/// Growth of all of the last four rounds, at a rate that does not fade, is a leak; two rounds that do not rise above those before are none.
struct GrowthCourse {
    enum Step: Equatable {
        case warmUp(calls: Int)
        case round(calls: Int)
        /// Wait until nothing is freed any more, and read once more: `handle(confirmed:)`.
        case confirm
        case finish(GrowthVerdict)
    }

    static let fewestRounds = 5
    static let mostRounds = 10
    static let persistent = 4
    /// Of the highest rate of the last rounds, what the lowest must reach. Storage that doubles grows by steps, whose rates
    /// differ by up to four.
    static let steadiness = 0.2
    /// Blocks that are kept track of; more are leak enough.
    static let blockLimit = 200_000
    /// Calls of the first round.
    static let mostCalls = 1_000_000
    private static let mostConfirmations = 4

    let limits: GrowthLimits
    private(set) var base: Int
    /// The first is the warm-up.
    private(set) var rounds: [GrowthRound] = []
    private var spent: Duration = .zero
    private var confirmations = 0

    init(_ limits: GrowthLimits) {
        self.limits = limits
        base = max(10, min(limits.calls, Self.mostCalls))
    }

    // The limits are variables, so they are not taken at their word: the last calls of the warm-up are timed.
    var first: Step { .warmUp(calls: max(4, limits.warmUp)) }

    /// - Parameter perCall: time of one call, the last ones of the warm-up: the first does what is done once.
    mutating func handle(warmedUp reading: GrowthRound, perCall: Duration) -> Step {
        rounds = [reading]
        // All rounds that it takes to find a leak have to fit into the patience.
        let calls = (1 << Self.fewestRounds) - 1
        if perCall > .zero {
            let affordable = limits.patience / perCall / Double(calls)
            base = max(4, min(base, Int(max(0, min(affordable, Double(Self.mostCalls))))))
        }
        return .round(calls: base)
    }

    mutating func handle(finished reading: GrowthRound, took: Duration) -> Step {
        rounds.append(reading)
        spent += took
        return next()
    }

    /// The reading after all that was still under way has had its time.
    mutating func handle(confirmed blocks: Int, _ bytes: Int) -> Step {
        let last = rounds.count - 1
        let isUnchanged = rounds[last].liveBlocks <= blocks
        rounds[last].liveBlocks = blocks
        rounds[last].liveBytes = bytes
        if isUnchanged || (hasPersisted && confirmations >= Self.mostConfirmations) { return .finish(.leak) }
        return next()
    }

    private mutating func next() -> Step {
        let measured = rounds.count - 1
        if measured >= 3, rises.suffix(2).allSatisfy({ !isGrowth($0) }) { return .finish(.clean) }
        let isOver = spent >= limits.patience || (rounds.last?.liveBlocks ?? 0) > Self.blockLimit
        if measured >= Self.fewestRounds, hasPersisted, isOver || measured >= Self.mostRounds - 2 {
            confirmations += 1
            return .confirm
        }
        guard measured < Self.mostRounds else { return .finish(undecided) }
        // Growth that comes and goes is looked at for four times as long as growth that stays.
        if spent > limits.patience * 4, measured >= Self.fewestRounds { return .finish(undecided) }
        return .round(calls: base << (rounds.count - 1))
    }

    private var undecided: GrowthVerdict {
        if let last = rises.last, !isGrowth(last) { return .clean }
        return .undecided(
            "memory still grew in the last round, but not at the rate of the ones before: perhaps a cache that fills. "
                + "More calls to warm up, or calls that use the same keys each time, would tell")
    }

    private func isGrowth(_ rate: Double) -> Bool { rate > limits.toleratedBytesPerCall }

    /// By how much each measured round rose above all before it, in bytes per call: what comes and goes does not rise.
    private var rises: [Double] { rises(of: \.liveBytes) }

    private func rises(of what: KeyPath<GrowthRound, Int>) -> [Double] {
        var highest = rounds.first?[keyPath: what] ?? 0
        return rounds.dropFirst().map { round in
            defer { highest = max(highest, round[keyPath: what]) }
            return Double(round[keyPath: what] - highest) / Double(round.calls)
        }
    }

    /// In bytes, or, where one large block doubled in a round and the others did not, in blocks.
    private var hasPersisted: Bool {
        let last = rises.suffix(Self.persistent)
        guard last.count == Self.persistent, last.allSatisfy(isGrowth) else { return false }
        return Self.isSteady(last) || Self.isSteady(rises(of: \.liveBlocks).suffix(Self.persistent))
    }

    private static func isSteady(_ rates: some Sequence<Double>) -> Bool {
        guard let lowest = rates.min(), let highest = rates.max() else { return false }
        return lowest > 0 && lowest >= steadiness * highest
    }

    // MARK: - Rates

    /// Growth per call over the last rounds, with an interval from how much they differ.
    func rate(of what: KeyPath<GrowthRound, Int>) -> GrowthRate {
        let window = Array(rounds.suffix(Self.persistent + 1))
        let steps = zip(window, window.dropFirst()).map {
            (calls: Double($1.calls), growth: Double($1[keyPath: what] - $0[keyPath: what]))
        }
        let calls = steps.reduce(0) { $0 + $1.calls }
        guard calls > 0 else { return GrowthRate(estimate: 0, low: 0, high: 0) }
        let estimate = steps.reduce(0) { $0 + $1.growth } / calls
        guard steps.count > 1 else { return GrowthRate(estimate: estimate, low: estimate, high: estimate) }
        let residual = steps.reduce(0) { sum, step in
            let off = step.growth - estimate * step.calls
            return sum + off * off / step.calls
        }
        let degrees = steps.count - 1
        let error = (residual / Double(degrees) / calls).squareRoot()
        let half = Self.quantiles[min(degrees, Self.quantiles.count) - 1] * error
        return GrowthRate(estimate: estimate, low: estimate - half, high: estimate + half)
    }

    /// Student's t, 97.5 %, by degrees of freedom from 1 on.
    private static let quantiles = [12.706, 4.303, 3.182, 2.776, 2.571]
}
