package import OakumModel

extension EscalationCourse {
    /// Takes an event in and says what has to be done. An event that does not fit (a delivery of an older notice, an
    /// acknowledgement after the end) changes nothing.
    package mutating func handle(_ event: EscalationEvent, at now: Uptime) -> [EscalationAction] {
        switch event {
        case .begin:
            return begin(now)
        case .tick:
            return tick(now)
        case .told(let notice, let deliveries):
            return told(notice, deliveries, now)
        case .deliveryDead(let number, let delivery):
            return deliveryDead(number, delivery, now)
        case .acknowledged(let person):
            acknowledge(by: person, now)
            return []
        case .acknowledgementEnded(let reason):
            return endAcknowledgement(reason, now)
        case .severityRaised:
            return raiseSeverity(now)
        case .policyChanged(let policy):
            return change(to: policy, now)
        case .ended:
            phase = .ended
            alive = []
            return []
        case .rebased(let seconds):
            rebase(by: seconds)
            return []
        }
    }

    private mutating func begin(_ now: Uptime) -> [EscalationAction] {
        switch phase {
        case .idle, .ended: start(due: now + delay(ofStep: 0), now)
        case .waiting, .acknowledged, .exhausted: []
        }
    }

    /// Goes through the policy from its first step on.
    private mutating func start(due: Uptime, _ now: Uptime) -> [EscalationAction] {
        latest = nil
        alive = []
        phase = .waiting(due: due, next: policy.steps.isEmpty ? .end(cycles: 0) : .step(cycle: 0, step: 0))
        return policy.steps.isEmpty ? runDue(at: now, from: now) : runDue(at: now)
    }

    private mutating func tick(_ now: Uptime) -> [EscalationAction] {
        if case .acknowledged(let until?) = phase, until <= now { return endAcknowledgement(.timeUp, now) }
        return runDue(at: now)
    }

    // MARK: - What became of a notice

    private mutating func told(
        _ notice: EscalationNotice, _ deliveries: [String], _ now: Uptime
    ) -> [EscalationAction] {
        if notice.number == latest?.number { alive = Set(deliveries) }
        guard deliveries.isEmpty else { return [] }
        return [.unreachable(notice, .nobodyToTell)] + moveOn(from: notice, now)
    }

    private mutating func deliveryDead(_ number: Int, _ delivery: String, _ now: Uptime) -> [EscalationAction] {
        guard let latest, latest.number == number, alive.remove(delivery) != nil, alive.isEmpty else { return [] }
        return [.unreachable(latest, .allDeliveriesDead)] + moveOn(from: latest, now)
    }

    /// The step after a notice that has reached nobody does not wait.
    private mutating func moveOn(from notice: EscalationNotice, _ now: Uptime) -> [EscalationAction] {
        guard notice.number == latest?.number, case .waiting(let due, let next) = phase, due > now else { return [] }
        if case .step(let cycle, _) = next, cycle != notice.cycle { return [] }
        return runDue(at: now, from: now)
    }

    // MARK: - Acknowledgements

    private mutating func acknowledge(by person: String?, _ now: Uptime) {
        guard phase != .ended else { return }
        acknowledger = person
        phase = .acknowledged(until: policy.acknowledgementSeconds.map { now + max(1, $0) })
    }

    private mutating func endAcknowledgement(_ reason: AcknowledgementEnd, _ now: Uptime) -> [EscalationAction] {
        guard case .acknowledged = phase else { return [] }
        return [.acknowledgementEnded(reason)] + start(due: now, now)
    }

    private mutating func raiseSeverity(_ now: Uptime) -> [EscalationAction] {
        switch phase {
        case .acknowledged: endAcknowledgement(.severityRaised, now)
        case .exhausted: start(due: now, now)
        case .waiting where latest == nil: runDue(at: now, from: now)
        case .idle, .ended, .waiting: []
        }
    }

    // MARK: - Time

    /// Runs what is due: `due` replaces when the next thing is due.
    private mutating func runDue(at now: Uptime, from due: Uptime? = nil) -> [EscalationAction] {
        if let due, case .waiting(_, let next) = phase { phase = .waiting(due: due, next: next) }
        var actions: [EscalationAction] = []
        while case .waiting(let due, let next) = phase, due <= now {
            switch next {
            case .end(let cycles):
                phase = .exhausted
                actions.append(.exhausted(cycles: cycles))
            case .step(let cycle, let step):
                actions.append(.notify(give(cycle: cycle, step: step)))
                phase = following(cycle: cycle, step: step, due: due, now)
            }
        }
        return actions
    }

    private mutating func give(cycle: Int, step: Int) -> EscalationNotice {
        var targets = policy.steps[step].targets
        if let person = acknowledger.map(Target.person), !targets.contains(person) { targets.insert(person, at: 0) }
        acknowledger = nil
        notices += 1
        alive = []
        let notice = EscalationNotice(number: notices, cycle: cycle, step: step, targets: targets)
        latest = notice
        return notice
    }

    /// What comes after a step that was due at `due` and has run at `now`.
    private func following(cycle: Int, step: Int, due: Uptime, _ now: Uptime) -> Phase {
        if step + 1 < policy.steps.count {
            return .waiting(due: due + delay(ofStep: step + 1), next: .step(cycle: cycle, step: step + 1))
        }
        let pause = max(1, policy.repeatAfterSeconds)
        guard cycle < policy.repeats else { return .waiting(due: now + pause, next: .end(cycles: cycle + 1)) }
        return .waiting(due: now + pause, next: .step(cycle: cycle + 1, step: 0))
    }

    private func delay(ofStep step: Int) -> Double {
        step < policy.steps.count ? max(0, policy.steps[step].afterSeconds) : 0
    }

    private mutating func rebase(by seconds: Double) {
        switch phase {
        case .waiting(let due, let next): phase = .waiting(due: due + seconds, next: next)
        case .acknowledged(let until): phase = .acknowledged(until: until.map { $0 + seconds })
        case .idle, .exhausted, .ended: break
        }
    }

    // MARK: - Another policy

    private mutating func change(to policy: EscalationPolicy, _ now: Uptime) -> [EscalationAction] {
        let before = self.policy
        guard policy != before else { return [] }
        self.policy = policy
        switch phase {
        case .idle, .ended, .acknowledged:
            return []
        case .exhausted:
            return policy.steps == before.steps ? [] : start(due: now, now)
        case .waiting(let due, _):
            guard let latest else { return start(due: min(due, now + delay(ofStep: 0)), now) }
            let told = latest.step + 1
            guard policy.steps.count >= told,
                policy.steps.prefix(told).map(\.targets) == before.steps.prefix(told).map(\.targets)
            else { return start(due: now, now) }
            return carryOn(after: latest, dueBefore: due, before, now)
        }
    }

    /// The steps told so far are the same in the new policy: the wait that goes on gets the new length.
    private mutating func carryOn(
        after notice: EscalationNotice, dueBefore due: Uptime, _ before: EscalationPolicy, _ now: Uptime
    ) -> [EscalationAction] {
        let step = notice.step
        let waited = step + 1 < before.steps.count ? before.steps[step + 1].afterSeconds : before.repeatAfterSeconds
        phase = following(cycle: notice.cycle, step: step, due: due + -max(0, waited), due + -max(1, waited))
        return runDue(at: now)
    }
}
