/// The times of a cache in nanoseconds, with its clock.
@usableFromInline
struct Timing: Sendable {
    @usableFromInline let isUsed: Bool
    @usableFromInline let clock: @Sendable () -> Int64
    @usableFromInline let stale: Int64
    @usableFromInline let idle: Int64
    let timeToLive: Int64
    let negative: Int64?
    let refresh: Int64

    init(_ times: CacheTimes, clock: CacheClock, isUsed: Bool) {
        self.isUsed = isUsed
        self.clock = clock.nanoseconds
        stale = times.staleOnError?.inNanoseconds ?? 0
        idle = times.idleTime?.inNanoseconds ?? .max
        timeToLive = times.timeToLive?.inNanoseconds ?? .max
        negative = times.negativeTimeToLive?.inNanoseconds
        refresh = times.refreshAfter?.inNanoseconds ?? .max
    }

    @inlinable
    func now() -> Int64 { isUsed ? clock() : 0 }

    /// What an entry that is written now gets.
    @usableFromInline
    func times(at now: Int64, lifetime: Duration?, isNegative: Bool) -> ShardCore.Times? {
        guard isUsed else { return nil }
        let life = lifetime?.inNanoseconds ?? (isNegative ? min(negative ?? 0, timeToLive) : timeToLive)
        return ShardCore.Times(
            expires: now.advanced(byTime: life), idleUntil: now.advanced(byTime: idle),
            refreshFrom: isNegative ? .max : now.advanced(byTime: refresh), stale: isNegative ? 0 : stale)
    }
}
