/// A process for as long as it lives: a bare pid may be reused, a pid with its start time is not.
package struct ProcessIdentity: Hashable, Sendable, Codable {
    package var pid: Int32
    /// Field 22 of `/proc/PID/stat`: clock ticks after boot.
    package var startTicks: UInt64

    package init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }

    private enum CodingKeys: String, CodingKey {
        case pid
        case startTicks = "start_ticks"
    }
}

/// A worker of a service. Numbers only grow and are never reused within one state folder, so that a number in an old
/// event still means one worker. A crashed worker that is started again keeps its number; a recycled one does not.
package struct WorkerID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var service: String
    package var number: UInt32

    package init(service: String, number: UInt32) {
        self.service = service
        self.number = number
    }

    package static func < (left: WorkerID, right: WorkerID) -> Bool {
        (left.service, left.number) < (right.service, right.number)
    }

    package var description: String { "\(service)/\(number)" }
}
