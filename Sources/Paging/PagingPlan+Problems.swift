package import OakumModel

/// What is wrong with a plan: nobody would be told, or not the one who was meant.
package struct PagingProblem: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        /// A name that nothing has.
        case unknownName = "unknown_name"
        /// Nobody is on call for some time.
        case gap
        /// A person without a contact.
        case noContact = "no_contact"
        /// Two overrides replace the same people at the same time.
        case overrideConflict = "override_conflict"
        /// A policy without steps, a step without targets.
        case empty
    }

    package var kind: Kind
    /// "schedule primary".
    package var subject: String
    /// One sentence: "nobody is on call from Sat 2026-01-10 00:00 to Mon 2026-01-12 00:00".
    package var words: String

    package init(kind: Kind, subject: String, words: String) {
        self.kind = kind
        self.subject = subject
        self.words = words
    }
}

extension PagingPlan {
    /// What is wrong between two times, a week as a rule: every fault that leaves somebody untold.
    package func problems(at from: WallTime, until: WallTime) -> [PagingProblem] {
        people.flatMap(problems(of:)) + schedules.flatMap { problems(of: $0, from: from, until: until) }
            + policies.flatMap(problems(of:))
    }

    /// The share of the time in which somebody is on call who can be reached, in percent; 100 for no time at all.
    package func coveragePercent(of schedule: Schedule, from: WallTime, until: WallTime) -> Double {
        var all = 0.0
        var covered = 0.0
        for shift in schedule.shifts(from: from, until: until) {
            let seconds = Double((shift.until ?? until).milliseconds - shift.from.milliseconds) / 1_000
            all += seconds
            if shift.people.contains(where: isReachable) { covered += seconds }
        }
        return all > 0 ? covered / all * 100 : 100
    }

    private func isReachable(_ name: String) -> Bool {
        person(name)?.contacts.contains { channels.contains($0.channel) } ?? false
    }

    private func problems(of person: Person) -> [PagingProblem] {
        let subject = "person \(person.name)"
        guard !person.contacts.isEmpty else {
            return [PagingProblem(kind: .noContact, subject: subject, words: "\(person.name) has no contact")]
        }
        return person.contacts.filter { !channels.contains($0.channel) }.map {
            PagingProblem(kind: .unknownName, subject: subject, words: "there is no channel \($0.channel)")
        }
    }

    // MARK: - Schedules

    private func problems(of schedule: Schedule, from: WallTime, until: WallTime) -> [PagingProblem] {
        let subject = "schedule \(schedule.name)"
        var result: [PagingProblem] = []
        for name in schedule.names where person(name) == nil {
            result.append(
                PagingProblem(kind: .unknownName, subject: subject, words: "there is no person \(name)"))
        }
        result += schedule.conflicts().map {
            PagingProblem(kind: .overrideConflict, subject: subject, words: $0)
        }
        let gaps = schedule.shifts(from: from, until: until).filter { !$0.people.contains(where: isReachable) }
        guard let first = gaps.first else { return result }
        let percent = coveragePercent(of: schedule, from: from, until: until)
        let whom = first.people.isEmpty ? "nobody is on call" : "nobody who can be reached is on call"
        let span =
            "from \(schedule.zone.dayAndTime(at: first.from)) to \(schedule.zone.dayAndTime(at: first.until ?? until))"
        let more = gaps.count > 1 ? " and \(gaps.count - 1) more \(gaps.count == 2 ? "time" : "times")" : ""
        result.append(
            PagingProblem(
                kind: .gap, subject: subject,
                words: "\(whom) \(span)\(more) (\(Self.tenths(percent)) % covered)"))
        return result
    }

    /// One decimal, rounded down: 99.96 is not 100.
    private static func tenths(_ percent: Double) -> String {
        let tenths = Int((percent * 10).rounded(.down))
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    // MARK: - Policies

    private func problems(of policy: EscalationPolicy) -> [PagingProblem] {
        let subject = "policy \(policy.name)"
        func empty(_ words: String) -> PagingProblem {
            PagingProblem(kind: .empty, subject: subject, words: words)
        }
        var result = policy.steps.isEmpty ? [empty("it has no steps")] : []
        for (index, step) in policy.steps.enumerated() {
            if step.targets.isEmpty { result.append(empty("step \(index + 1) tells nobody")) }
            for target in step.targets where !isKnown(target) {
                result.append(
                    PagingProblem(
                        kind: .unknownName, subject: subject, words: "step \(index + 1): there is no \(target)"))
            }
        }
        return result
    }

    private func isKnown(_ target: Target) -> Bool {
        switch target {
        case .person(let name): person(name) != nil
        case .schedule(let name): schedule(name) != nil
        case .channel(let name): channels.contains(name)
        }
    }
}

extension Schedule {
    /// Everybody it names, once each.
    fileprivate var names: [String] {
        var result: [String] = []
        var all = rotations.flatMap(\.members)
        for change in overrides {
            all.append(change.person)
            if case .replacing(let person) = change.effect { all.append(person) }
        }
        for name in all where !result.contains(name) { result.append(name) }
        return result
    }

    /// Pairs of overrides that say who replaces the same people at the same time, in words.
    fileprivate func conflicts() -> [String] {
        var result: [String] = []
        for (index, later) in overrides.enumerated() {
            for earlier in overrides[..<index] where later.contradicts(earlier) {
                let from = max(later.from, earlier.from)
                let until = min(later.until, earlier.until)
                result.append(
                    "both \(earlier.person) and \(later.person) replace from \(from) to \(until): "
                        + "\(later.person) does, who is named last")
            }
        }
        return result
    }
}

extension ScheduleOverride {
    fileprivate func contradicts(_ other: ScheduleOverride) -> Bool {
        guard person != other.person, from < other.until, other.from < until else { return false }
        switch (effect, other.effect) {
        case (.add, _), (_, .add): return false
        case (.replacing(let mine), .replacing(let theirs)): return mine == theirs
        case (.replace, _), (_, .replace): return true
        }
    }
}
