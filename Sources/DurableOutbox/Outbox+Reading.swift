package import GRDB

/// What the owner of an outbox reads, and how it gets rid of what is over.
extension Outbox {
    /// Final news that the owner has not marked heard, oldest first. They come again, also after a crash, until
    /// `markHeard` is committed: do both in the transaction that acts on them, and each counts exactly once.
    package func unheardOutcomes(limit: Int, in db: Database) throws(OutboxError) -> [OutboxOutcome] {
        try reporting {
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT id, destination, kind, priority, thread, state, cause, attempts, words, receipt,
                            enqueued_wall_ms, ended_wall_ms
                        FROM outbox_messages WHERE state >= 2 AND heard = 0 ORDER BY seq LIMIT ?
                        """), arguments: [max(limit, 0)])
            return try rows.map(Self.outcome)
        }
    }

    /// The owner has acted on these outcomes. Messages that are not final are passed over.
    package func markHeard(ids: [String], in db: Database) throws(OutboxError) {
        try reporting {
            let statement = try db.cachedStatement(
                sql: "UPDATE outbox_messages SET heard = 1 WHERE id = ? AND state >= 2 AND heard = 0")
            for id in ids { try statement.execute(arguments: [id]) }
        }
    }

    /// The outcome of one message; nil while it is not final, or unknown.
    package func outcome(id: String, in db: Database) throws(OutboxError) -> OutboxOutcome? {
        try reporting {
            try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT id, destination, kind, priority, thread, state, cause, attempts, words, receipt,
                            enqueued_wall_ms, ended_wall_ms
                        FROM outbox_messages WHERE id = ? AND state >= 2
                        """), arguments: [id]
            ).map(Self.outcome)
        }
    }

    /// Messages that are not final, in the order they were enqueued.
    package func pending(destination: String? = nil, limit: Int, in db: Database) throws(OutboxError) -> [OutboxPending]
    {
        try reporting {
            let reading = clock.read()
            var line = try OutboxTimeline.load(db) ?? OutboxTimeline(beginning: reading)
            let now = line.now(reading)
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT id, destination, kind, priority, thread, state, attempts, due_ms, words, enqueued_wall_ms
                        FROM outbox_messages WHERE state < 2 AND (?1 IS NULL OR destination = ?1) ORDER BY seq LIMIT ?2
                        """), arguments: [destination, max(limit, 0)])
            return try rows.map { row in
                let state: OutboxCourse.State = try row.value(5)
                return OutboxPending(
                    id: try row.decode(atIndex: 0), destination: try row.decode(atIndex: 1),
                    kind: try row.decode(atIndex: 2), priority: try row.value(3), thread: try row.decode(atIndex: 4),
                    state: state, attempts: try row.decode(atIndex: 6),
                    dueIn: state == .claimed ? .zero : now.wait(until: try row.value(7)),
                    words: try row.decode(atIndex: 8), enqueuedAtMilliseconds: try row.decode(atIndex: 9))
            }
        }
    }

    /// Costs six rows, however many messages there are.
    package func counts(in db: Database) throws(OutboxError) -> OutboxCounts {
        try reporting {
            var counts = OutboxCounts()
            for row in try Row.fetchAll(db.cachedStatement(sql: "SELECT state, messages FROM outbox_counts")) {
                let messages: Int = try row.decode(atIndex: 1)
                switch try row.decode(Int.self, atIndex: 0) {
                case 0: counts.waiting = messages
                case 1: counts.claimed = messages
                case 2: counts.delivered = messages
                case 3: counts.dead = messages
                case 4: counts.withdrawn = messages
                default: counts.unheard = messages
                }
            }
            return counts
        }
    }

    /// Forgets final messages that were heard of: those that ended longer ago than `age`, and of the rest the oldest
    /// beyond `keeping`. Returns how many. Nothing else is ever deleted. An id that was pruned is no longer known: the
    /// same message enqueued again would be sent again, so `age` has to be longer than any repetition of an intake.
    package func prune(olderThan age: Duration, keeping: Int, in db: Database) throws(OutboxError) -> Int {
        try reporting {
            let before = try now(clock.read(), in: db).advanced(by: .zero - age)
            try db.execute(
                sql: "DELETE FROM outbox_messages WHERE state >= 2 AND heard = 1 AND ended_ms < ?",
                arguments: [before.milliseconds])
            var deleted = db.changesCount
            try db.execute(
                sql: """
                    DELETE FROM outbox_messages WHERE seq IN (SELECT seq FROM outbox_messages
                        WHERE state >= 2 AND heard = 1 ORDER BY ended_ms DESC, seq DESC LIMIT -1 OFFSET ?)
                    """, arguments: [max(keeping, 0)])
            deleted += db.changesCount
            return deleted
        }
    }

    private static func outcome(_ row: Row) throws -> OutboxOutcome {
        let cause: String? = try row.decode(atIndex: 6)
        return OutboxOutcome(
            id: try row.decode(atIndex: 0), destination: try row.decode(atIndex: 1), kind: try row.decode(atIndex: 2),
            priority: try row.value(3), thread: try row.decode(atIndex: 4), state: try row.value(5),
            cause: cause.flatMap(OutboxCourse.DeathCause.init), attempts: try row.decode(atIndex: 7),
            words: try row.decode(atIndex: 8), receipt: try row.decode(atIndex: 9),
            enqueuedAtMilliseconds: try row.decode(atIndex: 10), endedAtMilliseconds: try row.decode(atIndex: 11))
    }
}

extension Row {
    func value(_ index: Int) throws -> OutboxPriority {
        OutboxPriority(rawValue: try decode(atIndex: index))
    }

    func value(_ index: Int) throws -> OutboxInstant {
        OutboxInstant(milliseconds: try decode(atIndex: index))
    }

    func value(_ index: Int) throws -> OutboxCourse.State {
        let raw: Int = try decode(atIndex: index)
        guard let state = OutboxCourse.State(rawValue: raw) else {
            throw OutboxError.unusable("a message has the state \(raw), which this version does not know")
        }
        return state
    }
}
