/// Decides how much each cache may hold, from readings of memory. Pure: no clock, no file, no cache.
///
/// Shrinks fast and grows slowly, as congestion control does: under pressure bounds are multiplied down, the caches that
/// are cheapest to make again first, and only as many as it takes; after a minute of calm they get a fiftieth of what
/// they were configured with back every ten seconds, the dearest first, while memory does not grow otherwise. None goes
/// below its floor, none above its configuration.
///
/// What the allocator has got back but the kernel has not would look like pressure that shrinking does not cure, and so
/// drive every cache to its floor: bytes freed count as gone until memory was given back (`trims`), at most one trim
/// interval long. Not so near the limit: there everything goes to the floor at once.
public struct MemoryGovernor: Sendable {
    /// Thresholds and paces. The defaults suit a service whose caches are a part of its memory.
    public struct Settings: Sendable {
        /// Share of a limit in use from which on nothing grows.
        public var tight = 0.75
        /// Share of a limit in use from which on caches shrink.
        public var high = 0.85
        /// Share of a limit in use at which all caches go to their floor.
        public var critical = 0.95
        /// What is left of a bound after one step because of a high share.
        public var decrease = 0.7
        /// What is left of a bound after one step because tasks stalled for memory.
        public var decreaseOnStall = 0.5
        /// Time that tasks waited for memory within `stallWindow` from which on caches shrink.
        public var stall = Duration.milliseconds(150)
        /// See `stall`.
        public var stallWindow = Duration.seconds(2)
        /// What is always left of a configured bound.
        public var floor = 0.1
        /// Calm that has to pass before anything grows.
        public var calm = Duration.seconds(60)
        /// Time between two steps of growth.
        public var growthInterval = Duration.seconds(10)
        /// Part of the configured bound that a step of growth gives back.
        public var growth = 0.02
        /// Time between two steps down for the same reason, so that the first can take effect.
        public var shrinkInterval = Duration.milliseconds(250)
        /// The same after a stall: stalls caused by giving back memory must not count twice.
        public var stallInterval = Duration.seconds(2)
        /// Time between two trims of the allocator, which takes milliseconds.
        public var trimInterval = Duration.seconds(10)
        /// The same when memory is critical: a slow moment is better than an end.
        public var criticalTrimInterval = Duration.milliseconds(100)
        /// Bytes freed that are worth a trim.
        public var trimBytes = 8 << 20

        /// The defaults.
        public init() {}
    }

    /// How near the end memory is.
    public enum Level: Int, Sendable, Comparable, CaseIterable {
        /// Nothing could be read: nothing is changed.
        case unknown
        /// Enough for everybody.
        case calm
        /// Nothing grows.
        case tight
        /// Caches shrink.
        case high
        /// Tasks wait for memory: caches shrink more.
        case stalled
        /// All caches go to their floor.
        case critical

        /// Nearer to the end is greater.
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    /// A cache as the governor sees it.
    public struct Cache: Sendable, Hashable {
        /// Its place in the owner's list.
        public var id: Int
        /// The greater the dearer: shrinks later, grows sooner.
        public var cost: Int
        /// Bytes it holds.
        public var heldBytes: Int
        /// What it holds, as a share of its configured bound; above 1 right after that was lowered.
        public var fill: Double

        /// A cache as of now.
        public init(id: Int, cost: Int, heldBytes: Int, fill: Double) {
            self.id = id
            self.cost = cost
            self.heldBytes = heldBytes
            self.fill = fill
        }
    }

    /// What to do now.
    public struct Decision: Sendable, Hashable {
        /// How near the end memory is.
        public var level: Level
        /// New bounds of caches by their id, as shares of what they were configured with; only those that change.
        public var shares: [Int: Double] = [:]
        /// Whether the allocator should give back what it does not need.
        public var trims = false
        /// The number that decided, for people: "memory cgroup 91 % of 512 MiB".
        public var reason: String
    }

    private let settings: Settings
    private var shares: [Int: Double] = [:]
    private var calmSince: Duration?
    private var lastGrowth: Duration?
    private var lastShrink: Duration?
    private var lastStall: Duration?
    private var lastTrim: Duration?
    private var freedSinceTrim = 0
    /// Bytes in use beside the caches at the last step of growth.
    private var othersAtGrowth: Int?
    private var stallStart: (time: Duration, microseconds: UInt64)?
    private var previous: MemoryReading?

    /// A governor that has seen nothing yet.
    public init(settings: Settings = Settings()) {
        self.settings = settings
    }

    /// The share of its configured bound that a cache may hold now, 0 to 1.
    public func share(of cache: Int) -> Double { shares[cache] ?? 1 }

    /// Takes a reading.
    /// - Parameters:
    ///   - reading: memory as of now; times must not step back.
    ///   - caches: all caches, as of now. One that is not in the list any more is forgotten.
    public mutating func decide(_ reading: MemoryReading, caches: [Cache]) -> Decision {
        let known = Set(caches.map(\.id))
        shares = shares.filter { known.contains($0.key) }
        var decision = judge(reading)
        switch decision.level {
        case .unknown: break
        case .calm: grow(&decision, reading, caches)
        case .tight: calmSince = nil
        case .high, .stalled, .critical:
            calmSince = nil
            shrink(&decision, reading, caches)
        }
        decideTrim(&decision, at: reading.time)
        previous = reading
        return decision
    }

    // MARK: - Level

    private mutating func judge(_ reading: MemoryReading) -> Decision {
        var worst = Decision(level: .unknown, reason: "memory could not be read")
        var worstShare = 0.0
        for place in reading.places {
            let level = level(of: place)
            guard level > worst.level || level == worst.level && place.share > worstShare else { continue }
            worst = Decision(level: level, reason: place.description)
            worstShare = place.share
        }
        if noticesStall(reading), worst.level < .stalled {
            worst = Decision(level: .stalled, reason: "tasks wait for memory; \(worst.reason)")
        }
        return worst
    }

    private func level(of place: MemoryReading.Place) -> Level {
        let events = newEvents(at: place)
        if place.share >= settings.critical || events.killed { return .critical }
        if place.shareWithout(freedBytes: freedSinceTrim) >= settings.high { return .high }
        guard place.share >= settings.tight else { return .calm }
        // Reaching the limit costs the kernel reclaim. With a lot of page cache that is everyday life, so by itself it
        // says nothing; in a place that is tight anyway it does.
        return events.reclaimed ? .high : .tight
    }

    private func newEvents(at place: MemoryReading.Place) -> (reclaimed: Bool, killed: Bool) {
        guard let before = previous?.places.first(where: { $0.name == place.name }) else { return (false, false) }
        return (place.limitEvents > before.limitEvents, place.killEvents > before.killEvents)
    }

    /// Counts stalls as the kernel's triggers do, in windows. The averages it offers are left alone: they go on telling
    /// of what is over, and a bound would be halved again and again for one stall.
    private mutating func noticesStall(_ reading: MemoryReading) -> Bool {
        guard let now = reading.stalledMicroseconds else {
            stallStart = nil
            return reading.stallTriggered
        }
        guard let start = stallStart, now >= start.microseconds, reading.time >= start.time else {
            stallStart = (reading.time, now)
            return reading.stallTriggered
        }
        let elapsed = reading.time - start.time
        // Readings may be further apart than the window.
        let threshold = max(1, elapsed / settings.stallWindow) * (settings.stall / .microseconds(1))
        let isStall = reading.stallTriggered || Double(now - start.microseconds) >= threshold
        if isStall || elapsed >= settings.stallWindow { stallStart = (reading.time, now) }
        return isStall
    }

    // MARK: - Down

    private mutating func shrink(_ decision: inout Decision, _ reading: MemoryReading, _ caches: [Cache]) {
        if decision.level == .critical { return shrinkToFloor(&decision, reading, caches) }
        let isStall = decision.level == .stalled
        let interval = isStall ? settings.stallInterval : settings.shrinkInterval
        if let last = isStall ? lastStall : lastShrink, reading.time - last < interval { return }
        if isStall { lastStall = reading.time }
        lastShrink = reading.time
        let factor = isStall ? settings.decreaseOnStall : settings.decrease
        // A stall tells no amount: then the cheapest that have something to give are enough for one step.
        let missing = isStall ? 1 : max(1, reading.bytesAbove(settings.tight) - freedSinceTrim)
        var freed = 0
        for cost in Set(caches.map(\.cost)).sorted() where freed < missing {
            for cache in caches where cache.cost == cost {
                freed += lower(cache, to: min(share(of: cache.id), cache.fill) * factor, &decision)
            }
        }
    }

    private mutating func shrinkToFloor(_ decision: inout Decision, _ reading: MemoryReading, _ caches: [Cache]) {
        lastShrink = reading.time
        for cache in caches { _ = lower(cache, to: settings.floor, &decision) }
    }

    /// - Returns: bytes that will be free.
    private mutating func lower(_ cache: Cache, to wanted: Double, _ decision: inout Decision) -> Int {
        let target = max(settings.floor, wanted)
        guard target < share(of: cache.id) else { return 0 }
        shares[cache.id] = target
        decision.shares[cache.id] = target
        guard cache.fill > target else { return 0 }
        let freed = Int(Double(cache.heldBytes) * (1 - target / cache.fill))
        freedSinceTrim += freed
        return freed
    }

    // MARK: - Up

    private mutating func grow(_ decision: inout Decision, _ reading: MemoryReading, _ caches: [Cache]) {
        let start = calmSince ?? reading.time
        calmSince = start
        guard reading.time - start >= settings.calm,
            lastGrowth.map({ reading.time - $0 >= settings.growthInterval }) ?? true
        else { return }
        let others = reading.usedBytes - caches.reduce(0) { $0 + $1.heldBytes }
        defer {
            lastGrowth = reading.time
            othersAtGrowth = others
        }
        // What grows by itself has the first claim on memory.
        if let othersAtGrowth, others > othersAtGrowth + reading.usedBytes / 100 { return }
        // What caches may already hold, but do not yet, is spoken for.
        var room = -reading.bytesAbove(settings.tight)
        for cache in caches { room -= max(0, Int(Double(configured(cache)) * share(of: cache.id)) - cache.heldBytes) }
        for cost in Set(caches.map(\.cost)).sorted(by: >) {
            let waiting = caches.filter { $0.cost == cost && share(of: $0.id) < 1 }
            for cache in waiting {
                let target = min(1, share(of: cache.id) + settings.growth)
                let gain = Int(Double(configured(cache)) * (target - share(of: cache.id)))
                guard gain < room else { continue }
                room -= gain
                shares[cache.id] = target
                decision.shares[cache.id] = target
            }
            if !waiting.isEmpty { break }
        }
    }

    /// Bytes a cache would hold if it held all that it was configured with; 0 for an empty one, which nobody knows.
    private func configured(_ cache: Cache) -> Int {
        cache.fill > 0 ? Int(Double(cache.heldBytes) / cache.fill) : 0
    }

    // MARK: - Back to the kernel

    private mutating func decideTrim(_ decision: inout Decision, at time: Duration) {
        let isCritical = decision.level == .critical
        let interval = isCritical ? settings.criticalTrimInterval : settings.trimInterval
        guard freedSinceTrim >= (isCritical ? 1 : settings.trimBytes), lastTrim.map({ time - $0 >= interval }) ?? true
        else { return }
        decision.trims = true
        lastTrim = time
        freedSinceTrim = 0
    }
}
