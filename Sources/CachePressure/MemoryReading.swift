/// Memory as of one instant: every place where a limit could be reached.
public struct MemoryReading: Sendable, Hashable {
    /// A place with a limit: a control group, the process's own budget, the machine.
    public struct Place: Sendable, Hashable, CustomStringConvertible {
        /// For people, and to find the place again in the next reading.
        public var name: String
        /// Bytes in use that cannot simply be dropped: what of the page cache lies idle is left out.
        public var usedBytes: Int
        /// Bytes at which somebody suffers.
        public var limitBytes: Int
        /// How often the kernel had to reclaim because the limit was reached, counted since the place was made.
        public var limitEvents: UInt64
        /// How often the kernel killed for it.
        public var killEvents: UInt64

        /// A place as of now.
        public init(name: String, usedBytes: Int, limitBytes: Int, limitEvents: UInt64 = 0, killEvents: UInt64 = 0) {
            self.name = name
            self.usedBytes = usedBytes
            self.limitBytes = limitBytes
            self.limitEvents = limitEvents
            self.killEvents = killEvents
        }

        var share: Double { Double(usedBytes) / Double(max(limitBytes, 1)) }

        func shareWithout(freedBytes: Int) -> Double { Double(usedBytes - freedBytes) / Double(max(limitBytes, 1)) }

        /// "memory cgroup /a/b: 91 % of 512 MiB".
        public var description: String { "\(name): \(Int(share * 100)) % of \(limitBytes >> 20) MiB" }
    }

    /// Since some fixed point; never steps back.
    public var time: Duration
    /// Those that could be read. Empty: nothing is known.
    public var places: [Place]
    /// How long tasks stalled for memory, counted since some fixed point; nil where the kernel does not tell.
    public var stalledMicroseconds: UInt64?
    /// Whether the kernel itself just reported a stall.
    public var stallTriggered: Bool

    /// A reading.
    public init(
        time: Duration, places: [Place], stalledMicroseconds: UInt64? = nil, stallTriggered: Bool = false
    ) {
        self.time = time
        self.places = places
        self.stalledMicroseconds = stalledMicroseconds
        self.stallTriggered = stallTriggered
    }

    /// Bytes in use at the place that is nearest to its limit; 0 when nothing is known.
    var usedBytes: Int { nearest?.usedBytes ?? 0 }

    /// Bytes above a share of the limit, negative when below, at the place where that is most.
    func bytesAbove(_ share: Double) -> Int {
        places.map { $0.usedBytes - Int(Double($0.limitBytes) * share) }.max() ?? 0
    }

    /// How long nothing can happen unseen: until the nearest place is critical at a GiB a second, about what one thread
    /// can fill.
    func safeMilliseconds(critical: Double) -> Int {
        (places.map { Int(Double($0.limitBytes) * critical) - $0.usedBytes }.min() ?? Int.max) >> 20
    }

    private var nearest: Place? { places.max { $0.share < $1.share } }
}
