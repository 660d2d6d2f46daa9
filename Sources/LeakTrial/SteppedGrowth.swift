/// Growth by doubling: what an array or a table that is appended to for ever looks like from outside. Between its steps
/// nothing grows, and each step is as large as all before.
struct SteppedGrowth {
    /// Bytes an operation over the last doubling.
    let bytesPerOperation: Double

    /// Nil unless the last three steps or more lie as far apart, and rise as, doubling makes them (a factor of 1.3 to 2.8,
    /// which is what libraries use), and little else grew.
    init?(_ series: CycleSeries, resolution: Double) {
        let jumps = Self.jumps(of: series, resolution: resolution)
        guard jumps.count >= 3 else { return nil }
        let last = Array(jumps.suffix(3))
        for (before, after) in zip(last, last.dropFirst()) {
            guard Self.factors.contains(after.bytes / before.bytes),
                Self.factors.contains(after.operations / before.operations)
            else { return nil }
        }
        // Nothing comes back, and nothing else steps as high.
        guard series.largestReturn < last[2].bytes / 4 else { return nil }
        bytesPerOperation = last[2].bytes / (last[2].operations - last[1].operations)
    }

    private static let factors = 1.3...2.8

    struct Jump {
        /// Operations at the reading after it.
        let operations: Double
        let bytes: Double
    }

    /// Rises that stand out from the rest, oldest first.
    static func jumps(of series: CycleSeries, resolution: Double) -> [Jump] {
        let steps = series.steps
        guard steps.count >= 4 else { return [] }
        let usual = steps.map(abs).sorted()[steps.count / 2]
        return steps.indices.filter { steps[$0] > 8 * usual + 4 * resolution }
            .map { Jump(operations: series.operations[$0 + 1], bytes: steps[$0]) }
    }
}
