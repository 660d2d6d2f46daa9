package import GRDB

/// Messages that cannot be lost, in the tables of their owner's database.
///
/// A message is enqueued in the owner's own transaction, beside the change it tells of: both are there, or neither. How
/// durable that is, is the owner's choice: `PRAGMA synchronous = FULL` for a page that survives a power cut. What the
/// functions here throw is for that transaction to be rolled back; `OutboxError(_:)` gives the reason of a commit that
/// failed. docs/outbox.md has the guarantees.
package struct Outbox: Sendable {
    /// The bounds of one outbox.
    package struct Bounds: Hashable, Sendable {
        /// Messages that are not final or not heard of. Beyond that enqueue gives `.tooMany`, except for messages of
        /// the first priority, which get a tenth more.
        package var messages = 100_000
        package var payloadBytes = 256 << 10
        /// How long a message waits for an earlier one of its thread that fails, before it goes its own way.
        package var threadPatience = Duration.seconds(300)

        package init(
            messages: Int = 100_000, payloadBytes: Int = 256 << 10, threadPatience: Duration = .seconds(300)
        ) {
            self.messages = messages
            self.payloadBytes = payloadBytes
            self.threadPatience = threadPatience
        }
    }

    package let clock: OutboxClock
    package let bounds: Bounds
    /// Rung when a transaction with something new has been committed. The dispatcher of this outbox waits for it.
    package let bell: OutboxBell

    package init(clock: OutboxClock = .system, bounds: Bounds = Bounds(), bell: OutboxBell = OutboxBell()) {
        self.clock = clock
        self.bounds = bounds
        self.bell = bell
    }

    /// Adds a message. The same id twice is one message, as long as the first has not been pruned.
    ///
    /// Durable when the transaction around it has been committed, and not before: there has to be one. Costs one
    /// insert.
    /// - Throws: `.tooMany`, `.diskFull`: tell whoever brought it to come again. `.tooLarge`, `.malformed`: never.
    @discardableResult
    package func enqueue(_ message: OutboxMessage, in db: Database) throws(OutboxError) -> OutboxEnqueued {
        if let fault = message.fault(maximumPayloadBytes: bounds.payloadBytes) { throw fault }
        guard db.isInsideTransaction else { throw .malformed("a message is enqueued inside a transaction") }
        return try reporting {
            guard try !isKnown(message.id, db) else { return .known }
            try checkRoom(for: message, db)
            let reading = clock.read()
            let now = try now(reading, in: db)
            let words = try String.fetchOne(
                db.cachedStatement(sql: "SELECT words FROM outbox_destinations WHERE name = ?"),
                arguments: [message.destination])
            var course = OutboxCourse(
                due: now.advanced(by: message.notBefore), giveUpAt: now.advanced(by: message.giveUpAfter))
            if let words { course.destinationDisabled(words) }
            try insert(message, course, now, reading.wallMilliseconds, db)
            bell.ring(afterTransactionOf: db)
            return course.state == .waiting ? .queued : .destinationDisabled
        }
    }

    /// What withdrawing came to.
    package struct Withdrawal: Hashable, Sendable {
        /// Never to be sent (again). Their owner has heard of it by this.
        package var withdrawn: [String] = []
        /// An attempt is in flight: the outcome will tell whether it was delivered.
        package var inFlight: [String] = []

        package init(withdrawn: [String] = [], inFlight: [String] = []) {
            self.withdrawn = withdrawn
            self.inFlight = inFlight
        }
    }

    /// Takes messages back, as far as they are not final. Unknown ids are passed over.
    package func withdraw(ids: [String], in db: Database) throws(OutboxError) -> Withdrawal {
        try reporting {
            var result = Withdrawal()
            let reading = clock.read()
            let now = try now(reading, in: db)
            for id in ids {
                try db.cachedStatement(
                    sql: "UPDATE outbox_messages SET withdrawal_asked = 1 WHERE id = ? AND state = 1"
                )
                .execute(arguments: [id])
                if db.changesCount > 0 {
                    result.inFlight.append(id)
                    continue
                }
                try db.cachedStatement(
                    sql: """
                        UPDATE outbox_messages
                        SET state = 4, heard = 1, ended_ms = ?, ended_wall_ms = ?, payload = x''
                        WHERE id = ? AND state = 0
                        """
                ).execute(arguments: [now.milliseconds, reading.wallMilliseconds, id])
                if db.changesCount > 0 { result.withdrawn.append(id) }
            }
            bell.ring(afterTransactionOf: db)
            return result
        }
    }

    /// Makes a dead message wait again, with all of its time before it: for a person who has mended the destination.
    /// False when there is no such message, or it is not dead. Its attempts go on counting; its outcome comes once
    /// more.
    package func revive(id: String, giveUpAfter: Duration, in db: Database) throws(OutboxError) -> Bool {
        try reporting {
            let now = try now(clock.read(), in: db)
            try db.cachedStatement(
                sql: """
                    UPDATE outbox_messages SET state = 0, heard = 0, cause = NULL, due_ms = ?, give_up_ms = ?,
                        ended_ms = NULL, ended_wall_ms = NULL, withdrawal_asked = 0
                    WHERE id = ? AND state = 3 AND destination NOT IN (SELECT name FROM outbox_destinations)
                    """
            ).execute(arguments: [now.milliseconds, now.advanced(by: giveUpAfter).milliseconds, id])
            guard db.changesCount > 0 else { return false }
            bell.ring(afterTransactionOf: db)
            return true
        }
    }

    /// The destinations that said they want nothing any more, with their words.
    package func disabledDestinations(in db: Database) throws(OutboxError) -> [String: String] {
        try reporting {
            let rows = try Row.fetchAll(db, sql: "SELECT name, words FROM outbox_destinations")
            return try Dictionary(
                uniqueKeysWithValues: rows.map { (try $0.decode(atIndex: 0), try $0.decode(atIndex: 1)) })
        }
    }

    /// Lets a destination have messages again: for an owner whose configuration of it has changed.
    package func enable(destination: String, in db: Database) throws(OutboxError) {
        try reporting {
            try db.execute(sql: "DELETE FROM outbox_destinations WHERE name = ?", arguments: [destination])
        }
    }

    private func isKnown(_ id: String, _ db: Database) throws -> Bool {
        try Int.fetchOne(db.cachedStatement(sql: "SELECT 1 FROM outbox_messages WHERE id = ?"), arguments: [id]) != nil
    }

    private func checkRoom(for message: OutboxMessage, _ db: Database) throws {
        let held = try Int.fetchOne(
            db.cachedStatement(sql: "SELECT sum(messages) FROM outbox_counts WHERE state IN (0, 1, 9)"))
        let limit = bounds.messages + (message.priority == .first ? bounds.messages / 10 : 0)
        guard held ?? 0 < limit else { throw OutboxError.tooMany(limit: limit) }
    }

    private func insert(
        _ message: OutboxMessage, _ course: OutboxCourse, _ now: OutboxInstant, _ wall: Int64, _ db: Database
    ) throws {
        let isDead = course.state == .dead
        try db.cachedStatement(
            sql: """
                INSERT INTO outbox_messages (id, destination, kind, priority, thread, state, due_ms, order_until_ms,
                    give_up_ms, cause, words, enqueued_wall_ms, ended_ms, ended_wall_ms, payload)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            message.id, message.destination, message.kind, message.priority.rawValue, message.thread,
            course.state.rawValue, course.due.milliseconds,
            course.due.advanced(by: bounds.threadPatience).milliseconds, course.giveUpAt.milliseconds,
            course.cause?.rawValue, course.words, wall, isDead ? now.milliseconds : nil, isDead ? wall : nil,
            message.payload.databaseBytes,
        ])
    }

    /// Turns what SQLite says into what the caller can do.
    func reporting<Value>(_ body: () throws -> Value) throws(OutboxError) -> Value {
        do { return try body() } catch { throw OutboxError(error) }
    }
}

extension OutboxTimeline {
    /// The stored line; nil in a new database.
    static func load(_ db: Database) throws -> OutboxTimeline? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT boot_id, base_ms, anchor_ms, anchor_wall_ms FROM outbox_clock"))
        return try row.map {
            OutboxTimeline(
                bootID: try $0.decode(atIndex: 0), baseMilliseconds: try $0.decode(atIndex: 1),
                anchor: OutboxInstant(milliseconds: try $0.decode(atIndex: 2)),
                anchorWallMilliseconds: try $0.decode(atIndex: 3))
        }
    }

    func save(_ db: Database) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO outbox_clock VALUES (1, ?, ?, ?, ?)").execute(arguments: [
            bootID, baseMilliseconds, anchor.milliseconds, anchorWallMilliseconds,
        ])
    }
}

extension Outbox {
    /// The present, on the stored time line; in a transaction that writes.
    func now(_ reading: OutboxReading, in db: Database) throws -> OutboxInstant {
        var line = try timeline(reading, in: db)
        return line.now(reading)
    }

    /// The stored time line, brought up to date.
    func timeline(_ reading: OutboxReading, in db: Database) throws -> OutboxTimeline {
        let stored = try OutboxTimeline.load(db)
        var line = stored ?? OutboxTimeline(beginning: reading)
        _ = line.anchor(reading)
        if line != stored { try line.save(db) }
        return line
    }
}
