/// Readings over a whole life in bounded room: when it is full, every other one goes, and from then on half as many come in.
///
/// So it always covers everything since the beginning, evenly, with between half of `capacity` and `capacity` readings.
package struct ThinnedSeries<Reading: Sendable>: Sendable {
    package let capacity: Int
    package private(set) var readings: [Reading] = []
    /// Of so many readings one is kept.
    private var stride = 1
    private var skipped = 0

    /// - Parameter capacity: at least 2.
    package init(capacity: Int) {
        self.capacity = max(2, capacity)
    }

    package mutating func append(_ reading: Reading) {
        skipped += 1
        guard skipped >= stride else { return }
        skipped = 0
        if readings.count >= capacity {
            readings = thinned
            stride *= 2
        }
        readings.append(reading)
    }

    private var thinned: [Reading] {
        readings.enumerated().compactMap { $0.offset.isMultiple(of: 2) ? $0.element : nil }
    }
}
