import OakumModel

/// How often recycles may start: a least distance, a cap an hour, and a growing wait after failures.
struct RecyclePace: Hashable, Sendable {
    /// Starts within the last hour, oldest first; bounded by the cap, since none starts beyond it, and by what a
    /// restarted `oakum` read of its journal.
    private var starts: [Uptime] = []
    private var failures = 0
    private var notBefore: Uptime?

    /// Counts starts from before a restart of `oakum`, so that restarting it does not lift the limits.
    mutating func resume(_ earlier: [Uptime], at now: Uptime) {
        starts = (earlier.filter { $0 <= now && now - $0 < 3_600 } + starts).sorted()
    }

    mutating func allows(at now: Uptime, settings: PoolSettings) -> Bool {
        starts.removeAll { now - $0 >= 3_600 }
        if let notBefore, now < notBefore { return false }
        if let last = starts.last, now - last < settings.minimumInterval { return false }
        return starts.count < settings.atMostPerHour
    }

    mutating func started(at now: Uptime) {
        starts.append(now)
    }

    mutating func succeeded() {
        failures = 0
        notBefore = nil
    }

    /// Returns the wait in seconds.
    mutating func failed(at now: Uptime, settings: PoolSettings) -> Double {
        var wait = settings.failureBackoff
        for _ in 0..<min(failures, 32) where wait < settings.longestFailureBackoff {
            wait *= 2
        }
        wait = min(wait, settings.longestFailureBackoff)
        failures += 1
        notBefore = now + wait
        return wait
    }
}
