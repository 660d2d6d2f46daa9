/// What one destination may get at once.
package struct OutboxLimits: Hashable, Sendable {
    /// Messages in flight besides those of the first priority.
    package var inFlight: Int
    /// Messages of the first priority in flight: slots of their own, so that nothing else can take them. A bound on
    /// memory and on what a receiver has to bear, not a rate.
    package var firstInFlight: Int
    /// Messages a second in the long run; nil: any. Counts those of the first priority too, but never holds them back.
    package var ratePerSecond: Double?
    /// How many may come at once after a pause.
    package var burst: Double

    package init(inFlight: Int = 4, firstInFlight: Int = 16, ratePerSecond: Double? = nil, burst: Double = 5) {
        self.inFlight = max(inFlight, 1)
        self.firstInFlight = max(firstInFlight, 1)
        self.ratePerSecond = ratePerSecond.map { max($0, 0.001) }
        self.burst = max(burst, 1)
    }
}

/// Who is in flight, and who may go next: slots and token buckets by destination. Pure.
///
/// Destinations know nothing of each other: one that hangs keeps its own slots and no more. The bound on all ordinary
/// messages (`maximumInFlight`) leaves every destination one slot however full it is; first messages do not count
/// there. So in memory there are at most `maximumInFlight`, and 1 + `firstInFlight` for each destination.
package struct OutboxTraffic: Sendable {
    private struct Lane {
        var ordinary = 0
        var first = 0
        /// May be negative: first messages borrow, down to one burst.
        var tokens: Double
        var filledAt: OutboxInstant
        /// The receiver has asked for a pause.
        var heldUntil: OutboxInstant?
    }

    package var limits: OutboxLimits
    package var limitsByDestination: [String: OutboxLimits]
    package var maximumInFlight: Int
    /// Of all priorities.
    package private(set) var inFlight = 0
    private var ordinaryInFlight = 0
    private var lanes: [String: Lane] = [:]
    private var turn = 0

    package init(
        limits: OutboxLimits = OutboxLimits(), limitsByDestination: [String: OutboxLimits] = [:],
        maximumInFlight: Int = 256
    ) {
        self.limits = limits
        self.limitsByDestination = limitsByDestination
        self.maximumInFlight = max(maximumInFlight, 1)
    }

    /// How many more messages of this kind may start now.
    package func room(_ destination: String, isFirst: Bool, at now: OutboxInstant) -> Int {
        let limits = limits(of: destination)
        let lane = lanes[destination]
        let busy = (isFirst ? lane?.first : lane?.ordinary) ?? 0
        let slots = (isFirst ? limits.firstInFlight : limits.inFlight) - busy
        guard !isFirst else { return max(slots, 0) }
        let shared = max(maximumInFlight - ordinaryInFlight, busy == 0 ? 1 : 0)
        if let held = lane?.heldUntil, now < held { return 0 }
        let tokens = limits.ratePerSecond == nil ? Int.max : Int(tokens(lane, limits, now).rounded(.down))
        return max(min(slots, shared, tokens), 0)
    }

    /// A number that rises with each call: where to begin among the destinations, so that none is always the first.
    package mutating func nextTurn() -> Int {
        turn = (turn + 1) & 0xffff
        return turn
    }

    /// When rate and pause allow this destination its next ordinary message; nil when they do now.
    package func nextToken(_ destination: String, at now: OutboxInstant) -> OutboxInstant? {
        let (limits, lane) = (limits(of: destination), lanes[destination])
        let held = lane?.heldUntil.flatMap { now < $0 ? $0 : nil }
        guard let rate = limits.ratePerSecond else { return held }
        let missing = 1 - tokens(lane, limits, now)
        let refilled = missing <= 0 ? nil : now.advanced(by: .seconds(missing / rate))
        return [held, refilled].compactMap { $0 }.max()
    }

    /// The receiver asked for a pause (429, 503 with Retry-After): ordinary messages to it wait until then.
    package mutating func hold(_ destination: String, until instant: OutboxInstant, at now: OutboxInstant) {
        var lane = lanes[destination] ?? Lane(tokens: limits(of: destination).burst, filledAt: now)
        lane.heldUntil = max(lane.heldUntil ?? instant, instant)
        lanes[destination] = lane
    }

    /// One message starts.
    package mutating func started(_ destination: String, isFirst: Bool, at now: OutboxInstant) {
        let limits = limits(of: destination)
        var lane = lanes[destination] ?? Lane(tokens: limits.burst, filledAt: now)
        lane.tokens = max(tokens(lane, limits, now) - 1, -limits.burst)
        lane.filledAt = now
        if isFirst {
            lane.first += 1
        } else {
            lane.ordinary += 1
            ordinaryInFlight += 1
        }
        lanes[destination] = lane
        inFlight += 1
    }

    /// One message has got its answer.
    package mutating func ended(_ destination: String, isFirst: Bool, at now: OutboxInstant) {
        guard var lane = lanes[destination] else { return }
        if isFirst {
            lane.first -= 1
        } else {
            lane.ordinary -= 1
            ordinaryInFlight -= 1
        }
        inFlight -= 1
        lanes[destination] = lane
        forgetIdle(at: now)
    }

    /// A destination whose bucket is full again is like one never heard of: so the table stays as small as the traffic.
    private mutating func forgetIdle(at now: OutboxInstant) {
        guard lanes.count > 64 else { return }
        lanes = lanes.filter { name, lane in
            let limits = limits(of: name)
            return lane.ordinary > 0 || lane.first > 0 || tokens(lane, limits, now) < limits.burst
                || lane.heldUntil.map { now < $0 } ?? false
        }
    }

    private func limits(of destination: String) -> OutboxLimits {
        limitsByDestination[destination] ?? limits
    }

    private func tokens(_ lane: Lane?, _ limits: OutboxLimits, _ now: OutboxInstant) -> Double {
        guard let lane, let rate = limits.ratePerSecond else { return limits.burst }
        let seconds = Double(max(now.milliseconds - lane.filledAt.milliseconds, 0)) / 1000
        return min(lane.tokens + seconds * rate, limits.burst)
    }
}
