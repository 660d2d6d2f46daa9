import OakumModel

/// Events that are not in the journal yet. At most 10,000 wait for a journal that does not take them: then the oldest
/// go first and are counted, so that a full disk costs history, never memory.
struct UnwrittenEvents: Sendable {
    static let capacity = 10_000
    private(set) var waiting: [Event] = []
    private(set) var lost = 0

    var isEmpty: Bool { waiting.isEmpty }

    /// How many were lost since the last call.
    mutating func takeLost() -> Int {
        defer { lost = 0 }
        return lost
    }

    mutating func add(_ events: [Event]) {
        waiting += events
        let surplus = waiting.count - Self.capacity
        guard surplus > 0 else { return }
        waiting.removeFirst(surplus)
        lost += surplus
    }

    /// Takes the oldest out to be written, at most 500 at once.
    mutating func take() -> [Event] {
        let batch = Array(waiting.prefix(500))
        waiting.removeFirst(batch.count)
        return batch
    }

    /// They could not be written: back to the front.
    mutating func putBack(_ batch: [Event]) {
        waiting.insert(contentsOf: batch, at: 0)
        let surplus = waiting.count - Self.capacity
        guard surplus > 0 else { return }
        waiting.removeFirst(surplus)
        lost += surplus
    }
}
