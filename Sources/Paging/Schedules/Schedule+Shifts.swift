package import OakumModel

extension Schedule {
    /// Most shifts that one answer holds.
    package static let shiftLimit = 10_000
    /// How far the end of a shift is looked for.
    private static let horizon: Int64 = 400 * 86_400

    /// Who is on call: the one whose turn it is first, then those who were added; empty: nobody.
    package func onCall(at wall: WallTime) -> [String] {
        Roster(self).people(at: wall.milliseconds.dividedDown(by: 1_000))
    }

    /// The shift that goes on, and who comes next. Its end is looked for over 400 days.
    package func shift(at wall: WallTime) -> (now: Shift, next: [String]) {
        let instant = wall.milliseconds.dividedDown(by: 1_000)
        let roster = Roster(self)
        let people = roster.people(at: instant)
        guard let change = roster.nextShift(after: instant, through: instant + Self.horizon) else {
            return (Shift(people: people, from: wall, until: nil), people)
        }
        return (Shift(people: people, from: wall, until: WallTime(seconds: change.at)), change.people)
    }

    /// All shifts of a time, in order, without a hole: where nobody is on call there is a shift without people.
    /// At most `shiftLimit`; the last one then ends early.
    package func shifts(from: WallTime, until: WallTime) -> [Shift] {
        let end = until.milliseconds.dividedDown(by: 1_000)
        var instant = from.milliseconds.dividedDown(by: 1_000)
        let roster = Roster(self)
        var current = Shift(people: roster.people(at: instant), from: from, until: until)
        var result: [Shift] = []
        while result.count < Self.shiftLimit, let change = roster.nextShift(after: instant, through: end) {
            guard change.at < end else { break }
            current.until = WallTime(seconds: change.at)
            result.append(current)
            current = Shift(people: change.people, from: WallTime(seconds: change.at), until: until)
            instant = change.at
        }
        if from < until, result.count < Self.shiftLimit { result.append(current) }
        return result
    }
}

/// A schedule whose overrides are instants.
private struct Roster {
    let schedule: Schedule
    let spans: [Range<Int64>]

    init(_ schedule: Schedule) {
        self.schedule = schedule
        spans = schedule.overrides.map { change in
            let from = schedule.zone.instant(of: change.from)
            return from..<max(from, schedule.zone.instant(of: change.until))
        }
    }

    func people(at instant: Int64) -> [String] {
        let rotated = schedule.rotations.reversed().lazy
            .compactMap { $0.member(at: instant, zone: schedule.zone) }.first
        var first = rotated
        var added: [String] = []
        for (change, span) in zip(schedule.overrides, spans) where span.contains(instant) {
            switch change.effect {
            case .replace: first = change.person
            case .replacing(let person): if rotated == person { first = change.person }
            case .add: added.append(change.person)
            }
        }
        var result: [String] = []
        for person in (first.map { [$0] } ?? []) + added where !result.contains(person) { result.append(person) }
        return result
    }

    /// The first change of people after `instant`, up to and with `last`.
    func nextShift(after instant: Int64, through last: Int64) -> (at: Int64, people: [String])? {
        let before = people(at: instant)
        var instant = instant
        while let next = nextChange(after: instant), next <= last {
            let people = people(at: next)
            guard people == before else { return (next, people) }
            instant = next
        }
        return nil
    }

    private func nextChange(after instant: Int64) -> Int64? {
        var next: Int64?
        func consider(_ edge: Int64) {
            if edge > instant { next = min(next ?? edge, edge) }
        }
        for rotation in schedule.rotations {
            if let edge = rotation.nextChange(after: instant, zone: schedule.zone) { consider(edge) }
        }
        for span in spans {
            consider(span.lowerBound)
            consider(span.upperBound)
        }
        return next
    }
}

extension WallTime {
    init(seconds: Int64) {
        self.init(milliseconds: seconds * 1_000)
    }
}
