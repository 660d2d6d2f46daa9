package import LoadGenerator

/// An executable postmortem: everything a drill needs to know, read from its document. No scenario is known to the
/// code.
package struct DrillDocument: Sendable {
    package var scenario: String
    package var service: DrillService
    /// Nil: the fault build runs as it is.
    package var fault: DrillFault?
    /// A small volume of the arms under Oakum, that can be filled; nil: none.
    package var volume: DrillVolume?
    /// The repaired build is replaced by the fault build so long after the first request, seconds; nil: it has the fault
    /// from the start.
    package var deployAtSeconds: Double?
    package var load: DrillLoad
    package var arms: DrillArms
    /// What people did then that did not help; nil when it is not replayed.
    package var wrongMove: WrongMove?
    /// Nil when there is no observed arm.
    package var observation: DrillObservation?
    /// Keys and values of `recycle` as `oakum.yaml` takes them.
    package var recycle: [(key: String, value: String)]
    /// The same of `heap`; empty: the workers carry no sampler.
    package var heap: [(key: String, value: String)]
    package var expectations: DrillExpectations
    /// The original incident's times.
    package var then: [ThenMoment]
}

/// The service under test in its two builds.
package struct DrillService: Sendable {
    package var name: String
    /// The build that can carry the fault: argv, without the fault's own options.
    package var faultBuild: DrillProgram
    /// The build with the fault repaired.
    package var patchedBuild: DrillProgram
    /// Options that let a process own its port instead of inheriting one; may hold `{{folder}}`, `{{port}}`,
    /// `{{worker}}`.
    package var ownPort: [String]
    /// The workers' working folder under Oakum; may hold `{{folder}}`. Nil: the arm's own.
    package var directory: String?
    package var environment: [(key: String, value: String)]
    package var workers: Int
    /// The memory one worker may hold, and one process of the control arm.
    package var budgetBytes: Int64
    package var readyPath: String
    package var readyWithinSeconds: Double
}

/// An argv whose words may hold `{{folder}}` (a folder of the arm's own), with the line it stands on.
package struct DrillProgram: Hashable, Sendable {
    package var words: [String]
    package var line: Int
}

/// One of the faults the fault build offers with `--list-faults`.
package struct DrillFault: Hashable, Sendable {
    package var name: String
    /// The build's own default when nil.
    package var bytes: Int64?
    package var timeSeconds: Double?
    package var afterSeconds: Double?
    package var line: Int

    /// What is added to the fault build's argv.
    var arguments: [String] {
        ["--fault", name] + (bytes.map { ["--fault-bytes", "\($0)"] } ?? [])
            + (timeSeconds.map { ["--fault-time", Self.milliseconds($0)] } ?? [])
            + (afterSeconds.map { ["--fault-after", Self.milliseconds($0)] } ?? [])
    }

    private static func milliseconds(_ seconds: Double) -> String { "\(Int((seconds * 1_000).rounded()))ms" }
}

/// A volume of a few megabytes, mounted for an arm: needs root.
package struct DrillVolume: Hashable, Sendable {
    /// May hold `{{folder}}`.
    package var path: String
    package var bytes: Int64
}

/// From some moment on there are more users.
package struct DrillSurge: Hashable, Sendable {
    /// After the first request.
    package var atSeconds: Double
    /// All rates are multiplied by this.
    package var factor: Double
}

/// The users.
package struct DrillLoad: Sendable {
    package var seed: UInt64
    package var timeoutSeconds: Double
    package var connections: ConnectionPolicy
    package var preparation: [PreparationStep]
    package var streams: [LoadStream]
    package var perSecond: [Double]
    package var surge: DrillSurge?

    /// The plan of one arm.
    func plan(targets: [LoadTarget], seconds: Double) -> LoadPlan {
        LoadPlan(
            seed: seed, targets: targets, connections: connections, preparation: preparation, streams: streams,
            steps: steps(seconds), timeoutSeconds: timeoutSeconds)
    }

    private func steps(_ seconds: Double) -> [LoadStep] {
        guard let surge, surge.atSeconds < seconds else { return [LoadStep(seconds: seconds, perSecond: perSecond)] }
        return [
            LoadStep(seconds: surge.atSeconds, perSecond: perSecond),
            LoadStep(seconds: seconds - surge.atSeconds, perSecond: perSecond.map { $0 * surge.factor }),
        ]
    }
}

/// How long each arm is under load, in seconds.
package struct DrillArms: Hashable, Sendable {
    /// Nil: not run. Where nothing leaks there is nothing to compare with.
    package var control: Double?
    package var protected: Double
    package var patched: Double?
    /// Nil: not run.
    package var observed: Double?
}

/// The historical wrong move, in the control arm.
package struct WrongMove: Hashable, Sendable {
    /// All processes are stopped and started again, so long after the first request.
    package var restartAtSeconds: Double
}

/// What is run.
package enum DrillArm: String, Hashable, Sendable, CaseIterable {
    /// What happened then: plain processes, killed at their budget.
    case control
    /// The same fault under Oakum.
    case protected
    /// The same fault under an Oakum that only observes: nothing is recycled, and the impact happens.
    case observed
    /// The repaired build under Oakum.
    case patched
}

/// What must hold beyond what always must (see `DrillJudgement`).
package struct DrillExpectations: Hashable, Sendable {
    /// Of the protected arm.
    package var requestsAtLeast: UInt64 = 0
    /// False: an innocent twin. No leak may be told, and requests may fail: what is wrong is not Oakum's to repair.
    package var leak = true
    /// How soon the first cause must be told, seconds after the first request.
    package var firstCauseWithinSeconds: Double?
    package var detectedWithinSeconds: Double?
    package var recyclesAtLeast = 0
    /// What the leak must be called; nil when nothing is expected.
    package var named: Name?
    /// What must be told as the first cause, and nothing else before it; nil when nothing is expected.
    package var firstCause: String?
    /// How far the forecast of what a recycle buys may be off, percent of what it did buy.
    package var restartBuysWithinPercent: Double?

    /// The right answer. Texts are parts of what must be named.
    package struct Name: Hashable, Sendable {
        /// Seconds after the verdict.
        package var withinSeconds: Double?
        package var site: String?
        package var type: String?
        /// Parts of the hops from the root to the leaked type, in this order; others may stand between them.
        package var chain: [String] = []
    }
}

/// A moment of the original incident beside its counterpart in the drill.
package struct ThenMoment: Hashable, Sendable {
    package var what: String
    /// Seconds after the incident's first sign.
    package var atSeconds: Double
    package var now: NowMoment?
}

/// What the protected arm measures. Raw values are what documents write.
package enum NowMoment: String, Hashable, Sendable, CaseIterable {
    case leakOnset = "leak_onset"
    case impactOnset = "impact_onset"
    case detected
    case named
    case paged
    case acked
    case recycled
}
