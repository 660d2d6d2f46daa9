/// What happened, in the words of the journal. Raw values are stored and shown: they may be added to, never renamed.
package enum EventKind: String, Sendable, Codable, CaseIterable {
    /// `oakum` came up, or took over workers that were already running.
    case watchStarted = "watch_started"
    case watchStopped = "watch_stopped"
    case paused
    case resumed
    case workerStarted = "worker_started"
    /// The worker serves: it said so, its probe answered, and its minimum healthy time has passed.
    case workerReady = "worker_ready"
    case workerExited = "worker_exited"
    /// A worker did not become ready in time, or dies as fast as it is started.
    case workerFailed = "worker_failed"
    /// The verdict on a worker changed.
    case verdict
    case recycleStarted = "recycle_started"
    case recycleFinished = "recycle_finished"
    case recycleFailed = "recycle_failed"
    /// What would have been done, in observe-only mode or while paused.
    case recycleWithheld = "recycle_withheld"
    /// The slope of the successor: what a recycle bought.
    case slopeAfterwards = "slope_afterwards"
    /// Where a leak's memory comes from, and who holds it.
    case leakNamed = "leak_named"
    /// Looking into the heap gave no name, and why.
    case leakNotNamed = "leak_not_named"
    /// What is held to be the first cause of what is seen, or that this has changed.
    case diagnosed
    /// Something that users feel or operators see went wrong, and that it is over.
    case symptom
    case symptomOver = "symptom_over"
    /// Another program took the place of a service's, or somebody told of a release.
    case deploy
    /// A step of a deploy by Oakum, with its reason.
    case release
    case command
    case problem
}

/// One line of the journal.
package struct Event: Hashable, Sendable, Codable {
    package var kind: EventKind
    package var at: Moment
    package var service: String?
    package var worker: UInt32?
    package var process: ProcessIdentity?
    /// One sentence for people.
    package var message: String
    package var verdict: Verdict?
    /// What leaks, the largest site first; nil when nobody looked.
    package var heap: [HeapFinding]?
    /// Further facts by name; numbers as text, names end in their unit.
    package var facts: [String: String]

    package init(
        kind: EventKind, at: Moment, service: String? = nil, worker: UInt32? = nil, process: ProcessIdentity? = nil,
        message: String, verdict: Verdict? = nil, heap: [HeapFinding]? = nil, facts: [String: String] = [:]
    ) {
        self.kind = kind
        self.at = at
        self.service = service
        self.worker = worker
        self.process = process
        self.message = message
        self.verdict = verdict
        self.heap = heap
        self.facts = facts
    }
}

/// An event with the number the journal gave it: numbers grow by one and are never reused.
package struct EventRecord: Hashable, Sendable, Codable {
    package var id: Int64
    package var event: Event

    package init(id: Int64, event: Event) {
        self.id = id
        self.event = event
    }
}
