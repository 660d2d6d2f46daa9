/// Follows the control arm's restart: when it is due, what memory was before and after, and when it was back. Pure.
struct WrongMoveCourse: Hashable, Sendable {
    private let restartAt: Double
    /// The last level of each process before the restart.
    private var before: [Int64?]
    /// The lowest level of each since it is back.
    private var after: [Int64?]
    private(set) var restartedAt: Double?
    private var backAt: Double?

    init(_ move: WrongMove, of processes: Int) {
        restartAt = move.restartAtSeconds
        before = Array(repeating: nil, count: processes)
        after = before
    }

    /// Takes in resident bytes of each process, nil where there is none. True when it is time to restart them all, once.
    mutating func look(_ memory: [Int64?], at seconds: Double) -> Bool {
        guard let restartedAt else {
            for (place, bytes) in memory.enumerated() where bytes != nil { before[place] = bytes }
            guard seconds >= restartAt else { return false }
            restartedAt = seconds
            return true
        }
        // The first second belongs to the old processes, which are on their way out.
        guard seconds > restartedAt + 1 else { return false }
        for (place, bytes) in memory.enumerated() {
            guard let bytes else { continue }
            after[place] = min(after[place] ?? bytes, bytes)
            if backAt == nil, let held = before[place], bytes >= held { backAt = seconds }
        }
        return false
    }

    /// nil before the restart.
    var report: WrongMoveReport? {
        guard let restartedAt else { return nil }
        return WrongMoveReport(
            restartedSeconds: (restartedAt * 10).rounded() / 10, memoryBeforeBytes: before.compactMap(\.self).max(),
            memoryAfterBytes: after.compactMap(\.self).max(),
            backAfterSeconds: backAt.map { (($0 - restartedAt) * 10).rounded() / 10 })
    }
}

/// What the wrong move bought: memory of the largest process before and after, and how long until one held as much again.
package struct WrongMoveReport: Hashable, Sendable, Codable {
    package var restartedSeconds: Double
    package var memoryBeforeBytes: Int64?
    package var memoryAfterBytes: Int64?
    /// nil: not before the arm ended.
    package var backAfterSeconds: Double?

    private enum CodingKeys: String, CodingKey {
        case restartedSeconds = "restarted_s"
        case memoryBeforeBytes = "memory_before_bytes"
        case memoryAfterBytes = "memory_after_bytes"
        case backAfterSeconds = "back_after_s"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(restartedSeconds, forKey: .restartedSeconds)
        try container.encode(memoryBeforeBytes, forKey: .memoryBeforeBytes)
        try container.encode(memoryAfterBytes, forKey: .memoryAfterBytes)
        try container.encode(backAfterSeconds, forKey: .backAfterSeconds)
    }
}
