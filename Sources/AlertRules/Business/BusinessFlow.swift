package import OakumModel

/// Puts together what all workers of a service counted, span by span; a span is known when every serving worker has told.
///
/// A worker that is held to be unresponsive serves nobody and is not waited for. When others keep silent for longer than
/// `patience`, the span is not known, and left out.
package struct BusinessFlow: Sendable {
    /// A span that is over.
    package struct Span: Hashable, Sendable {
        package var from: Moment
        package var until: Moment
        package var count: Double
    }

    package enum Step: Hashable, Sendable {
        case known(Span)
        case waiting
        /// Nobody can tell what was counted since.
        case unknown
    }

    /// Seconds.
    package static let patience = 30.0

    private var memory = CounterMemory()
    private var begin: Moment?
    private var count = 0.0
    /// Told since the span began.
    private var told: Set<ProcessIdentity> = []
    private var lastAt: Uptime?

    package init() {}

    /// - Parameters:
    ///   - value: what a worker's counter says; nil: it is not in what the worker told.
    ///   - isSilent: workers that serve nobody.
    package mutating func add(
        _ reading: ServiceReading, value: (WorkerCounters) -> Double?, isSilent: (WorkerReading) -> Bool
    ) -> Step {
        let now = reading.at
        // Of a time nobody looked at nothing is known, but for what the counters say afterwards.
        let isGap = lastAt.map { now.uptime - $0 > Self.patience } ?? true
        lastAt = now.uptime
        memory.keep(Set(reading.workers.map(\.process)))
        let anyTells = take(reading, value)
        let open = reading.workers.filter { !$0.isDraining && !told.contains($0.process) && !isSilent($0) }
        // Of a service of which no worker tells this counter nothing is known, unless none of them serves anybody.
        let nobodyServes = reading.workers.allSatisfy { $0.isDraining || isSilent($0) }
        let isKnown = open.isEmpty && (anyTells || nobodyServes)
        guard let from = begin, !isGap else {
            // It begins where all have told: what they counted before is not of it.
            if isKnown { start(at: now) } else { begin = nil }
            return .unknown
        }
        if isKnown {
            let span = Span(from: from, until: now, count: count)
            start(at: now)
            return .known(span)
        }
        guard now.uptime - from.uptime > Self.patience else { return .waiting }
        begin = nil
        count = 0
        told = []
        return .unknown
    }

    /// Returns whether a worker told the counter in this span.
    private mutating func take(_ reading: ServiceReading, _ value: (WorkerCounters) -> Double?) -> Bool {
        var any = false
        for worker in reading.workers {
            guard let counters = worker.counters else { continue }
            told.insert(worker.process)
            guard let total = value(counters) else { continue }
            any = true
            let grown = memory.increase(
                of: worker.process, to: total, startedAt: worker.startedAt, at: reading.at.uptime)
            count += grown?.amount ?? 0
        }
        return any
    }

    private mutating func start(at now: Moment) {
        begin = now
        count = 0
        told = []
    }
}
