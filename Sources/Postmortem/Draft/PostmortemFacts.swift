package import OakumModel

/// Everything a postmortem is written from. What is nil or empty was not measured, and the document says so.
package struct PostmortemFacts: Sendable {
    package var incident: Incident
    /// Rising in time.
    package var timeline: [TimelineEntry]
    package var pages: [PageTold]
    /// The journal over the time of the incident, rising; nil: it could not be read.
    package var events: [Event]?
    package var memory: MemoryRecord?
    /// What users and the business do, over time: error rate, latency, sign-ups. At most four are drawn.
    package var measures: [MeasuredSeries]
    /// What of the users' side was measured all the time, breached or not; nil: it is not known which rules there were.
    package var measured: [WatchedMeasure]?
    package var owner: ProposedOwner?
    /// The build that ran.
    package var release: String?
    /// How Oakum was told to treat the service; nil: not known.
    package var treatment: ServiceTreatment?
    /// All times of the document are given in it.
    package var zone: DocumentZone
    /// Matters for incidents that are not over: their durations are "so far".
    package var madeAt: WallTime
    /// Address of Oakum's glossary, relative to the document or of the web; nil: the words are explained without a link.
    package var glossary: String?

    package init(
        incident: Incident, timeline: [TimelineEntry] = [], pages: [PageTold] = [], events: [Event]? = nil,
        memory: MemoryRecord? = nil, measures: [MeasuredSeries] = [], measured: [WatchedMeasure]? = nil,
        owner: ProposedOwner? = nil,
        release: String? = nil, treatment: ServiceTreatment? = nil, zone: DocumentZone = .utc, madeAt: WallTime,
        glossary: String? = nil
    ) {
        self.incident = incident
        self.timeline = timeline
        self.pages = pages
        self.events = events
        self.memory = memory
        self.measures = measures
        self.measured = measured
        self.owner = owner
        self.release = release
        self.treatment = treatment
        self.zone = zone
        self.madeAt = madeAt
        self.glossary = glossary
    }
}

/// A page and what became of it.
package struct PageTold: Hashable, Sendable {
    package enum State: String, Hashable, Sendable {
        case waiting
        case delivered
        case dead
        case withdrawn
    }

    package var page: Page
    package var state: State
    package var attempts: Int
    /// The receiver's receipt, or why it failed.
    package var words: String?

    package init(page: Page, state: State, attempts: Int, words: String? = nil) {
        self.page = page
        self.state = state
        self.attempts = attempts
        self.words = words
    }
}

/// Memory of a service's workers over time.
package struct MemoryRecord: Hashable, Sendable {
    /// What one worker may hold.
    package var budget: ByteCount
    package var processes: [MemoryProcess]

    package init(budget: ByteCount, processes: [MemoryProcess]) {
        self.budget = budget
        self.processes = processes
    }
}

/// Memory of one process; a worker that was started again is two.
package struct MemoryProcess: Hashable, Sendable {
    package var worker: UInt32
    /// Rising in time.
    package var points: [MemoryPoint]

    package init(worker: UInt32, points: [MemoryPoint]) {
        self.worker = worker
        self.points = points
    }
}

/// A bucket of samples: the smallest and the largest resident set in it.
package struct MemoryPoint: Hashable, Sendable {
    package var at: WallTime
    package var floor: ByteCount
    package var peak: ByteCount

    package init(at: WallTime, floor: ByteCount, peak: ByteCount) {
        self.at = at
        self.floor = floor
        self.peak = peak
    }
}

/// Something counted or timed on the users' side.
package struct MeasuredSeries: Hashable, Sendable {
    package struct Point: Hashable, Sendable {
        package var at: WallTime
        package var value: Double

        package init(at: WallTime, value: Double) {
            self.at = at
            self.value = value
        }
    }

    /// What was to be expected then.
    package struct Band: Hashable, Sendable {
        package var at: WallTime
        package var low: Double
        package var high: Double

        package init(at: WallTime, low: Double, high: Double) {
            self.at = at
            self.low = low
            self.high = high
        }
    }

    /// Part of the chart's file name: a–z, 0–9 and -.
    package var id: String
    /// "Sign-ups a minute".
    package var title: String
    /// Behind the numbers of the axis: "%", "ms"; empty: counts.
    package var unit: String
    package var points: [Point]
    package var expected: [Band]
    /// Where an alert rings.
    package var limit: Double?

    package init(
        id: String, title: String, unit: String, points: [Point], expected: [Band] = [], limit: Double? = nil
    ) {
        self.id = id
        self.title = title
        self.unit = unit
        self.points = points
        self.expected = expected
        self.limit = limit
    }
}

/// Who is proposed for the corrective actions.
package struct ProposedOwner: Hashable, Sendable {
    /// A person or a team.
    package var name: String
    /// "the first step of the policy registration".
    package var origin: String

    package init(name: String, origin: String) {
        self.name = name
        self.origin = origin
    }
}

/// Something on the users' side that a rule watched.
package struct WatchedMeasure: Hashable, Sendable {
    /// "error rate", "sign-ups".
    package var name: String
    /// Of the alert that tells of a breach.
    package var kind: AlertKind

    package init(name: String, kind: AlertKind) {
        self.name = name
        self.kind = kind
    }
}

/// How Oakum was told to treat a service.
package struct ServiceTreatment: Hashable, Sendable {
    /// It may replace workers by itself.
    package var recycles: Bool
    /// The workers carry the sampler, so that sites can be named.
    package var samplesHeap: Bool
    /// Nobody shall be paged for it: `policy: none`.
    package var pagesNobody: Bool

    package init(recycles: Bool, samplesHeap: Bool, pagesNobody: Bool = false) {
        self.recycles = recycles
        self.samplesHeap = samplesHeap
        self.pagesNobody = pagesNobody
    }
}
