package import OakumModel

/// What happens to a deploy.
package enum DeployEvent: Hashable, Sendable {
    case began
    /// The hook before the start: nil when it went well (or there is none).
    case hookEnded(problem: String?)
    /// All canaries and baselines serve.
    case trialServes
    /// A canary died, was killed for its memory, or lost its readiness.
    case canaryLost(String)
    /// The post-deployment tests of a canary: nil when all passed.
    case tested(problem: String?)
    /// At least every few seconds while judging or baking.
    case gate(GateWord)
    case rolledOver
    case rolloverFailed(String)
    /// A person takes it back.
    case cancelled(by: String)
    /// `oakum` was started anew, and the deploy is read from its file.
    case resumed
    case tick
}

/// What the shell must do, in this order. All of it may be done again after a restart.
package enum DeployAction: Hashable, Sendable {
    /// Store the course durably, before anything else is done.
    case save
    case runHook
    case startTrial(ReleaseID, pairs: Int)
    case endTrial(keepsCanaries: Bool)
    case test
    /// Compare from now on.
    case judge
    /// Let `current` name this release, atomically.
    case link(ReleaseID)
    case rollOver(ReleaseID, atOnce: Int)
    case tell(String)
    /// People must know now.
    case page(String)
}

/// One deploy from its artefact to its end: events in, actions out. Times are wall-clock seconds, since a bake outlives a boot.
package struct DeployCourse: Hashable, Sendable, Codable {
    package let plan: DeployPlan
    package private(set) var step: DeployStep
    /// When the step began, seconds since 1970.
    package private(set) var since: Double
    package private(set) var beganAt: Double
    package private(set) var outcome: DeployOutcome?
    /// Why it is undone, or ended as it did.
    package private(set) var reason: String?
    /// The last word of the gate, for the report.
    package private(set) var lastGate: String?
    /// Tests that failed once run once more.
    private var failedTests = 0
    /// How often the way back did not work.
    private var stumbles = 0
    /// The base was reached by the way back: when.
    package private(set) var restoredAt: Double?
    package private(set) var promotedAt: Double?

    package init(plan: DeployPlan, at now: Double) {
        self.plan = plan
        step = .preparing
        since = now
        beganAt = now
    }

    package var isOver: Bool { step == .done }

    private enum CodingKeys: String, CodingKey {
        case plan, step, since, outcome, reason
        case beganAt = "began_at"
        case lastGate = "last_gate"
        case stumbles
        case failedTests = "failed_tests"
        case restoredAt = "restored_at"
        case promotedAt = "promoted_at"
    }

    /// Events that do not belong to the step change nothing: they are late.
    package mutating func handle(_ event: DeployEvent, at now: Double) -> [DeployAction] {
        guard step != .done else { return [] }
        switch event {
        case .began: return [.save, .tell("deploying \(plan.candidate), asked for by \(plan.by)"), .runHook]
        case .resumed: return resume(at: now)
        case .cancelled(let whom): return cancel("taken back by \(whom)", at: now)
        case .hookEnded(let problem): return step == .preparing ? hookEnded(problem, at: now) : []
        case .trialServes: return step == .trial ? testTrial(at: now) : []
        case .canaryLost(let why):
            return [.trial, .testing, .judging].contains(step) ? undo("a canary was lost: \(why)", at: now) : []
        case .tested(let problem): return step == .testing ? tested(problem, at: now) : []
        case .gate(let word): return judged(word, at: now)
        case .rolledOver: return rolledOver(at: now)
        case .rolloverFailed(let why): return rolloverFailed(why, at: now)
        case .tick: return tick(at: now)
        }
    }

    private mutating func enter(_ next: DeployStep, at now: Double) {
        step = next
        since = now
    }

    private mutating func end(_ outcome: DeployOutcome, _ reason: String?, at now: Double) -> [DeployAction] {
        enter(.done, at: now)
        self.outcome = outcome
        if let reason { self.reason = reason }
        var words = "\(plan.candidate) is \(outcome.words)"
        if let reason = self.reason { words += ": \(reason)" }
        return [.save, .tell(words)]
    }
}

// MARK: - Before users meet it

extension DeployCourse {
    private mutating func hookEnded(_ problem: String?, at now: Double) -> [DeployAction] {
        if let problem { return end(.refused, "the hook before the start failed: \(problem)", at: now) }
        guard plan.pairs > 0 else { return promote(at: now) }
        enter(.trial, at: now)
        return [.save, .startTrial(plan.candidate, pairs: plan.pairs)]
    }

    private mutating func testTrial(at now: Double) -> [DeployAction] {
        enter(.testing, at: now)
        failedTests = 0
        return [.save, .tell("canaries serve; the post-deployment tests begin"), .test]
    }

    /// Once is chance, twice is a finding.
    private mutating func tested(_ problem: String?, at now: Double) -> [DeployAction] {
        if let problem {
            failedTests += 1
            guard failedTests > 1 else { return [.save, .tell("a test failed and is tried again: \(problem)"), .test] }
            return undo("a post-deployment test failed twice: \(problem)", at: now)
        }
        enter(.judging, at: now)
        return [.save, .tell("the tests passed; canaries and baselines are compared"), .judge]
    }

    private mutating func judged(_ word: GateWord, at now: Double) -> [DeployAction] {
        guard step == .judging || step == .baking else { return [] }
        switch word {
        case .fail(let why):
            lastGate = why
            return step == .judging ? undo(why, at: now) : rollBack(why, at: now)
        case .pass(let why):
            lastGate = why
            if step == .judging, now - since >= plan.canarySeconds { return promote(at: now) }
            if step == .baking, now - since >= plan.bakeSeconds { return end(.proven, why, at: now) }
        case .undecided(let why, let hasSome):
            lastGate = why
            if step == .judging, now - since >= plan.canaryAtMostSeconds {
                return hasSome
                    ? promote(at: now) : undo("nothing could be compared, so nothing is known of it: \(why)", at: now)
            }
            if step == .baking, now - since >= plan.bakeSeconds { return end(.unproven, why, at: now) }
        }
        return []
    }

    private mutating func tick(at now: Double) -> [DeployAction] {
        switch step {
        case .trial where now - since > plan.trialSeconds:
            undo("canaries did not come to serve within \(Int(plan.trialSeconds)) s", at: now)
        // A gate that falls silent passes nobody.
        case .judging where now - since > plan.canaryAtMostSeconds + 60:
            undo("the comparison gave no answer", at: now)
        case .baking where now - since > plan.bakeSeconds + 3_600:
            end(.unproven, "the comparison gave no answer", at: now)
        default: []
        }
    }
}

// MARK: - Forwards and back

extension DeployCourse {
    private mutating func promote(at now: Double) -> [DeployAction] {
        enter(.promoting, at: now)
        return [.save] + promotion
    }

    private var promotion: [DeployAction] {
        [
            .endTrial(keepsCanaries: true), .link(plan.candidate), .tell("every worker becomes \(plan.candidate)"),
            .rollOver(plan.candidate, atOnce: plan.atOnce),
        ]
    }

    private mutating func undo(_ why: String, at now: Double) -> [DeployAction] {
        reason = why
        enter(.undoing, at: now)
        return [.save, .tell("\(plan.candidate) goes back: \(why)")] + wayBack
    }

    /// Fast: what runs there ran before.
    private var wayBack: [DeployAction] {
        [.endTrial(keepsCanaries: false), .link(plan.base), .rollOver(plan.base, atOnce: max(8, plan.atOnce))]
    }

    /// While it serves alone. A way back that is closed is not taken.
    private mutating func rollBack(_ why: String, at now: Double) -> [DeployAction] {
        guard !plan.isOneWay else {
            let words = "its migration is one-way, so it is not undone; recycling holds the line: \(why)"
            return end(.held, words, at: now) + [.page("\(plan.service): \(plan.candidate) fails, and \(words)")]
        }
        return undo(why, at: now) + [.page("\(plan.service): \(plan.candidate) is rolled back to \(plan.base): \(why)")]
    }

    private mutating func rolledOver(at now: Double) -> [DeployAction] {
        switch step {
        case .promoting:
            promotedAt = now
            enter(.baking, at: now)
            return [
                .save, .tell("\(plan.candidate) serves alone; it bakes for \(Int(plan.bakeSeconds / 60)) min"), .judge,
            ]
        case .undoing:
            restoredAt = now
            return end(.undone, nil, at: now)
        default: return []
        }
    }

    private mutating func rolloverFailed(_ why: String, at now: Double) -> [DeployAction] {
        switch step {
        case .promoting: return undo("a new worker failed: \(why)", at: now)
        case .undoing:
            // The base served before: whatever keeps it from starting, trying goes on, and people must know.
            stumbles += 1
            let page = DeployAction.page("\(plan.service): the way back to \(plan.base) stumbles: \(why)")
            return [.save, .tell("the way back failed and is tried again: \(why)")] + (stumbles == 1 ? [page] : [])
                + wayBack
        default: return []
        }
    }

    private mutating func cancel(_ why: String, at now: Double) -> [DeployAction] {
        switch step {
        case .preparing: end(.refused, why, at: now)
        case .trial, .testing, .judging, .promoting, .baking: undo(why, at: now)
        case .undoing, .done: []
        }
    }

    /// Everything of the step is done again. A trial begins anew: what was compared is lost.
    private mutating func resume(at now: Double) -> [DeployAction] {
        switch step {
        case .preparing: return [.runHook]
        case .trial, .testing, .judging:
            enter(.trial, at: now)
            return [.save, .startTrial(plan.candidate, pairs: plan.pairs)]
        case .promoting: return promotion
        case .undoing: return wayBack
        case .baking: return [.judge]
        case .done: return []
        }
    }
}

extension DeployOutcome {
    package var words: String {
        switch self {
        case .proven: "proven"
        case .unproven: "unproven"
        case .undone: "rolled back"
        case .refused: "refused"
        case .held: "held"
        }
    }
}
