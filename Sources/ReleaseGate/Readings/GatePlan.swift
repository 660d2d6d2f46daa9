package import OakumModel

/// Which release a worker runs.
package enum Arm: String, Hashable, Sendable, Codable {
    /// The release that wants to be promoted.
    case candidate
    /// The current one, in workers that were started for the comparison: an old worker has warmed up, and differs for that.
    case baseline
}

/// A worker of the comparison.
package struct GateWorker: Hashable, Sendable, Codable, CustomStringConvertible {
    package var arm: Arm
    /// As in `WorkerID`.
    package var number: UInt32

    package init(_ arm: Arm, _ number: UInt32) {
        self.arm = arm
        self.number = number
    }

    package var description: String { "\(arm.rawValue) worker \(number)" }
}

/// What befell a worker.
package struct GateEvent: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Ended without having been told to.
        case crashed
        case outOfMemoryKilled = "oom_killed"
        /// As its caller counts it: three probes in a row that failed.
        case readinessLost = "readiness_lost"
        /// Another process has taken the place, for a reason that is no crash. What was read before is not continued.
        case restarted
    }

    package var at: Uptime
    package var worker: GateWorker
    package var kind: Kind

    package init(at: Uptime, worker: GateWorker, kind: Kind) {
        self.at = at
        self.worker = worker
        self.kind = kind
    }

    private enum CodingKeys: String, CodingKey {
        case at = "uptime_s"
        case worker, kind
    }
}

/// What is compared: all workers that take part, so that one that never tells anything is missed.
package struct GatePlan: Hashable, Sendable {
    package enum Stage: String, Hashable, Sendable, Codable {
        /// Beside fresh workers of the current release.
        case canary
        /// After the promotion, beside what was recorded of the release before.
        case bake
    }

    package let stage: Stage
    /// When the workers were started; both arms at the same moment.
    package let startedAt: Uptime
    package let workers: [GateWorker]
    /// What one worker may hold; nil: not known, and `GateSettings.Memory.assumedHeadroomBytes` is taken to be free.
    package let limit: ByteCount?
    /// Of the bake: the release before.
    package let recorded: MemoryRecord?

    /// More workers of one arm than this are left out of the comparison.
    package static let workerLimit = 32

    /// A canary: as many workers of one release as of the other, at best.
    package static func canary(
        startedAt: Uptime, candidate: [UInt32], baseline: [UInt32], limit: ByteCount? = nil
    ) -> GatePlan {
        GatePlan(
            stage: .canary, startedAt: startedAt,
            workers: candidate.prefix(workerLimit).map { GateWorker(.candidate, $0) }
                + baseline.prefix(workerLimit).map { GateWorker(.baseline, $0) },
            limit: limit, recorded: nil)
    }

    /// A bake: no worker of the release before lives any more.
    package static func bake(
        startedAt: Uptime, candidate: [UInt32], recorded: MemoryRecord?, limit: ByteCount? = nil
    ) -> GatePlan {
        GatePlan(
            stage: .bake, startedAt: startedAt,
            workers: candidate.prefix(workerLimit).map { GateWorker(.candidate, $0) }, limit: limit,
            recorded: recorded)
    }
}
