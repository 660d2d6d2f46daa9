/// Who can be told, who is on call, and who is told when nobody answers: all of it, as configured.
package struct PagingPlan: Hashable, Sendable, Codable {
    package var people: [Person]
    package var schedules: [Schedule]
    package var policies: [EscalationPolicy]
    /// Names of the channels that pages can be sent through.
    package var channels: [String]

    package init(
        people: [Person] = [], schedules: [Schedule] = [], policies: [EscalationPolicy] = [], channels: [String] = []
    ) {
        self.people = people
        self.schedules = schedules
        self.policies = policies
        self.channels = channels
    }

    package func person(_ name: String) -> Person? { people.first { $0.name == name } }
    package func schedule(_ name: String) -> Schedule? { schedules.first { $0.name == name } }
    package func policy(_ name: String) -> EscalationPolicy? { policies.first { $0.name == name } }
}
