package import OakumModel

/// How much was counted in a span of time.
package struct Increase: Hashable, Sendable {
    package var amount: Double
    package var from: Uptime
    package var until: Uptime

    package init(amount: Double, from: Uptime, until: Uptime) {
        self.amount = amount
        self.from = from
        self.until = until
    }
}

/// One counter of many processes: what it grew by, process by process, so that a process that is replaced makes neither a
/// drop nor a spike.
///
/// Bounded by the processes of the last `keep`.
package struct CounterMemory: Sendable {
    private var last: [ProcessIdentity: (value: Double, at: Uptime)] = [:]
    /// 2^53: beyond, a counter cannot grow by one. What stands there has wrapped below zero.
    private static let largest = 9_007_199_254_740_992.0

    package init() {}

    /// What the counter of a process grew by since it was last told. nil: not known. That is so the first time, unless the
    /// process began while it was watched; and when the counter ran backwards, as no counter of a living process should:
    /// what it counted in between is left out rather than guessed.
    package mutating func increase(
        of process: ProcessIdentity, to value: Double, startedAt: Uptime?, at now: Uptime
    ) -> Increase? {
        guard value >= 0, value <= Self.largest else { return nil }
        let before = last[process]
        if let before, now <= before.at { return nil }
        last[process] = (value, now)
        guard let before else {
            guard let startedAt, startedAt < now else { return nil }
            return Increase(amount: value, from: startedAt, until: now)
        }
        guard value >= before.value else { return nil }
        return Increase(amount: value - before.value, from: before.at, until: now)
    }

    /// When the process last told it.
    package func toldAt(_ process: ProcessIdentity) -> Uptime? { last[process]?.at }

    /// Forgets all other processes.
    package mutating func keep(_ processes: Set<ProcessIdentity>) {
        guard last.count > processes.count || !last.keys.allSatisfy(processes.contains) else { return }
        last = last.filter { processes.contains($0.key) }
    }
}
