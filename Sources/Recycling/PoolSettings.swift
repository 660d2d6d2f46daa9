/// How the workers of one service may be replaced. Times are seconds.
package struct PoolSettings: Hashable, Sendable {
    /// How many workers there should be; at least 1.
    package var desired: Int
    /// Never fewer serving workers than this by an act of Oakum; 0...desired.
    package var capacityFloor: Int
    /// A worker that does not serve this long after its start has failed.
    package var readyWithin: Double
    /// A worker must stay alive this long after its first good probe before it counts as serving.
    package var minimumHealthy: Double
    /// Between the starts of two recycles.
    package var minimumInterval: Double
    /// Recycles started within any hour. The oldest start is forgotten when it is an hour old.
    package var atMostPerHour: Int
    /// Wait after a failed recycle; doubles with each further failure.
    package var failureBackoff: Double
    /// The longest such wait.
    package var longestFailureBackoff: Double

    package init(
        desired: Int, capacityFloor: Int, readyWithin: Double = 30, minimumHealthy: Double = 1,
        minimumInterval: Double = 5, atMostPerHour: Int = 120, failureBackoff: Double = 10,
        longestFailureBackoff: Double = 600
    ) {
        self.desired = max(1, desired)
        self.capacityFloor = min(max(0, capacityFloor), max(1, desired))
        self.readyWithin = readyWithin
        self.minimumHealthy = minimumHealthy
        self.minimumInterval = minimumInterval
        self.atMostPerHour = max(1, atMostPerHour)
        self.failureBackoff = failureBackoff
        self.longestFailureBackoff = max(failureBackoff, longestFailureBackoff)
    }
}
