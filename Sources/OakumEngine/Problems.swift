import OakumModel

/// What does not work right now, by source. Says which changes are worth an event: a source that comes and goes is told
/// at most once a minute, so that it cannot flood the journal.
struct Problems: Sendable {
    private static let quiet = 60.0
    private(set) var current: [String: String] = [:]
    private var toldAt: [String: Uptime] = [:]
    /// Told as begun and not yet as over.
    private var open: Set<String> = []

    var texts: [String] {
        current.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    }

    /// - Parameter text: nil when it works.
    mutating func set(_ source: String, _ text: String?, at now: Moment) -> Event? {
        let before = current[source]
        current[source] = text
        if let text, before == nil {
            if let last = toldAt[source], now.uptime - last < Self.quiet { return nil }
            toldAt[source] = now.uptime
            open.insert(source)
            return Event(kind: .problem, at: now, message: "\(source): \(text)", facts: ["source": source])
        }
        guard text == nil, before != nil, open.remove(source) != nil else { return nil }
        return Event(kind: .problem, at: now, message: "\(source): works again", facts: ["source": source])
    }
}
