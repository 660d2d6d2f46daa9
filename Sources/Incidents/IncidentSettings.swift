package import OakumModel
package import Paging

/// What the book of incidents goes by; from the configuration.
package struct IncidentSettings: Sendable {
    package var plan: PagingPlan
    /// Which policy, and what to do, by service.
    package var services: [String: ServicePaging]
    /// For incidents of no known service; nil: nobody is paged for them.
    package var defaultPolicy: String?
    package var audiences: [Audience]
    /// From this severity on people are paged; below, an incident is recorded and shown.
    package var pagesFrom: Severity
    /// How long the first page may wait for the heap to be looked into, seconds: a page with a name saves more than that.
    package var evidenceSeconds: Double
    /// Nothing fires for so long: resolved, seconds. Intake and incidents by hand follow their source at once.
    package var quietSeconds: Double
    /// The same condition within so long after the end: the incident goes on, seconds.
    package var reopenSeconds: Double
    /// Told as fired by another system and never again: taken for resolved after so long without a word, seconds.
    package var forgottenSeconds: Double
    /// At most one "more is known" page in so long, seconds; worse news is told at once.
    package var updateSeconds: Double
    /// Begins the ids of pages: of letters and digits, other for each installation.
    package var installation: String
    /// Where to see an incident and act on it; empty when nothing can be reached.
    package var links: @Sendable (_ incident: Int64, _ person: String?, _ at: WallTime) -> [PageLink]

    package init(
        plan: PagingPlan, services: [String: ServicePaging] = [:], defaultPolicy: String? = nil,
        audiences: [Audience] = [], pagesFrom: Severity = .error, evidenceSeconds: Double = 10,
        quietSeconds: Double = 300, reopenSeconds: Double = 3_600, forgottenSeconds: Double = 86_400,
        updateSeconds: Double = 300, installation: String = "oak",
        links: @escaping @Sendable (Int64, String?, WallTime) -> [PageLink] = { _, _, _ in [] }
    ) {
        self.plan = plan
        self.services = services
        self.defaultPolicy = defaultPolicy
        self.audiences = audiences
        self.pagesFrom = pagesFrom
        self.evidenceSeconds = evidenceSeconds
        self.quietSeconds = quietSeconds
        self.reopenSeconds = reopenSeconds
        self.forgottenSeconds = forgottenSeconds
        self.updateSeconds = updateSeconds
        self.installation = installation
        self.links = links
    }

    func policy(_ incident: Incident) -> EscalationPolicy? {
        incident.policy.flatMap { plan.policy($0) }
    }

    package func policy(of service: String?) -> String? {
        guard !pagesNobody(for: service) else { return nil }
        return service.flatMap { services[$0]?.policy } ?? defaultPolicy
    }

    /// Its incidents are opened and shown, and that is all: so its owner has decided.
    func pagesNobody(for service: String?) -> Bool {
        service.flatMap { services[$0]?.pagesNobody } ?? false
    }
}

/// Who is paged for a service.
package struct ServicePaging: Hashable, Sendable {
    /// nil: the default policy.
    package var policy: String?
    package var runbook: String?
    /// Nobody is paged, the default policy's people neither.
    package var pagesNobody: Bool

    package init(policy: String? = nil, runbook: String? = nil, pagesNobody: Bool = false) {
        self.policy = policy
        self.runbook = runbook
        self.pagesNobody = pagesNobody
    }
}

/// People who want to know in plain words what users and the business lose.
package struct Audience: Sendable {
    package enum Stage: String, Hashable, Sendable, Codable, CaseIterable {
        /// Users notice, by the numbers.
        case impact
        case causeKnown = "cause_known"
        case mitigated
        /// Users are served as before.
        case restored
        case resolved
    }

    package var name: String
    package var channel: String
    package var address: String?
    /// Empty: all.
    package var services: Set<String>
    package var stages: Set<Stage>
    /// Shows a time to this audience, zone included: "10:04 CET".
    package var clock: @Sendable (WallTime) -> String

    package init(
        name: String, channel: String, address: String? = nil, services: Set<String> = [],
        stages: Set<Stage> = Set(Stage.allCases), clock: @escaping @Sendable (WallTime) -> String
    ) {
        self.name = name
        self.channel = channel
        self.address = address
        self.services = services
        self.stages = stages
        self.clock = clock
    }
}
