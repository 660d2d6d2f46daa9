/// How a service takes new releases. Times are seconds.
package struct DeploySettings: Hashable, Sendable {
    /// Canaries, and as many fresh workers of the current release; 1 to 8.
    package var pairs: Int
    package var canarySeconds: Double
    package var canaryAtMostSeconds: Double
    package var bakeSeconds: Double
    /// New workers that start at a time once a release is promoted.
    package var atOnce: Int
    /// Releases whose folders are kept.
    package var keep: Int

    package init(
        pairs: Int = 1, canarySeconds: Double = 180, canaryAtMostSeconds: Double = 600, bakeSeconds: Double = 86_400,
        atOnce: Int = 1, keep: Int = 5
    ) {
        self.pairs = pairs
        self.canarySeconds = canarySeconds
        self.canaryAtMostSeconds = max(canarySeconds, canaryAtMostSeconds)
        self.bakeSeconds = bakeSeconds
        self.atOnce = atOnce
        self.keep = keep
    }
}
