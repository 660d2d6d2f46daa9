/// In what the values of a series are counted; decides thresholds and how evidence is worded, never the mathematics.
package enum SeriesUnit: Hashable, Sendable {
    case bytes
    /// Percent of a whole whose limit is 100.
    case percent
}

/// What a detector takes for granted about the kind of series it reads.
///
/// Times are seconds; values are in the unit of the series. The two kinds in use are ``worker`` and ``machine``; the
/// code that reads them is the same. Where each number comes from is told in `docs/leak-detection.md`.
package struct DetectionSettings: Hashable, Sendable {
    package var unit: SeriesUnit
    /// Values are multiplied by this for wording only: a series in KiB has `unit: .bytes` and 1024 here.
    package var unitScale: Double
    /// Width of the finest bucket, in seconds. Every further level doubles it.
    package var baseWidth: Double
    /// How many levels of buckets there are: the coarsest bucket is `baseWidth × 2^(levels − 1)` wide.
    package var levels: Int
    /// Growth below this is never called anything but steady.
    package var smallestRise: Double
    /// Readings are no finer than this; keeps a series without any noise from having an infinite significance.
    package var resolution: Double
    /// A growth must have this many standard errors.
    package var significance: Double
    /// The same for a growth that begins within ``warmUp``: a flat start followed by a warm-up has a poor line.
    package var youngSignificance: Double
    /// No decision on a window shorter than this.
    package var shortestWindow: Double
    /// The start of the process itself: no growth is counted from here.
    package var settle: Double
    /// Growth that begins within this time from the first reading may be a warm-up.
    package var warmUp: Double
    /// The headroom that is assumed when no limit is known, and the most that counts when the limit is far away.
    package var assumedHeadroom: Double
    /// How much of the headroom a growth must have used before it is called a leak.
    package var shares: HeadroomShares
    /// Waiting is no longer free when the limit may be reached within this many seconds.
    package var urgency: Double
    /// How much of a growth steps may carry, in buckets narrower than a quarter of ``cleanWidth`` and in wider ones.
    package var narrowSteps: StepShares
    package var wideSteps: StepShares
    /// Each third of the window must carry at least this share of the growth.
    package var leastThird: Double
    /// Buckets this wide are taken to see through short-lived allocations; levels reached before are read from these.
    package var cleanWidth: Double
    /// A growth must pass the highest earlier level by this share of the headroom that was left there.
    package var recordShare: Double
    /// Growth that began with less history than this must last for more than 16 hours to be called a leak.
    package var leastHistory: Double

    /// A fresh process at one reading a second, in bytes.
    package static let worker = DetectionSettings(
        unit: .bytes, unitScale: 1, baseWidth: 1, levels: 20, smallestRise: 4_194_304, resolution: 65_536,
        significance: 5, youngSignificance: 8, shortestWindow: 12, settle: 2, warmUp: 300,
        assumedHeadroom: 134_217_728,
        shares: HeadroomShares(
            urgent: 0.3, urgentYoung: 0.4, unproven: 0.5, withinDay: 0.5, overDay: 0.15, seasoned: 0.25),
        urgency: 90, narrowSteps: StepShares(one: 0.4, three: 0.8), wideSteps: StepShares(one: 0.25, three: 0.5),
        leastThird: 0.18, cleanWidth: 16, recordShare: 0.15, leastHistory: 0)

    /// A whole machine that hosts many jobs, at a reading every ten seconds, in percent.
    package static let machine = DetectionSettings(
        unit: .percent, unitScale: 1, baseWidth: 60, levels: 14, smallestRise: 4, resolution: 0.5,
        significance: 1.5, youngSignificance: 1.5, shortestWindow: 1_800, settle: 0, warmUp: 3_600, assumedHeadroom: 50,
        shares: HeadroomShares(
            urgent: 0.5, urgentYoung: 0.5, unproven: 0.5, withinDay: 0.5, overDay: 0.5, seasoned: 0.5),
        urgency: 0, narrowSteps: StepShares(one: 0.75, three: 1), wideSteps: StepShares(one: 0.75, three: 1),
        leastThird: 0.02, cleanWidth: 1_200, recordShare: 0.55, leastHistory: 43_200)

    /// The same settings for values that are multiplied by `factor` (bytes to KiB: 1/1024).
    package func scaled(by factor: Double) -> DetectionSettings {
        var scaled = self
        scaled.unitScale = unitScale / factor
        scaled.smallestRise *= factor
        scaled.resolution *= factor
        scaled.assumedHeadroom *= factor
        return scaled
    }
}

/// Shares of the headroom (limit less the floor at the onset), by what the history can vouch for.
///
/// Waiting tells a leak from a fill better and better, and costs nothing while the limit is far: so a decision is due
/// when a growth has used up its share, not at a fixed time.
package struct HeadroomShares: Hashable, Sendable {
    /// The limit may be reached within ``DetectionSettings/urgency``.
    package var urgent: Double
    /// The same for a growth that begins within the warm-up.
    package var urgentYoung: Double
    /// The history is too short to tell what is normal at the time scale of the growth.
    package var unproven: Double
    /// The growth takes between 45 minutes and 16 hours and less than a day and a quarter went before: it may be the
    /// time of day.
    package var withinDay: Double
    /// The growth has lasted for more than 16 hours: no time of day explains it.
    package var overDay: Double
    /// At least four times as long went before without such a level.
    package var seasoned: Double

    package init(
        urgent: Double, urgentYoung: Double, unproven: Double, withinDay: Double, overDay: Double, seasoned: Double
    ) {
        self.urgent = urgent
        self.urgentYoung = urgentYoung
        self.unproven = unproven
        self.withinDay = withinDay
        self.overDay = overDay
        self.seasoned = seasoned
    }
}

/// Shares of a growth that its largest step, and its three largest together, may have.
package struct StepShares: Hashable, Sendable {
    package var one: Double
    package var three: Double

    package init(one: Double, three: Double) {
        self.one = one
        self.three = three
    }
}
