/// Readings over a whole life in bounded room: when it is full, every other one goes, and from then on half as many come in.
///
/// So it always covers everything since the beginning, evenly, with between half of `capacity` and `capacity` readings.
package struct ThinnedSeries<Reading: Sendable>: Sendable {
    package let capacity: Int
    package private(set) var readings: [Reading] = []
    /// Kept are the readings whose number is a multiple of this.
    private var stride = 1
    private var seen = 0

    /// - Parameter capacity: at least 2.
    package init(capacity: Int) {
        self.capacity = max(2, capacity)
    }

    package mutating func append(_ reading: Reading) {
        defer { seen += 1 }
        guard seen.isMultiple(of: stride) else { return }
        if readings.count >= capacity {
            readings = thinned
            stride *= 2
            guard seen.isMultiple(of: stride) else { return }
        }
        readings.append(reading)
    }

    private var thinned: [Reading] {
        readings.enumerated().compactMap { $0.offset.isMultiple(of: 2) ? $0.element : nil }
    }
}
