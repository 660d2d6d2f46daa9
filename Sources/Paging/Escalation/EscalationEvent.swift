/// What an escalation is told.
package enum EscalationEvent: Hashable, Sendable {
    /// The incident was opened, or opened again.
    case begin
    /// Time has passed.
    case tick
    /// A notice was turned into these deliveries (ids); none: nobody was reachable.
    case told(EscalationNotice, deliveries: [String])
    /// A delivery of a notice (by its number) was given up.
    case deliveryDead(notice: Int, delivery: String)
    /// Somebody has taken the incident on. `by`: the name of a person of the plan, who is told first when the
    /// acknowledgement ends; nil: somebody else.
    case acknowledged(by: String?)
    /// See `AcknowledgementRule`. The end of its time is noticed by the escalation itself, on a tick.
    case acknowledgementEnded(AcknowledgementEnd)
    case severityRaised
    /// The policy has been configured anew.
    case policyChanged(EscalationPolicy)
    /// Nobody has to be told any more: resolved, mitigated, merged, silenced.
    case ended
    /// The machine was started again, and its clock with it: all stored times move by this many seconds.
    case rebased(by: Double)
}

/// What has to be done about it, in order.
package enum EscalationAction: Hashable, Sendable {
    /// Tell these targets; answer with `told`.
    case notify(EscalationNotice)
    /// Nobody could be told by a notice, or none of its deliveries arrived: for the timeline, and an alert.
    case unreachable(EscalationNotice, UnreachableReason)
    /// The path is at its end and nobody has answered: for the timeline, and an alert.
    case exhausted(cycles: Int)
    case acknowledgementEnded(AcknowledgementEnd)
}

package enum UnreachableReason: String, Hashable, Sendable, Codable {
    case nobodyToTell = "nobody_to_tell"
    case allDeliveriesDead = "all_deliveries_dead"
}

/// One step, told once.
package struct EscalationNotice: Hashable, Sendable, Codable {
    /// From 1, rises by one with every notice of this escalation, never reused: makes ids of deliveries stable.
    package var number: Int
    /// How often the steps were gone through before, since the beginning or the last acknowledgement.
    package var cycle: Int
    /// Index within the policy's steps.
    package var step: Int
    package var targets: [Target]

    package init(number: Int, cycle: Int, step: Int, targets: [Target]) {
        self.number = number
        self.cycle = cycle
        self.step = step
        self.targets = targets
    }
}

/// Why an acknowledgement no longer holds. Raw values are stored: added to, never renamed.
package enum AcknowledgementEnd: String, Hashable, Sendable, Codable, CaseIterable {
    case timeUp = "time_up"
    case severityRaised = "severity_raised"
    case forecastWorse = "forecast_worse"
    /// Taken back by a person.
    case withdrawn
}
