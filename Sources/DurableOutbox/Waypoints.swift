import Glibc
import Synchronization

/// A place on the way of a message at which a process may be killed, and nothing may be lost.
package enum Waypoint: String, CaseIterable, Hashable, Sendable {
    /// The request that brings the message has been read.
    case accept
    /// The message is in the owner's transaction, which has not been committed.
    case enqueue
    /// The owner's transaction has been committed: the message is on the disk.
    case fsync
    /// The claim has been committed.
    case claim
    /// The sender is about to reach for the receiver.
    case connect
    /// All of the message has been written to the network.
    case bytesSent = "bytes_sent"
    /// The receiver's answer has been read.
    case responseRead = "response_read"
    /// The outcome of an attempt has been committed; the owner has not heard of it.
    case record
    /// A person's acknowledgement has been committed by the owner.
    case acknowledge
}

/// Is told when a waypoint is reached. Does nothing, unless a test of crashes asked for it.
package struct Waypoints: Sendable {
    /// May block its thread: whoever asked for that wants the process to stand still.
    package var reached: @Sendable (Waypoint) -> Void

    package init(reached: @escaping @Sendable (Waypoint) -> Void) {
        self.reached = reached
    }

    package static let none = Waypoints { _ in }

    /// Writes the label and a line end to `output`, and waits until a byte comes from `input`: between the two an
    /// outside harness can kill this process exactly there. One waypoint at a time. When the other side has gone,
    /// waypoints do nothing from then on.
    package static func pipe(input: Int32, output: Int32) -> Waypoints {
        let harness = Harness()
        return Waypoints { waypoint in
            // Held while waiting, so that each byte answers one label.
            harness.isThere.withLock { isThere in
                guard isThere else { return }
                isThere = tell(waypoint, output) && isAnswered(input)
            }
        }
    }

    /// From the value of `OAKUM_WAYPOINTS`, "IN,OUT": two inherited descriptors. Nil gives waypoints that do nothing.
    /// The descriptors are kept from processes started later.
    /// - Throws: `.malformed` when it says anything but two open descriptors from 3 on.
    package static func described(by text: String?) throws(OutboxError) -> Waypoints {
        guard let text else { return .none }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Int32($0) }
        guard parts.count == 2, let input = parts[0], let output = parts[1], input > 2, output > 2, isOpen(input),
            isOpen(output)
        else {
            throw .malformed("OAKUM_WAYPOINTS is \"\(text)\": it names two inherited descriptors, as in \"3,4\"")
        }
        return pipe(input: input, output: output)
    }

    private final class Harness: Sendable {
        let isThere = Mutex(true)
    }

    private static func isOpen(_ descriptor: Int32) -> Bool {
        fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    }

    private static func tell(_ waypoint: Waypoint, _ output: Int32) -> Bool {
        let line = Array("\(waypoint.rawValue)\n".utf8)
        var count = write(output, line, line.count)
        while count < 0, errno == EINTR { count = write(output, line, line.count) }
        return count == line.count
    }

    private static func isAnswered(_ input: Int32) -> Bool {
        var byte: UInt8 = 0
        var count = read(input, &byte, 1)
        while count < 0, errno == EINTR { count = read(input, &byte, 1) }
        return count == 1
    }
}
