package import RegistrationCore

/// What the hashing queue holds now and has seen since the start. Fixed size.
package struct HashingStatistics: Hashable, Sendable {
    package var slots: Int
    package var waiting = 0
    package var running = 0
    package var room = 0
    /// Tasks cancelled while they waited.
    package var cancelled = 0
    /// Stored hashes that could not be verified: malformed, or dearer than the limit.
    package var unverifiable = 0
    package var wait = DurationHistogram()
    package var work = DurationHistogram()
    package private(set) var refused: [Refused: Int] = [:]

    package struct Refused: Hashable, Sendable {
        package var lane: AdmissionQueue.Lane
        package var reason: AdmissionQueue.Refusal
    }

    package init(slots: Int) {
        self.slots = slots
    }

    mutating func countRefused(_ lane: AdmissionQueue.Lane, _ reason: AdmissionQueue.Refusal) {
        refused[Refused(lane: lane, reason: reason), default: 0] += 1
    }
}

/// Counts of durations in fixed buckets, as Prometheus histograms have them.
package struct DurationHistogram: Hashable, Sendable {
    /// Upper bounds in seconds; one more bucket holds what is above the last.
    package static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
    /// One count for each bound and one for the rest; not cumulative.
    package private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    package private(set) var total = Duration.zero

    package init() {}

    package mutating func record(_ duration: Duration) {
        let seconds = duration / .seconds(1)
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        total += duration
    }
}
