package import OakumModel

/// Why a worker is to be replaced.
package enum RecycleCause: String, Hashable, Sendable, Codable {
    /// The verdict is leak and the limit is near.
    case leak
    /// The budget is nearly used up, whatever the verdict.
    case budget
    /// Somebody asked for it.
    case byHand = "by_hand"
}

/// A wish to replace one worker, with its reason in words.
package struct RecycleRequest: Hashable, Sendable {
    package var worker: UInt32
    package var cause: RecycleCause
    package var reason: String

    package init(worker: UInt32, cause: RecycleCause, reason: String) {
        self.worker = worker
        self.cause = cause
        self.reason = reason
    }
}

/// What happens to a pool.
package enum PoolEvent: Hashable, Sendable {
    case started(UInt32, ProcessIdentity, adminSocket: String, saidReady: Bool)
    case saidReady(UInt32, ProcessIdentity)
    /// It said `STOPPING=1`: asked to by us, or by somebody else.
    case saidStopping(UInt32, ProcessIdentity)
    case probed(UInt32, ProcessIdentity, healthy: Bool)
    case exited(UInt32, ProcessIdentity, willRestart: Bool)
    case requested(RecycleRequest)
    /// So many workers of a candidate, and as many fresh ones of the current release, beside the regular ones. Ends an
    /// earlier trial.
    case trialWanted(candidate: ReleaseID, pairs: Int)
    /// The workers on trial go; with `keepsCanaries` those of the candidate become regular ones, and a rollover follows.
    case trialEnded(keepsCanaries: Bool)
    /// New workers are of this release from now on, and every other regular worker is replaced. Takes the place of a
    /// rollover under way, which is how one is undone.
    case rolloverWanted(ReleaseID, atOnce: Int)
    /// At least once a second.
    case tick
}

/// What the shell must do now.
package enum PoolAction: Hashable, Sendable {
    /// The workers there should be from now on.
    case order(Set<UInt32>)
    /// Ask the worker's readiness check; the answer comes back as `.probed`.
    case probe(UInt32, ProcessIdentity, adminSocket: String)
    case note(PoolNote)
}

/// What people should know of.
package enum PoolNote: Hashable, Sendable {
    /// `after` seconds from its start.
    case serving(UInt32, after: Double)
    /// A worker outside any recycle is not ready in time.
    case overdue(UInt32, after: Double)
    /// More workers than desired, left over from a recycle that was cut short: this one goes. `served` is false when it
    /// goes because it did not come to serve.
    case leftOver(UInt32, served: Bool)
    case recycleStarted(RecycleRequest, successor: UInt32)
    case recycleFinished(RecycleRequest, successor: UInt32, seconds: Double)
    case recycleFailed(RecycleRequest, successor: UInt32, why: String, retryIn: Double)
    case trialStarted(Trial)
    case rolloverStarted(ReleaseID, workers: Int)
    case rolloverFinished(ReleaseID, seconds: Double)
    /// The rest of the old workers stay; who decided on the rollover decides what next.
    case rolloverFailed(ReleaseID, worker: UInt32, why: String)
}
