/// Whose memory is measured.
public enum GrowthScope: Hashable, Sendable {
    /// What the calls allocate: on their thread, in tasks that they start, and on actors that those call.
    case calls
    /// What anybody in the process allocates, but for other measurements: a server under test, an event loop, dispatch queues
    /// and threads. Nothing else may be at work meanwhile: let such tests run alone (`--no-parallel`).
    case process
}

/// What is measured, and what is held to be growth.
public struct GrowthLimits: Hashable, Sendable {
    /// Whose memory is measured.
    public var scope: GrowthScope
    /// Calls of the first measured round. Each further round makes twice as many as the one before; where calls are slow,
    /// fewer are made.
    public var calls: Int
    /// Calls before the first round: they fill caches and make what is made once.
    public var warmUp: Int
    /// Growth up to this is none, in bytes per call.
    public var toleratedBytesPerCall: Double
    /// How much processor time (for calls that suspend: time) rounds may take while the memory still grows. Without growth
    /// far less is used.
    public var patience: Duration
    /// How long may be looked for where and of which type what remains is, and for who holds it.
    public var inspection: Duration

    /// - Parameters:
    ///   - scope: whose memory is measured.
    ///   - calls: 10 at the least.
    ///   - warmUp: more than a cache has room for, when the calls fill one with keys that are new each time.
    ///   - toleratedBytesPerCall: 0 or more.
    ///   - patience: a second decides in nearly all cases.
    ///   - inspection: only taken when memory leaks.
    public init(
        of scope: GrowthScope = .calls, calls: Int = 100, warmUp: Int = 10, toleratedBytesPerCall: Double = 1,
        patience: Duration = .seconds(1), inspection: Duration = .milliseconds(1_200)
    ) {
        self.scope = scope
        self.calls = max(10, calls)
        self.warmUp = max(4, warmUp)
        self.toleratedBytesPerCall = max(0, toleratedBytesPerCall)
        self.patience = patience
        self.inspection = inspection
    }
}

/// One round of calls, and what was alive after it.
public struct GrowthRound: Hashable, Sendable {
    /// Calls made in this round.
    public var calls: Int
    /// Blocks of memory that calls of this or an earlier round allocated and that are still there.
    public var liveBlocks: Int
    /// The bytes asked for with those.
    public var liveBytes: Int

    /// A round as it was read.
    public init(calls: Int, liveBlocks: Int, liveBytes: Int) {
        self.calls = calls
        self.liveBlocks = liveBlocks
        self.liveBytes = liveBytes
    }
}
