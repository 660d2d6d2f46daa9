/// What one arm of operations has shown.
package enum ArmFinding: Hashable, Sendable {
    /// Every operation keeps more than the floor.
    case leak(GrowthInterval)
    /// It grew, and has stopped: what it filled, bytes. 0 when nothing grew to speak of.
    case clean(GrowthInterval, filled: Double)
    /// The cycles are used up; the interval says what could be told.
    case undecided(GrowthInterval?, Doubt)
}

/// Why a growth is not called a leak, or quiet not clean.
package enum Doubt: String, Hashable, Sendable, CaseIterable {
    /// Too few readings.
    case few
    /// The noise may explain it, or hide it.
    case noise
    /// One step carries most of it.
    case step
    /// It slows down, as a warm-up or a filling cache does.
    case flattening
    /// Memory comes back from time to time.
    case returns
    /// It is so little yet that it may be a runtime's free lists.
    case pool
    /// It may still be a cache with a bound above what was sent.
    case filling
}

/// One arm: the same kind of operation, in cycles, until it is certain what they keep. Readings in, finding out.
package struct ArmTrial: Sendable {
    package let settings: TrialSettings
    package private(set) var series = CycleSeries()
    /// The latest look.
    package private(set) var interval: GrowthInterval?
    package private(set) var doubt: Doubt = .few
    private var leakLooks = 0
    private var cleanLooks = 0

    package init(settings: TrialSettings = TrialSettings()) {
        self.settings = settings
    }

    /// Takes the reading after a cycle; nil: go on.
    package mutating func add(operations: Double, bytes: Double) -> ArmFinding? {
        guard series.add(operations: operations, bytes: bytes) else { return nil }
        if series.count >= settings.leastCycles, (series.count - settings.leastCycles).isMultiple(of: 2),
            let finding = look()
        {
            return finding
        }
        return series.count >= settings.mostCycles ? .undecided(interval, doubt) : nil
    }

    /// Ends the arm where it stands, because time is over.
    package func stop() -> ArmFinding { .undecided(interval, doubt) }

    /// The smallest growth an operation could have had that this arm would have called a leak; nil: none at all.
    package var smallestDetectable: Double? {
        interval.map { max(settings.floorBytes, settings.floorBytes + ($0.estimate - $0.low)) }
    }

    private mutating func look() -> ArmFinding? {
        if let stepped = SteppedGrowth(series, resolution: settings.resolutionBytes),
            stepped.bytesPerOperation > settings.floorBytes, isOver(settings.leastOperations)
        {
            let bytes = stepped.bytesPerOperation
            interval = GrowthInterval(estimate: bytes, low: bytes / 2, high: bytes * 2)
            cleanLooks = 0
            leakLooks += 1
            return leakLooks > settings.looks ? interval.map { .leak($0) } : nil
        }
        guard let fit = SaturationFit(series, resolution: settings.resolutionBytes) else { return nil }
        interval = fit.growth
        if fit.growth.low > settings.floorBytes {
            cleanLooks = 0
            doubt = doubtOfLeak(fit) ?? doubt
            leakLooks = doubtOfLeak(fit) == nil ? leakLooks + 1 : 0
            return leakLooks > settings.looks ? .leak(fit.growth) : nil
        }
        leakLooks = 0
        doubt = .noise
        let isClean = isLevel(fit, over: series.span) || hasStopped || comesBack
        cleanLooks = isClean && !awaitsDoubling ? cleanLooks + 1 : 0
        if isClean, awaitsDoubling { doubt = .step }
        guard cleanLooks >= settings.looks else { return nil }
        let filled = series.growth > 4 * settings.resolutionBytes + 6 * fit.noise ? series.growth : 0
        return .clean(fit.growth, filled: filled)
    }

    private func isLevel(_ fit: SaturationFit, over operations: Double) -> Bool {
        fit.growth.high < max(settings.floorBytes, 2 * settings.resolutionBytes / operations)
    }

    /// The latter half, taken by itself, is level: what filled up before is full.
    private var hasStopped: Bool {
        let half = series.suffix(from: series.count / 2)
        guard half.count >= 8, let fit = SaturationFit(half, resolution: settings.resolutionBytes) else { return false }
        return isLevel(fit, over: half.span)
    }

    /// What comes back from time to time comes back to the same level.
    private var comesBack: Bool {
        guard let floors = series.floors(resolution: settings.resolutionBytes),
            let fit = SaturationFit(floors, resolution: settings.resolutionBytes)
        else { return false }
        return isLevel(fit, over: floors.span)
    }

    private func isOver(_ operations: Double) -> Bool { series.span >= operations }

    private func doubtOfLeak(_ fit: SaturationFit) -> Doubt? {
        if !isOver(settings.leastOperations) { return .filling }
        let growth = series.growth
        if growth < settings.poolBytes, !isOver(settings.poolOperations) { return .pool }
        let steps = series.steps
        if series.count < settings.leastLeakCycles { return .few }
        if growth <= 0 || (steps.max() ?? 0) > growth / 2 { return .step }
        // Some that carry nearly all are the same in pieces: arenas, tables.
        if steps.sorted(by: >).prefix(4).reduce(0, +) > 0.8 * growth { return .step }
        if series.largestReturn > growth / 4 + 4 * fit.noise { return .returns }
        return isFlattening(fit) ? .flattening : nil
    }

    /// The last quarter grew less than two thirds of what the one before did, beyond what noise explains. (What went
    /// before may have been warm-up.)
    private func isFlattening(_ fit: SaturationFit) -> Bool {
        let end = series.count - 1
        let (start, middle) = (series.count / 2, 3 * series.count / 4)
        let slack = 2 * fit.noise / (series.operations[end] - series.operations[middle])
        return rate(middle, end) < 0.67 * rate(start, middle) - slack
    }

    private func rate(_ from: Int, _ to: Int) -> Double {
        (series.bytes[to] - series.bytes[from]) / (series.operations[to] - series.operations[from])
    }

    /// A step of the size that doubling makes is not over before twice as many operations have passed.
    private var awaitsDoubling: Bool {
        guard let now = series.operations.last else { return false }
        return SteppedGrowth.jumps(of: series, resolution: settings.resolutionBytes).contains { jump in
            jump.bytes > settings.floorBytes / 2 * jump.operations && now < 2.2 * jump.operations
        }
    }
}
