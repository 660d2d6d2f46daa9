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

    package init(inFlight: Int = 4, firstInFlight: Int = 32, ratePerSecond: Double? = nil, burst: Double = 5) {
        self.inFlight = max(inFlight, 1)
        self.firstInFlight = max(firstInFlight, 1)
        self.ratePerSecond = ratePerSecond.map { max($0, 0.001) }
        self.burst = max(burst, 1)
    }
}

/// Who is in flight, and who may go next: slots and token buckets by destination. Pure.
///
/// Destinations know nothing of each other: one that hangs keeps its own slots and no more. The bound on all
/// (`maximumInFlight`) leaves every destination one slot of each kind however full it is, so there are at most that many
/// messages in memory plus two a destination.
package struct OutboxTraffic: Sendable {
    private struct Lane {
        var ordinary = 0
        var first = 0
        /// May be negative: first messages borrow, down to one burst.
        var tokens: Double
        var filledAt: OutboxInstant
    }

    package var limits: OutboxLimits
    package var limitsByDestination: [String: OutboxLimits]
    package var maximumInFlight: Int
    package private(set) var inFlight = 0
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
        let shared = max(maximumInFlight - inFlight, busy == 0 ? 1 : 0)
        let tokens = isFirst || limits.ratePerSecond == nil ? Int.max : Int(tokens(lane, limits, now).rounded(.down))
        return max(min(slots, shared, tokens), 0)
    }

    /// A number that rises with each call: where to begin among the destinations, so that none is always the first.
    package mutating func nextTurn() -> Int {
        turn = (turn + 1) & 0xffff
        return turn
    }

    /// When the rate allows this destination its next ordinary message; nil when it does now.
    package func nextToken(_ destination: String, at now: OutboxInstant) -> OutboxInstant? {
        let limits = limits(of: destination)
        guard let rate = limits.ratePerSecond else { return nil }
        let missing = 1 - tokens(lanes[destination], limits, now)
        return missing <= 0 ? nil : now.advanced(by: .seconds(missing / rate))
    }

    /// One message starts.
    package mutating func started(_ destination: String, isFirst: Bool, at now: OutboxInstant) {
        let limits = limits(of: destination)
        var lane = lanes[destination] ?? Lane(tokens: limits.burst, filledAt: now)
        lane.tokens = max(tokens(lane, limits, now) - 1, -limits.burst)
        lane.filledAt = now
        if isFirst { lane.first += 1 } else { lane.ordinary += 1 }
        lanes[destination] = lane
        inFlight += 1
    }

    /// One message has got its answer.
    package mutating func ended(_ destination: String, isFirst: Bool, at now: OutboxInstant) {
        guard var lane = lanes[destination] else { return }
        if isFirst { lane.first -= 1 } else { lane.ordinary -= 1 }
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
