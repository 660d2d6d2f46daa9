/// The readings of the last while, in bounded room: what comes too soon after the one before is left out, what is too old goes.
package struct RecentSeries<Reading: Sendable>: Sendable {
    package let seconds: Double
    package let spacing: Double
    package let capacity: Int
    package private(set) var readings: [(seconds: Double, reading: Reading)] = []

    /// - Parameters:
    ///   - seconds: how far back it reaches.
    ///   - spacing: between two readings at least, seconds.
    package init(seconds: Double, spacing: Double) {
        self.seconds = seconds
        self.spacing = spacing
        capacity = Int((seconds / max(spacing, 0.1)).rounded(.up)) + 1
    }

    /// - Returns: false when it came too soon.
    @discardableResult
    package mutating func append(_ reading: Reading, at seconds: Double) -> Bool {
        if let last = readings.last, seconds - last.seconds < spacing { return false }
        readings.append((seconds, reading))
        // A few at once: taking out the first moves all others.
        if readings.count > capacity + capacity / 8 { readings.removeFirst(readings.count - capacity) }
        if let first = readings.first, seconds - first.seconds > 1.125 * self.seconds {
            readings.removeAll { seconds - $0.seconds > self.seconds }
        }
        return true
    }
}
