package import OakumModel

/// Workers beside the regular ones, for comparison: some of a candidate release, and as many fresh ones of the current release,
/// started at the same moment, so that what belongs to being young is the same in both. Never recycled.
package struct Trial: Hashable, Sendable {
    package let candidate: ReleaseID
    package let canaries: Set<UInt32>
    package let baselines: Set<UInt32>

    package init(candidate: ReleaseID, canaries: Set<UInt32>, baselines: Set<UInt32>) {
        self.candidate = candidate
        self.canaries = canaries
        self.baselines = baselines
    }

    package var numbers: Set<UInt32> { canaries.union(baselines) }
}

/// Every regular worker is replaced by one of another release, new ones first.
package struct Rollover: Hashable, Sendable {
    package let release: ReleaseID
    /// So many start at a time; at least 1.
    package let atOnce: Int
    package let startedAt: Uptime

    package init(release: ReleaseID, atOnce: Int, startedAt: Uptime) {
        self.release = release
        self.atOnce = max(1, atOnce)
        self.startedAt = startedAt
    }
}
