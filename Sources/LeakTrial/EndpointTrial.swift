/// What kind of growth an operation causes.
package enum GrowthKind: String, Hashable, Sendable, Codable {
    /// Every operation keeps memory, whatever it asks for.
    case perRequest = "per_request"
    /// Every new key keeps memory; the same keys do not.
    case unboundedByKey = "unbounded_by_key"
    /// New keys keep memory up to a bound.
    case boundedCache = "bounded_cache"
}

/// The answer for one endpoint (or one command).
package enum TrialVerdict: String, Hashable, Sendable, Codable {
    case clean
    case leak
    case inconclusive
    case nothingMeasured = "nothing_measured"
}

/// Which operations to send next.
package enum Arm: String, Hashable, Sendable, Codable {
    /// The same corpus in each cycle.
    case sameKeys = "same_keys"
    /// The same shapes with keys that were never sent before.
    case freshKeys = "fresh_keys"
}

/// What to do after a reading.
package enum TrialStep: Hashable, Sendable {
    case cycle(Arm)
    case done(EndpointFinding)
}

/// The answer with its numbers.
package struct EndpointFinding: Hashable, Sendable {
    package var verdict: TrialVerdict
    package var kind: GrowthKind?
    /// Bytes an operation; nil when too little was read.
    package var bytesPerOperation: GrowthInterval?
    /// Of a bounded cache: what it filled, bytes.
    package var ceilingBytes: Double?
    /// The smallest leak this trial would have seen, bytes an operation.
    package var smallestDetectable: Double?
    /// The arm that decided.
    package var arm: Arm
    package var doubt: Doubt?

    package init(
        verdict: TrialVerdict, kind: GrowthKind? = nil, bytesPerOperation: GrowthInterval? = nil,
        ceilingBytes: Double? = nil, smallestDetectable: Double? = nil, arm: Arm, doubt: Doubt? = nil
    ) {
        self.verdict = verdict
        self.kind = kind
        self.bytesPerOperation = bytesPerOperation
        self.ceilingBytes = ceilingBytes
        self.smallestDetectable = smallestDetectable
        self.arm = arm
        self.doubt = doubt
    }
}

/// One endpoint's experiment. The same keys again and again tell what every request keeps; fresh keys tell a cache from a
/// leak: what grows only with fresh keys is keyed by them, and is bounded when it stops.
package struct EndpointTrial: Sendable {
    package private(set) var arm: Arm = .sameKeys
    package private(set) var sameKeys: ArmTrial
    package private(set) var freshKeys: ArmTrial?
    private let hasKeys: Bool
    /// The arm of the same keys ended with an answer: clean.
    private var isSameKnown = false
    private let freshSettings: TrialSettings

    /// - Parameters:
    ///   - hasKeys: the operations have a key to vary; without one there is one arm.
    ///   - leastFreshKeys: no cache is called unbounded before so many keys; see `stop`.
    package init(settings: TrialSettings, hasKeys: Bool, leastFreshKeys: Double = 20_000) {
        self.hasKeys = hasKeys
        sameKeys = ArmTrial(settings: settings)
        var fresh = settings
        fresh.leastOperations = leastFreshKeys
        // A cache may have to be filled first: time ends this arm, not the number of cycles.
        fresh.mostCycles *= 4
        freshSettings = fresh
    }

    /// The arm under way.
    package var current: ArmTrial { freshKeys ?? sameKeys }

    /// Takes the reading after a cycle. `operations` count from the program's start and rise through both arms.
    package mutating func add(operations: Double, bytes: Double) -> TrialStep {
        if var fresh = freshKeys {
            let finding = fresh.add(operations: operations, bytes: bytes)
            freshKeys = fresh
            return finding.map { .done(conclude(fresh: $0)) } ?? .cycle(.freshKeys)
        }
        switch sameKeys.add(operations: operations, bytes: bytes) {
        case nil: return .cycle(.sameKeys)
        case .leak(let interval):
            return .done(finding(.leak, .perRequest, interval))
        case .clean(let interval, _):
            guard hasKeys else { return .done(finding(.clean, nil, interval)) }
            isSameKnown = true
            beginFresh(operations: operations, bytes: bytes)
            return .cycle(.freshKeys)
        case .undecided(let interval, let doubt):
            return .done(finding(.inconclusive, nil, interval, doubt: doubt))
        }
    }

    /// The time of the arm under way is over. When the same keys have not shown growth, fresh ones are still worth a try.
    package mutating func stopArm() -> TrialStep {
        guard hasKeys, freshKeys == nil, sameKeys.series.count >= sameKeys.settings.leastLeakCycles,
            let last = sameKeys.series.bytes.last,
            let operations = sameKeys.series.operations.last,
            (sameKeys.interval?.low ?? 0) <= sameKeys.settings.floorBytes
        else { return .done(stop()) }
        beginFresh(operations: operations, bytes: last)
        return .cycle(.freshKeys)
    }

    private mutating func beginFresh(operations: Double, bytes: Double) {
        var fresh = ArmTrial(settings: freshSettings)
        // The last reading of one arm is the first of the other.
        _ = fresh.add(operations: operations, bytes: bytes)
        freshKeys = fresh
        arm = .freshKeys
    }

    /// Time is over: says what can be said. Growth by key that is still straight then is called unbounded, with the
    /// number of keys it was seen for; `least` keys at least.
    package func stop(leastFreshKeys least: Double = 6000) -> EndpointFinding {
        guard let fresh = freshKeys else {
            return finding(.inconclusive, nil, sameKeys.interval, doubt: sameKeys.doubt)
        }
        if fresh.doubt == .filling, fresh.series.span >= least, let interval = fresh.interval,
            interval.low > fresh.settings.floorBytes
        {
            return finding(.leak, isSameKnown ? .unboundedByKey : nil, interval)
        }
        return finding(.inconclusive, nil, fresh.interval, doubt: fresh.doubt)
    }

    private func conclude(fresh: ArmFinding) -> EndpointFinding {
        switch fresh {
        case .leak(let interval): finding(.leak, isSameKnown ? .unboundedByKey : nil, interval)
        // What every request keeps, requests with fresh keys keep too: no growth here clears the other arm as well.
        case .clean(let interval, let filled):
            finding(.clean, filled > 0 ? .boundedCache : nil, interval, ceiling: filled > 0 ? filled : nil)
        case .undecided(let interval, let doubt): finding(.inconclusive, nil, interval, doubt: doubt)
        }
    }

    private func finding(
        _ verdict: TrialVerdict, _ kind: GrowthKind?, _ interval: GrowthInterval?, ceiling: Double? = nil,
        doubt: Doubt? = nil
    ) -> EndpointFinding {
        EndpointFinding(
            verdict: verdict, kind: kind, bytesPerOperation: interval, ceilingBytes: ceiling,
            smallestDetectable: current.smallestDetectable, arm: arm, doubt: doubt)
    }
}
