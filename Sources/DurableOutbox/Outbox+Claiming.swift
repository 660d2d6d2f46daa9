import GRDB

/// What the dispatcher asks of the tables. All in its own transactions.
extension Outbox {
    /// What to look past when choosing: messages whose row is behind what the dispatcher knows.
    struct Overlay: Sendable {
        /// JSON arrays of `seq`.
        var held = "[]"
        var ended = "[]"
    }

    /// What was chosen, and when to look again.
    struct Choice: Sendable {
        var claims: [OutboxClaim] = []
        /// When something becomes due or allowed; nil: nothing will without a ring.
        var wake: OutboxInstant?

        mutating func wake(at instant: OutboxInstant?) {
            guard let instant else { return }
            wake = min(wake ?? instant, instant)
        }
    }

    /// Claims left by a process that died, as they have to go on: waiting and due, or withdrawn.
    func deserted(at now: OutboxInstant, in db: Database) throws -> [HeldMessage] {
        try Row.fetchAll(db, sql: "SELECT \(OutboxClaim.columns) FROM outbox_messages m WHERE m.state = 1").map {
            var held = try OutboxClaim($0).held
            held.course.due = min(held.course.due, now)
            return held
        }
    }

    /// Chooses what may start now: of all destinations the first priority first, then the others in their order. Within
    /// a priority what has been due longest. `traffic` is told of each. Writes nothing.
    func choose(
        _ traffic: inout OutboxTraffic, overlay: Overlay, at now: OutboxInstant, in db: Database
    ) throws -> Choice {
        var choice = Choice()
        let destinations = try waitingDestinations(db, startingAt: traffic.nextTurn())
        for destination in destinations where try lowestPriority(destination, above: -1, db) == 0 {
            try choose(destination, priority: 0, &traffic, overlay, now, db, &choice)
        }
        for destination in destinations {
            var priority = 0
            while let next = try lowestPriority(destination, above: priority, db) {
                priority = next
                try choose(destination, priority: priority, &traffic, overlay, now, db, &choice)
            }
            choice.wake(at: priority > 0 ? traffic.nextToken(destination, at: now) : nil)
        }
        choice.wake(
            at: try instant(
                "SELECT min(due_ms) FROM outbox_messages WHERE state = 0 AND due_ms > ?", after: now, db))
        choice.wake(
            at: try instant(
                """
                SELECT min(order_until_ms) FROM outbox_messages
                WHERE state = 0 AND thread IS NOT NULL AND order_until_ms > ?
                """, after: now, db))
        return choice
    }

    /// One message of those looked past, when its row allows it to be sent.
    func load(_ seq: Int64, in db: Database) throws -> OutboxClaim? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT \(OutboxClaim.columns) FROM outbox_messages m
                    WHERE m.seq = ? AND m.state < 2 AND m.withdrawal_asked = 0
                    """), arguments: [seq]
        ).map(OutboxClaim.init)
    }

    func writeClaims(_ claims: [OutboxClaim], by instance: String, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "UPDATE outbox_messages SET state = 1, attempts = ?, claimed_by = ? WHERE seq = ? AND state = 0")
        for claim in claims { try statement.execute(arguments: [claim.course.attempts, instance, claim.seq]) }
    }

    /// Writes what became of messages. A row that is final stays as it is.
    func write(_ held: [HeldMessage], at now: OutboxInstant, wall: Int64, in db: Database) throws {
        for message in held {
            var course = message.course
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT withdrawal_asked, (SELECT words FROM outbox_destinations WHERE name = destination)
                        FROM outbox_messages WHERE seq = ? AND state < 2
                        """), arguments: [message.seq])
            guard let row else { continue }
            if course.state == .waiting {
                if try row.decode(Bool.self, atIndex: 0) { _ = course.withdraw() }
                if let words: String = try row.decode(atIndex: 1) { course.destinationDisabled(words) }
            }
            try update(message.seq, course, now, wall, db)
            if course.cause == .disabled { try disable(message.destination, course.words, now, wall, db) }
        }
    }

    private func waitingDestinations(_ db: Database, startingAt turn: Int) throws -> [String] {
        var names: [String] = []
        // One step into the index for each name, however many messages wait.
        let statement = try db.cachedStatement(
            sql: "SELECT min(destination) FROM outbox_messages WHERE state = 0 AND destination > ?")
        while let name = try String.fetchOne(statement, arguments: [names.last ?? ""]) { names.append(name) }
        guard !names.isEmpty else { return [] }
        let start = turn % names.count
        return Array(names[start...] + names[..<start])
    }

    private func lowestPriority(_ destination: String, above: Int, _ db: Database) throws -> Int? {
        try Int.fetchOne(
            db.cachedStatement(
                sql: "SELECT min(priority) FROM outbox_messages WHERE state = 0 AND destination = ? AND priority > ?"),
            arguments: [destination, above])
    }

    private func instant(_ sql: String, after now: OutboxInstant, _ db: Database) throws -> OutboxInstant? {
        try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: [now.milliseconds])
            .map(OutboxInstant.init(milliseconds:))
    }

    private func choose(
        _ destination: String, priority: Int, _ traffic: inout OutboxTraffic, _ overlay: Overlay,
        _ now: OutboxInstant, _ db: Database, _ choice: inout Choice
    ) throws {
        let room = traffic.room(destination, isFirst: priority == 0, at: now)
        guard room > 0 else { return }
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: Self.choosing),
            arguments: [
                destination, priority, now.milliseconds, overlay.ended, overlay.held,
                room,
            ])
        while let row = try rows.next() {
            var claim = try OutboxClaim(row)
            guard claim.course.claim(at: now) else { continue }
            traffic.started(destination, isFirst: priority == 0, at: now)
            choice.claims.append(claim)
        }
    }

    /// A message waits behind an earlier one of its thread, unless it is of the first priority or out of patience.
    private static let choosing = """
        SELECT \(OutboxClaim.columns) FROM outbox_messages m
        WHERE m.state = 0 AND m.destination = ?1 AND m.priority = ?2 AND m.due_ms <= ?3
            AND (m.thread IS NULL OR m.priority = 0 OR m.order_until_ms <= ?3 OR NOT EXISTS (
                SELECT 1 FROM outbox_messages e
                WHERE e.state < 2 AND e.destination = m.destination AND e.thread = m.thread AND e.seq < m.seq
                    AND e.seq NOT IN (SELECT value FROM json_each(?4))))
            AND m.seq NOT IN (SELECT value FROM json_each(?5))
        ORDER BY m.due_ms, m.seq LIMIT ?6
        """

    private func update(
        _ seq: Int64, _ course: OutboxCourse, _ now: OutboxInstant, _ wall: Int64, _ db: Database
    ) throws {
        let ended = course.state.isFinal
        // A dead message keeps its payload: a person may want to read it, or to send it after all.
        let payload = course.state == .delivered || course.state == .withdrawn ? "payload = x''," : ""
        try db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = ?, attempts = ?, due_ms = ?, words = ?, receipt = ?, cause = ?,
                    \(payload) ended_ms = ?, ended_wall_ms = ?, claimed_by = CASE WHEN ?1 = 1 THEN claimed_by END
                WHERE seq = ?
                """
        ).execute(arguments: [
            course.state.rawValue, course.attempts, course.due.milliseconds, course.words, course.receipt,
            course.cause?.rawValue, ended ? now.milliseconds : nil, ended ? wall : nil, seq,
        ])
    }

    /// Marks a destination, and ends what waits for it: each message gets its outcome at once, so that its owner can go
    /// another way.
    private func disable(
        _ destination: String, _ words: String, _ now: OutboxInstant, _ wall: Int64, _ db: Database
    ) throws {
        try db.cachedStatement(
            sql: "INSERT OR IGNORE INTO outbox_destinations (name, disabled_wall_ms, words) VALUES (?, ?, ?)"
        ).execute(arguments: [destination, wall, words])
        try db.cachedStatement(
            sql: """
                UPDATE outbox_messages
                SET state = 3, cause = 'disabled', words = ?, ended_ms = ?, ended_wall_ms = ?
                WHERE state = 0 AND destination = ?
                """
        ).execute(arguments: [words, now.milliseconds, wall, destination])
    }
}
