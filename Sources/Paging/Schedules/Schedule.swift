package import OakumModel

/// Who is on call when.
package struct Schedule: Hashable, Sendable, Codable {
    package var name: String
    /// Whose clock all times of the schedule are read from.
    package var zone: ZoneRules
    /// The last one that has somebody on call counts: a rotation for business hours lies above one for all times.
    package var rotations: [Rotation]
    /// Of several that replace the same person at the same time, the last one counts.
    package var overrides: [ScheduleOverride]

    package init(name: String, zone: ZoneRules, rotations: [Rotation], overrides: [ScheduleOverride] = []) {
        self.name = name
        self.zone = zone
        self.rotations = rotations
        self.overrides = overrides
    }
}

/// A change of plan for some time: a holiday, a swapped shift, a second pair of eyes.
package struct ScheduleOverride: Hashable, Sendable, Codable {
    package enum Effect: Hashable, Sendable, Codable {
        /// The person is on call in the place of whoever the rotations name, nobody included.
        case replace
        /// The person is on call whenever the rotations name this one.
        case replacing(String)
        /// The person is on call as well.
        case add
    }

    package var person: String
    package var from: CivilTime
    /// Not included.
    package var until: CivilTime
    package var effect: Effect

    package init(person: String, from: CivilTime, until: CivilTime, effect: Effect = .replace) {
        self.person = person
        self.from = from
        self.until = until
        self.effect = effect
    }
}

/// A time during which the same people are on call.
package struct Shift: Hashable, Sendable, Codable {
    /// The one whose turn it is first, then those who were added; empty: nobody.
    package var people: [String]
    package var from: WallTime
    /// nil: no end is in sight.
    package var until: WallTime?

    package init(people: [String], from: WallTime, until: WallTime?) {
        self.people = people
        self.from = from
        self.until = until
    }

    private enum CodingKeys: String, CodingKey {
        case people
        case from = "from_ms"
        case until = "until_ms"
    }
}
