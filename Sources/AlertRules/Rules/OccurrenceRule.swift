package import OakumModel

/// Events counted by somebody else: how many there were of late.
package struct OccurrenceRule: Sendable {
    package let settings: OccurrenceSettings
    private var last: Int?
    /// When how many came, the newest last. At most `capacity`: the oldest are added to the one after them.
    private var seen: [(at: Uptime, count: Int)] = []
    private static let capacity = 128

    package init(_ settings: OccurrenceSettings) {
        self.settings = settings
    }

    /// - Parameter total: since somebody counts; the first one is where counting begins, and so is one that is less than the
    ///   last.
    package mutating func condition(_ total: Int?, at now: Uptime) -> Condition {
        guard let total else { return .unknown }
        if let last, total > last {
            seen.append((now, total - last))
            if seen.count > Self.capacity {
                let oldest = seen.removeFirst()
                seen[0].count += oldest.count
            }
        }
        last = total
        let keep = max(settings.windowSeconds, settings.clearSeconds)
        seen.removeAll { now - $0.at > keep }
        let count = count(at: now)
        if let worse = settings.worseCount, count >= max(1, worse) { return .high(settings.worseSeverity) }
        if count >= max(1, settings.count) { return .high(settings.severity) }
        return seen.contains { now - $0.at <= settings.clearSeconds } ? .between : .low
    }

    package func count(at now: Uptime) -> Int {
        seen.reduce(0) { $0 + (now - $1.at <= settings.windowSeconds ? $1.count : 0) }
    }
}
