/// Who is told when nobody answers, and after how long.
package struct EscalationPolicy: Hashable, Sendable, Codable {
    package var name: String
    package var steps: [EscalationStep]
    /// How often the steps are gone through again when nobody has answered, 0 to `repeatLimit`.
    package var repeats: Int
    /// How long after the last step they are, or the path is at its end; at least a second.
    package var repeatAfterSeconds: Double
    /// How long an acknowledgement holds; nil: until the incident ends or gets worse.
    package var acknowledgementSeconds: Double?

    package static let stepLimit = 50
    package static let repeatLimit = 100

    package init(
        name: String, steps: [EscalationStep], repeats: Int = 0, repeatAfterSeconds: Double = 300,
        acknowledgementSeconds: Double? = nil
    ) {
        self.name = name
        self.steps = steps
        self.repeats = repeats
        self.repeatAfterSeconds = repeatAfterSeconds
        self.acknowledgementSeconds = acknowledgementSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case name, steps, repeats
        case repeatAfterSeconds = "repeat_after_s"
        case acknowledgementSeconds = "acknowledgement_s"
    }
}

/// Some who are told at the same time.
package struct EscalationStep: Hashable, Sendable, Codable {
    /// How long after the step before; of the first one: after the beginning.
    package var afterSeconds: Double
    package var targets: [Target]

    package init(afterSeconds: Double = 0, targets: [Target]) {
        self.afterSeconds = afterSeconds
        self.targets = targets
    }

    private enum CodingKeys: String, CodingKey {
        case targets
        case afterSeconds = "after_s"
    }
}
