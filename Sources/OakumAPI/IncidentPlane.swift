package import OakumModel

/// What can be asked about incidents, and done to them. The engine implements it in process, `OakumRemote` over the control
/// socket; CLI, console and intake know nothing else.
package protocol IncidentPlane: Sendable {
    /// The newest first.
    func incidents(_ query: IncidentQuery) async throws(ControlError) -> [Incident]
    /// One incident, whole.
    func incident(_ id: Int64) async throws(ControlError) -> IncidentReport
    /// Does something to an incident. Returns when it is durable; doing the same again changes nothing and says so.
    func act(_ act: IncidentAct, by actor: String) async throws(ControlError) -> IncidentOutcome
    /// Takes alerts and change events in from another system. Returns when all are durable, in the order given.
    /// - Throws: `.failed` when they cannot be stored (HTTP 503: the sender tries again); then none of them is.
    func take(_ intake: [IntakeItem]) async throws(ControlError) -> [IntakeReceipt]
    /// Who would be paged now, through what, and what became of recent pages.
    func onCall() async throws(ControlError) -> OnCallReport
}

/// Which incidents.
package struct IncidentQuery: Hashable, Sendable, Codable {
    /// Empty: any state.
    package var states: Set<IncidentState>
    package var service: String?
    /// Those with a smaller number, for paging through.
    package var before: Int64?
    /// 1 to 200.
    package var limit: Int

    package init(
        states: Set<IncidentState> = [], service: String? = nil, before: Int64? = nil, limit: Int = 50
    ) {
        self.states = states
        self.service = service
        self.before = before
        self.limit = limit
    }
}

/// One incident with everything that belongs to it.
package struct IncidentReport: Hashable, Sendable, Codable {
    package var incident: Incident
    /// Rising in time; at most 2,000 lines, the newest.
    package var timeline: [TimelineEntry]
    package var deliveries: [Delivery]

    package init(incident: Incident, timeline: [TimelineEntry], deliveries: [Delivery]) {
        self.incident = incident
        self.timeline = timeline
        self.deliveries = deliveries
    }
}

/// A page and what became of it so far.
package struct Delivery: Hashable, Sendable, Codable {
    package enum State: String, Hashable, Sendable, Codable {
        case waiting
        case delivered
        case dead
        case withdrawn
    }

    package var page: Page
    package var state: State
    package var attempts: Int
    /// The last answer or failure, in words.
    package var words: String?
    package var nextAttempt: WallTime?

    package init(page: Page, state: State, attempts: Int, words: String? = nil, nextAttempt: WallTime? = nil) {
        self.page = page
        self.state = state
        self.attempts = attempts
        self.words = words
        self.nextAttempt = nextAttempt
    }

    private enum CodingKeys: String, CodingKey {
        case page, state, attempts, words
        case nextAttempt = "next_attempt_ms"
    }
}

/// What a person can do.
package enum IncidentAct: Hashable, Sendable, Codable {
    case open(title: String, service: String?, severity: Severity, details: String?)
    case acknowledge(Int64)
    case note(Int64, String)
    case resolve(Int64, String?)
    /// Silences what the incident is about for so many seconds.
    case silence(Int64, seconds: Double, reason: String)
    /// Ends a silence by its number.
    case endSilence(Int64)
    /// Delivers a test page to whoever is on call, or to one person.
    case check(person: String?)
    /// Marks a deploy.
    case deploy(service: String, text: String)
}

/// What became of an act.
package struct IncidentOutcome: Hashable, Sendable, Codable {
    package var incident: Int64?
    /// False: it was so already.
    package var changed: Bool
    /// One sentence for people.
    package var message: String
    /// Pages that were made by it: `check` asks what became of them.
    package var pages: [String]

    package init(incident: Int64?, changed: Bool, message: String, pages: [String] = []) {
        self.incident = incident
        self.changed = changed
        self.message = message
        self.pages = pages
    }
}

/// Something another system told.
package enum IntakeItem: Hashable, Sendable, Codable {
    case alert(Alert)
    case deploy(service: String?, text: String, at: WallTime)
}

/// What was made of an intake item.
package struct IntakeReceipt: Hashable, Sendable, Codable {
    package var incident: Int64?
    /// It opened a new incident (false: it was counted to one that exists, or is no alert).
    package var isNew: Bool

    package init(incident: Int64?, isNew: Bool) {
        self.incident = incident
        self.isNew = isNew
    }

    private enum CodingKeys: String, CodingKey {
        case incident
        case isNew = "is_new"
    }
}

/// Who would be paged now.
package struct OnCallReport: Hashable, Sendable, Codable {
    package struct Step: Hashable, Sendable, Codable {
        /// From the beginning of an incident, seconds.
        package var afterSeconds: Double
        /// "ada (mail ops@…, phone)": who and through which channels.
        package var targets: [String]

        package init(afterSeconds: Double, targets: [String]) {
            self.afterSeconds = afterSeconds
            self.targets = targets
        }

        private enum CodingKeys: String, CodingKey {
            case targets
            case afterSeconds = "after_s"
        }
    }

    package struct Policy: Hashable, Sendable, Codable {
        package var name: String
        package var services: [String]
        package var steps: [Step]
        package var repeats: Int

        package init(name: String, services: [String], steps: [Step], repeats: Int) {
            self.name = name
            self.services = services
            self.steps = steps
            self.repeats = repeats
        }
    }

    package struct Schedule: Hashable, Sendable, Codable {
        package var name: String
        /// nil: nobody, a gap.
        package var now: String?
        package var until: WallTime?
        package var next: String?

        package init(name: String, now: String?, until: WallTime?, next: String?) {
            self.name = name
            self.now = now
            self.until = until
            self.next = next
        }

        private enum CodingKeys: String, CodingKey {
            case name, now, next
            case until = "until_ms"
        }
    }

    package var policies: [Policy]
    package var schedules: [Schedule]
    package var silences: [Silence]
    /// What is wrong: gaps within a week, people without a way to reach them, dead deliveries.
    package var problems: [String]
    /// The newest first, at most 50.
    package var deliveries: [Delivery]

    package init(
        policies: [Policy], schedules: [Schedule], silences: [Silence], problems: [String], deliveries: [Delivery]
    ) {
        self.policies = policies
        self.schedules = schedules
        self.silences = silences
        self.problems = problems
        self.deliveries = deliveries
    }
}
