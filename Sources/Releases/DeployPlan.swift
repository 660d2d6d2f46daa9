package import OakumModel

/// What a deploy is to do. Times are seconds.
package struct DeployPlan: Hashable, Sendable, Codable {
    package var service: String
    package var candidate: ReleaseID
    /// What runs before it, and again when it is undone.
    package var base: ReleaseID
    /// Canaries, and as many fresh workers of the base beside them; 0: no trial, as on the way back to a release that is proven.
    package var pairs: Int
    /// How long canaries may take to serve: their start, their probes, and as much again.
    package var trialSeconds: Double
    /// How long canaries are compared at least, once they serve.
    package var canarySeconds: Double
    /// How long at most, when there is not enough to go by.
    package var canaryAtMostSeconds: Double
    /// How long memory is watched after the promotion.
    package var bakeSeconds: Double
    /// New workers that start at a time when the old ones are replaced.
    package var atOnce: Int
    /// Who asked for it.
    package var by: String
    /// The database cannot go back (an expanding migration can; a contracting one cannot): nothing is undone by itself once the
    /// hook has run.
    package var isOneWay: Bool

    package init(
        service: String, candidate: ReleaseID, base: ReleaseID, pairs: Int = 1, trialSeconds: Double = 60,
        canarySeconds: Double = 180, canaryAtMostSeconds: Double = 600, bakeSeconds: Double = 86_400, atOnce: Int = 1,
        by: String,
        isOneWay: Bool = false
    ) {
        self.service = service
        self.candidate = candidate
        self.base = base
        self.pairs = pairs
        self.trialSeconds = trialSeconds
        self.canarySeconds = canarySeconds
        self.canaryAtMostSeconds = max(canaryAtMostSeconds, canarySeconds)
        self.bakeSeconds = bakeSeconds
        self.atOnce = max(1, atOnce)
        self.by = by
        self.isOneWay = isOneWay
    }

    private enum CodingKeys: String, CodingKey {
        case service, candidate, base, pairs, by
        case trialSeconds = "trial_s"
        case canarySeconds = "canary_s"
        case canaryAtMostSeconds = "canary_at_most_s"
        case bakeSeconds = "bake_s"
        case atOnce = "at_once"
        case isOneWay = "one_way"
    }
}

/// Where a deploy stands. What is done in a step may be done twice: `oakum` may die at any moment, and the next one goes on from
/// the step that was stored.
package enum DeployStep: String, Hashable, Sendable, Codable, CaseIterable {
    /// The hook before the start runs.
    case preparing
    /// Canaries and their baselines are to come to serve.
    case trial
    /// The post-deployment tests run against each canary.
    case testing
    /// Canaries and baselines are compared.
    case judging
    /// Every worker is replaced by one of the candidate.
    case promoting
    /// The candidate serves alone; memory rules.
    case baking
    /// Back to the base.
    case undoing
    case done
}

/// How a deploy ended.
package enum DeployOutcome: String, Hashable, Sendable, Codable {
    /// It baked, and its memory stood up to it.
    case proven
    /// It serves, but there was not enough to go by.
    case unproven
    /// It did not serve users alone, or does no more: the base runs.
    case undone = "rolled_back"
    /// Nothing of it was ever started.
    case refused
    /// It must go and cannot: the way back is closed. Somebody has to decide.
    case held
}

/// What the comparison of canaries and baselines says so far.
package enum GateWord: Hashable, Sendable {
    case pass(String)
    case fail(String)
    /// Not enough to go by; with `hasSome` false there is nothing at all.
    case undecided(String, hasSome: Bool)
}
