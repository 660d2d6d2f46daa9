/// What a trial of growth per operation may assume, and how sure it must be. Bytes, operations and cycles.
package struct TrialSettings: Hashable, Sendable {
    /// Growth up to so many bytes an operation is no leak. 16 is what the allocator's rounding and a test's own noise
    /// come to (psleak's floor); 0 suits operations that must leave nothing.
    package var floorBytes: Double
    /// Readings closer together than this are the same: the error of one reading.
    package var resolutionBytes: Double
    /// A look at the series is taken from so many cycles on, then after every second one.
    package var leastCycles: Int
    /// No leak is called before so many cycles: garbage is collected at last.
    package var leastLeakCycles: Int
    /// After so many cycles without an answer the trial is undecided.
    package var mostCycles: Int
    /// So many looks in a row must agree on clean, one more on a leak.
    package var looks: Int
    /// No leak is called before so many operations: what a cache that fills up to a bound may hold. 0 where the
    /// operations are always the same.
    package var leastOperations: Double

    package init(
        floorBytes: Double = 16, resolutionBytes: Double = 256, leastCycles: Int = 10, leastLeakCycles: Int = 16,
        mostCycles: Int = 60,
        looks: Int = 2, leastOperations: Double = 0
    ) {
        self.floorBytes = floorBytes
        self.resolutionBytes = resolutionBytes
        self.leastCycles = leastCycles
        self.leastLeakCycles = leastLeakCycles
        self.mostCycles = mostCycles
        self.looks = looks
        self.leastOperations = leastOperations
    }
}

/// Bytes kept for each operation: the best estimate, and between what it lies (99.9 %).
package struct GrowthInterval: Hashable, Sendable {
    package var estimate: Double
    package var low: Double
    package var high: Double

    package init(estimate: Double, low: Double, high: Double) {
        self.estimate = estimate
        self.low = low
        self.high = high
    }
}
