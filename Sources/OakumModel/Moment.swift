/// Seconds on a clock that never steps back and goes on across suspends and restarts of Oakum (`CLOCK_BOOTTIME`).
///
/// For logic. Only differences mean anything, and only within one boot of the machine.
package struct Uptime: Hashable, Comparable, Sendable, Codable {
    package var seconds: Double

    package init(seconds: Double) {
        self.seconds = seconds
    }

    package static func < (left: Uptime, right: Uptime) -> Bool {
        left.seconds < right.seconds
    }

    package static func - (left: Uptime, right: Uptime) -> Double {
        left.seconds - right.seconds
    }

    package static func + (left: Uptime, right: Double) -> Uptime {
        Uptime(seconds: left.seconds + right)
    }
}

/// Milliseconds since 1970 in UTC. For display and storage, never for logic: it can step.
package struct WallTime: Hashable, Comparable, Sendable, Codable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static func < (left: WallTime, right: WallTime) -> Bool {
        left.milliseconds < right.milliseconds
    }

    package init(from decoder: any Decoder) throws {
        self.init(milliseconds: try decoder.singleValueContainer().decode(Int64.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }
}

/// One instant, read from both clocks at once.
package struct Moment: Hashable, Sendable, Codable {
    package var uptime: Uptime
    package var wall: WallTime

    package init(uptime: Uptime, wall: WallTime) {
        self.uptime = uptime
        self.wall = wall
    }
}
