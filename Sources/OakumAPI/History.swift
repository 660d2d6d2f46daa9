package import OakumModel

/// Which memory history is wanted.
package struct HistoryQuery: Hashable, Sendable, Codable {
    package var service: String
    /// How far back from now, in seconds.
    package var seconds: Double
    /// The most points a worker; older data is thinned to bucket floors and peaks.
    package var points: Int

    package init(service: String, seconds: Double = 900, points: Int = 600) {
        self.service = service
        self.seconds = seconds
        self.points = points
    }
}

/// Memory of the workers of one service over time.
package struct History: Hashable, Sendable, Codable {
    package var service: String
    package var budget: ByteCount
    package var workers: [WorkerHistory]
    /// What was counted meanwhile, as far as this `oakum` has seen it; nil: it does not tell.
    package var measures: [MeasureHistory]?

    package init(
        service: String, budget: ByteCount, workers: [WorkerHistory], measures: [MeasureHistory]? = nil
    ) {
        self.service = service
        self.budget = budget
        self.workers = workers
        self.measures = measures
    }

    private enum CodingKeys: String, CodingKey {
        case service, workers, measures
        case budget = "budget_bytes"
    }
}

/// Memory of one process over time; a worker that was started again is two.
package struct WorkerHistory: Hashable, Sendable, Codable {
    package var number: UInt32
    package var process: ProcessIdentity?
    package var points: [HistoryPoint]

    package init(number: UInt32, process: ProcessIdentity?, points: [HistoryPoint]) {
        self.number = number
        self.process = process
        self.points = points
    }
}

/// A bucket of samples: `floor` is the smallest resident set in it, `peak` the largest.
package struct HistoryPoint: Hashable, Sendable, Codable {
    package var at: WallTime
    package var floor: ByteCount
    package var peak: ByteCount

    package init(at: WallTime, floor: ByteCount, peak: ByteCount) {
        self.at = at
        self.floor = floor
        self.peak = peak
    }

    private enum CodingKeys: String, CodingKey {
        case at = "at_ms"
        case floor = "floor_bytes"
        case peak = "peak_bytes"
    }
}

/// What is counted of a service. Raw values are added to, never renamed.
package enum MeasureKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Something the business counts.
    case business
    case requests
    /// Requests the service failed to answer well.
    case failures
}

/// What was counted of one thing over time, all workers together.
package struct MeasureHistory: Hashable, Sendable, Codable {
    package var kind: MeasureKind
    /// "sign-ups".
    package var name: String
    /// Rising in time; where nothing could be counted there is none.
    package var points: [MeasurePoint]

    package init(kind: MeasureKind, name: String, points: [MeasurePoint]) {
        self.kind = kind
        self.name = name
        self.points = points
    }
}

/// What was counted in a few seconds or minutes.
package struct MeasurePoint: Hashable, Sendable, Codable {
    /// Their beginning.
    package var at: WallTime
    /// Of the time, so many seconds were counted.
    package var seconds: Double
    package var count: Double
    /// What was to be expected in those seconds; nil: nothing is known.
    package var expected: Estimate?

    package init(at: WallTime, seconds: Double, count: Double, expected: Estimate? = nil) {
        self.at = at
        self.seconds = seconds
        self.count = count
        self.expected = expected
    }

    private enum CodingKeys: String, CodingKey {
        case seconds, count, expected
        case at = "at_ms"
    }
}

/// Which events are wanted: at most `limit` with a number above `after`; with `after` nil the newest `limit`.
package struct EventQuery: Hashable, Sendable, Codable {
    package var after: Int64?
    package var limit: Int

    package init(after: Int64? = nil, limit: Int = 100) {
        self.after = after
        self.limit = limit
    }
}
