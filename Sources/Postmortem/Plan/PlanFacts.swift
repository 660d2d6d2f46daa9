package import OakumModel

/// What an incident plan is made from: the configuration that is in force, without secrets. Printed as the JSON of
/// `oakum plan --json`, so fields are added to, never renamed.
package struct PlanFacts: Hashable, Sendable, Codable {
    /// The file it comes from.
    package var configuration: String
    /// Where sockets, journal and logs lie.
    package var state: String
    /// "http://127.0.0.1:9100"; nil: none.
    package var console: String?
    /// Verdicts, no acts.
    package var observeOnly: Bool
    /// From this severity on people are paged.
    package var pagesFrom: Severity
    package var services: [PlannedService]
    package var policies: [PlannedPolicy]
    package var schedules: [PlannedSchedule]
    package var channels: [PlannedChannel]
    package var audiences: [PlannedAudience]
    /// Nil: nobody notices when Oakum itself is silent.
    package var deadMan: PlannedDeadMan?
    /// A page holds links that acknowledge and resolve without a login.
    package var hasActionLinks: Bool
    /// "Who is on call" holds for this time.
    package var asOf: WallTime
    /// Faults of the configuration, as sentences.
    package var problems: [String]

    package init(
        configuration: String, state: String, console: String? = nil, observeOnly: Bool = false,
        pagesFrom: Severity = .error, services: [PlannedService], policies: [PlannedPolicy] = [],
        schedules: [PlannedSchedule] = [], channels: [PlannedChannel] = [], audiences: [PlannedAudience] = [],
        deadMan: PlannedDeadMan? = nil, hasActionLinks: Bool = false, asOf: WallTime, problems: [String] = []
    ) {
        self.configuration = configuration
        self.state = state
        self.console = console
        self.observeOnly = observeOnly
        self.pagesFrom = pagesFrom
        self.services = services
        self.policies = policies
        self.schedules = schedules
        self.channels = channels
        self.audiences = audiences
        self.deadMan = deadMan
        self.hasActionLinks = hasActionLinks
        self.asOf = asOf
        self.problems = problems
    }

    private enum CodingKeys: String, CodingKey {
        case configuration, state, console, services, policies, schedules, channels, audiences, problems
        case observeOnly = "observe_only"
        case pagesFrom = "pages_from"
        case deadMan = "dead_man"
        case hasActionLinks = "action_links"
        case asOf = "as_of_ms"
    }
}

/// A service, and what is done for it.
package struct PlannedService: Hashable, Sendable, Codable {
    /// When and how its workers are replaced. Times are seconds.
    package struct Recycling: Hashable, Sendable, Codable {
        /// Of the budget, at the latest.
        package var atPercent: Double
        /// Or so long before the forecast reaches the budget.
        package var leadSeconds: Double
        package var minimumIntervalSeconds: Double
        package var atMostPerHour: Int
        package var capacityFloor: Int
        package var drainDeadlineSeconds: Double

        package init(
            atPercent: Double, leadSeconds: Double, minimumIntervalSeconds: Double, atMostPerHour: Int,
            capacityFloor: Int, drainDeadlineSeconds: Double
        ) {
            self.atPercent = atPercent
            self.leadSeconds = leadSeconds
            self.minimumIntervalSeconds = minimumIntervalSeconds
            self.atMostPerHour = atMostPerHour
            self.capacityFloor = capacityFloor
            self.drainDeadlineSeconds = drainDeadlineSeconds
        }

        private enum CodingKeys: String, CodingKey {
            case atPercent = "at_percent"
            case leadSeconds = "lead_s"
            case minimumIntervalSeconds = "minimum_interval_s"
            case atMostPerHour = "at_most_per_hour"
            case capacityFloor = "capacity_floor"
            case drainDeadlineSeconds = "drain_deadline_s"
        }
    }

    package var name: String
    /// "127.0.0.1:8080".
    package var address: String
    package var workers: Int
    /// What one worker may hold.
    package var budget: ByteCount
    package var recycling: Recycling
    /// Sites and holder chains can be named.
    package var samplesHeap: Bool
    /// Name of the policy; nil: nobody is paged.
    package var policy: String?
    /// Its owner has decided so: `policy: none`.
    package var pagesNobody: Bool
    package var runbook: String?
    /// How long it takes until somebody has a page in hand, and to act. A limit within both together is critical.
    package var ackSeconds: Double
    package var mitigateSeconds: Double
    /// What rings beside the leak verdict, in words: "error rate above …".
    package var alerts: [String]

    package init(
        name: String, address: String, workers: Int, budget: ByteCount, recycling: Recycling, samplesHeap: Bool,
        policy: String? = nil, pagesNobody: Bool = false, runbook: String? = nil, ackSeconds: Double = 300,
        mitigateSeconds: Double = 600, alerts: [String] = []
    ) {
        self.name = name
        self.address = address
        self.workers = workers
        self.budget = budget
        self.recycling = recycling
        self.samplesHeap = samplesHeap
        self.policy = policy
        self.pagesNobody = pagesNobody
        self.runbook = runbook
        self.ackSeconds = ackSeconds
        self.mitigateSeconds = mitigateSeconds
        self.alerts = alerts
    }

    private enum CodingKeys: String, CodingKey {
        case name, address, workers, recycling, policy, runbook, alerts
        case budget = "budget_bytes"
        case samplesHeap = "samples_heap"
        case pagesNobody = "pages_nobody"
        case ackSeconds = "ack_s"
        case mitigateSeconds = "mitigate_s"
    }
}

/// Who is told, and who next. Times are seconds.
package struct PlannedPolicy: Hashable, Sendable, Codable {
    package struct Step: Hashable, Sendable, Codable {
        /// From the beginning of the incident.
        package var afterSeconds: Double
        package var targets: [Target]

        package init(afterSeconds: Double, targets: [Target]) {
            self.afterSeconds = afterSeconds
            self.targets = targets
        }

        private enum CodingKeys: String, CodingKey {
            case targets
            case afterSeconds = "after_s"
        }
    }

    package struct Target: Hashable, Sendable, Codable {
        /// "schedule primary", "person ada", "channel chat".
        package var who: String
        /// Who that is now; empty: nobody, or a channel that many read.
        package var people: [String]
        package var ways: [Way]

        package init(who: String, people: [String] = [], ways: [Way] = []) {
            self.who = who
            self.people = people
            self.ways = ways
        }
    }

    /// One message through one channel.
    package struct Way: Hashable, Sendable, Codable {
        package var person: String?
        package var channel: String
        /// Only where it is no secret.
        package var address: String?
        /// After the step.
        package var afterSeconds: Double

        package init(person: String? = nil, channel: String, address: String? = nil, afterSeconds: Double = 0) {
            self.person = person
            self.channel = channel
            self.address = address
            self.afterSeconds = afterSeconds
        }

        private enum CodingKeys: String, CodingKey {
            case person, channel, address
            case afterSeconds = "after_s"
        }
    }

    package var name: String
    package var steps: [Step]
    /// How often the steps are gone through again.
    package var repeats: Int
    /// After the last step.
    package var repeatAfterSeconds: Double
    /// How long an acknowledgement holds; nil: until the incident ends or gets worse.
    package var acknowledgementSeconds: Double?

    package init(
        name: String, steps: [Step], repeats: Int = 0, repeatAfterSeconds: Double = 300,
        acknowledgementSeconds: Double? = nil
    ) {
        self.name = name
        self.steps = steps
        self.repeats = repeats
        self.repeatAfterSeconds = repeatAfterSeconds
        self.acknowledgementSeconds = acknowledgementSeconds
    }

    /// When nobody is left, from the beginning of the incident.
    package var exhaustedAfterSeconds: Double {
        let last = steps.last?.afterSeconds ?? 0
        return (last + repeatAfterSeconds) * Double(repeats + 1)
    }

    private enum CodingKeys: String, CodingKey {
        case name, steps, repeats
        case repeatAfterSeconds = "repeat_after_s"
        case acknowledgementSeconds = "acknowledgement_s"
    }
}

/// Who is on call.
package struct PlannedSchedule: Hashable, Sendable, Codable {
    package var name: String
    /// Empty: nobody.
    package var now: [String]
    /// Nil: no change is in sight.
    package var until: WallTime?
    package var next: [String]

    package init(name: String, now: [String], until: WallTime? = nil, next: [String] = []) {
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

/// How pages are sent.
package struct PlannedChannel: Hashable, Sendable, Codable {
    package var name: String
    /// "mail through smtp.example.org", "file /var/lib/oakum/pages.jsonl"; never a secret.
    package var words: String
    /// A file or a terminal: nobody is called, somebody has to look.
    package var isLocal: Bool

    package init(name: String, words: String, isLocal: Bool = false) {
        self.name = name
        self.words = words
        self.isLocal = isLocal
    }

    private enum CodingKeys: String, CodingKey {
        case name, words
        case isLocal = "local"
    }
}

/// People who are told in plain words what it costs.
package struct PlannedAudience: Hashable, Sendable, Codable {
    package var name: String
    package var channel: String
    package var address: String?
    /// Empty: all.
    package var services: [String]
    /// When they are told: "impact", "cause_known", …
    package var stages: [String]

    package init(name: String, channel: String, address: String? = nil, services: [String] = [], stages: [String]) {
        self.name = name
        self.channel = channel
        self.address = address
        self.services = services
        self.stages = stages
    }
}

/// Somebody outside who notices when Oakum is silent.
package struct PlannedDeadMan: Hashable, Sendable, Codable {
    /// Its host; the rest of the address may be a secret.
    package var host: String
    package var everySeconds: Double

    package init(host: String, everySeconds: Double) {
        self.host = host
        self.everySeconds = everySeconds
    }

    private enum CodingKeys: String, CodingKey {
        case host
        case everySeconds = "every_s"
    }
}
