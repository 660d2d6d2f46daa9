// GRDB's blobs are Foundation's Data.
import FoundationEssentials
import GRDB

extension [UInt8] {
    var databaseBytes: DatabaseValue { Data(self).databaseValue }
}

/// A message in the hands of the dispatcher.
struct OutboxClaim: Sendable {
    var seq: Int64
    var message: OutboxMessage
    var course: OutboxCourse

    static let columns = """
        m.seq, m.id, m.destination, m.kind, m.priority, m.thread, m.payload, m.attempts, m.due_ms, m.give_up_ms,
        m.words, m.enqueued_wall_ms, m.withdrawal_asked
        """

    /// The course stands as waiting, or as withdrawn when its owner asked for that.
    init(_ row: Row) throws {
        seq = try row.decode(atIndex: 0)
        let payload: [UInt8] = try row.withUnsafeData(atIndex: 6) { $0.map(Array.init) ?? [] }
        message = OutboxMessage(
            id: try row.decode(atIndex: 1), destination: try row.decode(atIndex: 2), kind: try row.decode(atIndex: 3),
            priority: try row.value(4), thread: try row.decode(atIndex: 5), payload: payload,
            enqueuedAtMilliseconds: try row.decode(atIndex: 11))
        course = OutboxCourse(
            due: try row.value(8), giveUpAt: try row.value(9), attempts: try row.decode(atIndex: 7))
        course.words = try row.decode(atIndex: 10)
        if try row.decode(Bool.self, atIndex: 12) { _ = course.withdraw() }
    }

    var held: HeldMessage {
        HeldMessage(
            seq: seq, destination: message.destination, kind: message.kind, isFirst: message.priority == .first,
            course: course)
    }
}

/// What the dispatcher keeps of a message while the sender has the rest, or while it cannot be written.
struct HeldMessage: Sendable {
    var seq: Int64
    var destination: String
    var kind: String
    var isFirst: Bool
    var course: OutboxCourse
    /// The row says the same.
    var isWritten = false
}
