/// Notices that something is wrong with a service: slow or failed answers, requests that pile up, processor time far beyond
/// what is usual, a volume that is nearly full, stalls for memory or disk. Pure: readings in, changes out.
///
/// It compares with the service's own last half hour, so a slow change of the load (day and night) is none, and what
/// happens now and then is none. It says that, not why: that is the diagnosis's business. Bounded: a track for each of
/// six signals and at most `volumeLimit` volumes.
package struct SymptomWatch: Sendable {
    package enum Change: Hashable, Sendable {
        case began(Symptom)
        /// It is as usual again.
        case ended(Symptom)
        /// It lasted for half an hour and counts as usual from now on.
        case becameUsual(Symptom)
    }

    package static let volumeLimit = 16

    private var tracks: [SymptomReading.Key: SymptomTrack] = [:]

    package init() {}

    /// What is wrong now, the longest first.
    package var symptoms: [Symptom] {
        tracks.values.compactMap(\.symptom).sorted { ($0.since, $0.kind.rawValue) < ($1.since, $1.kind.rawValue) }
    }

    /// Something is wrong or may be: worth closer readings.
    package var isSuspicious: Bool { tracks.values.contains { $0.isSuspicious } }

    package mutating func add(_ reading: SymptomReading) -> [Change] {
        var changes: [Change] = []
        for (key, level) in reading.levels.sorted(by: { $0.key < $1.key }) {
            if tracks[key] == nil {
                guard key.name == nil || tracks.keys.count(where: { $0.name != nil }) < Self.volumeLimit else {
                    continue
                }
                tracks[key] = SymptomTrack(key)
            }
            if let change = tracks[key]?.add(level, reading) { changes.append(change) }
        }
        return changes
    }
}
