/// Expiry of one shard's entries.
extension ShardCore {
    /// What an entry is given when it comes, in nanoseconds of the cache's clock.
    @usableFromInline
    struct Times: Sendable {
        var expires: Int64
        var idleUntil: Int64
        var refreshFrom: Int64
        /// How long after `expires` the entry is kept, should its reload fail.
        var stale: Int64
    }

    /// What a look-up of an entry means now.
    @usableFromInline
    enum Freshness {
        case fresh
        /// To be served, and reloaded.
        case refreshDue
        /// Expired, but kept in case its reload fails.
        case stale
        case dead
    }

    mutating func start(_ slot: Slot, _ times: Times, isNew: Bool) {
        if !isNew { wheel.remove(slot, in: store) }
        let record = wheel.times(slot, in: store)
        record.pointee = EntryTimes(
            expires: times.expires, idleUntil: times.idleUntil, refreshFrom: times.refreshFrom,
            previous: .unlinked, next: .unlinked)
        wheel.schedule(slot, at: end(record.pointee, stale: times.stale), in: store)
    }

    /// When nothing is left to serve, not even after an error.
    private func end(_ times: EntryTimes, stale: Int64) -> Int64 {
        min(times.expires.advanced(byTime: stale), times.idleUntil)
    }

    @usableFromInline
    mutating func freshness(_ slot: UInt32, at now: Int64, stale: Int64) -> Freshness {
        let times = wheel.times(slot, in: store).pointee
        if now >= times.idleUntil { return .dead }
        if now >= times.expires { return now >= times.expires.advanced(byTime: stale) ? .dead : .stale }
        return now >= times.refreshFrom ? .refreshDue : .fresh
    }

    /// A use moves the idle deadline; the wheel finds that out when it comes to the entry.
    @usableFromInline
    mutating func touch(_ slot: UInt32, idleUntil: Int64) {
        wheel.times(slot, in: store).pointee.idleUntil = idleUntil
    }

    /// Someone reloads the entry: nobody else needs to until `time`.
    @usableFromInline
    mutating func postponeRefresh(_ slot: UInt32, until time: Int64) {
        wheel.times(slot, in: store).pointee.refreshFrom = time
    }

    /// Lets time pass for the wheel.
    @usableFromInline
    mutating func advance(to now: Int64) {
        wheel.advance(to: now, in: store)
    }

    /// The next entry whose time is over, detached; nil when none is known or `attempts` entries were looked at.
    @usableFromInline
    mutating func takeExpired(at now: Int64, stale: Int64, attempts: inout Int) -> UInt32? {
        while attempts > 0, let slot = wheel.popDue(in: store) {
            attempts -= 1
            let times = wheel.times(slot, in: store)
            times.pointee.previous = .unlinked
            let end = end(times.pointee, stale: stale)
            if now >= end {
                detach(slot)
                return slot
            }
            wheel.schedule(slot, at: end, in: store)
        }
        return nil
    }
}

extension Int64 {
    /// Later by so much; never stays never.
    @usableFromInline
    func advanced(byTime duration: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(duration)
        return self == .max || overflow ? .max : sum
    }
}
