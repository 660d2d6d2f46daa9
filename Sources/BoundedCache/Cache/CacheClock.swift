internal import Glibc

/// Tells a cache the time, in nanoseconds from some fixed point.
public struct CacheClock: Sendable {
    /// Never goes back.
    public let nanoseconds: @Sendable () -> Int64

    /// A clock of your own.
    public init(nanoseconds: @escaping @Sendable () -> Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Any clock of Swift, a virtual one in tests.
    public init<C: Clock>(_ clock: C) where C.Duration == Duration {
        let start = clock.now
        nanoseconds = { start.duration(to: clock.now).inNanoseconds }
    }

    /// The machine's monotonic clock, in steps of 4 ms or less: the cheapest there is, and precise enough for entries.
    public static let monotonic = CacheClock {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The machine's monotonic clock in nanoseconds.
    public static let precise = CacheClock {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension Duration {
    /// At most 292 years, at least none.
    @usableFromInline var inNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? 0 : .max }
        return max(0, product.advanced(byTime: attoseconds / 1_000_000_000))
    }
}
