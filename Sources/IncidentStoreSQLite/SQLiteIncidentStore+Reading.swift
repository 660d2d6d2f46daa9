import DurableOutbox
import GRDB
package import OakumAPI
package import OakumEngine
package import OakumModel

extension SQLiteIncidentStore {
    /// Lines of a timeline that one report holds.
    private static let lineLimit = 2_000

    package func incidents(_ query: IncidentQuery) async throws(StoreError) -> [Incident] {
        let limit = min(max(query.limit, 1), 200)
        let states = query.states.isEmpty ? Set(IncidentState.allCases) : query.states
        let marks = states.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
        return try await perform { database in
            try await database.read { db in
                let bodies = try String.fetchAll(
                    db,
                    sql: """
                        SELECT body FROM incidents WHERE state IN (\(marks)) AND (?1 IS NULL OR service = ?1)
                            AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3
                        """, arguments: [query.service, query.before, limit])
                return try bodies.map { try StoredJSON.decode(Incident.self, $0) }
            }
        }
    }

    package func report(_ id: Int64) async throws(StoreError) -> IncidentReport? {
        try await perform { database in
            try await database.read { db in
                guard
                    let body = try String.fetchOne(db, sql: "SELECT body FROM incidents WHERE id = ?", arguments: [id])
                else { return nil }
                let lines = try String.fetchAll(
                    db,
                    sql: """
                        SELECT body FROM (SELECT body, at_ms, seq FROM timeline WHERE incident = ?
                            ORDER BY seq DESC LIMIT ?) ORDER BY at_ms, seq
                        """, arguments: [id, Self.lineLimit])
                return IncidentReport(
                    incident: try StoredJSON.decode(Incident.self, body),
                    timeline: try lines.map { try StoredJSON.decode(TimelineEntry.self, $0) },
                    deliveries: try Self.deliveries("pages.incident = ?1 ORDER BY pages.seq LIMIT 500", id, db))
            }
        }
    }

    package func deliveries(limit: Int) async throws(StoreError) -> [Delivery] {
        let limit = min(max(limit, 1), 1_000)
        return try await perform { database in
            try await database.read { db in
                try Self.deliveries("?1 > 0 ORDER BY pages.seq DESC LIMIT ?1", Int64(limit), db)
            }
        }
    }

    /// A page with what the outbox knows of it, or, when that has forgotten it, with what was kept.
    private static func deliveries(_ which: String, _ argument: Int64, _ db: Database) throws -> [Delivery] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT pages.body, pages.result, coalesce(pages.attempts, outbox_messages.attempts, 0),
                    coalesce(pages.words, outbox_messages.words, ''), outbox_messages.state
                FROM pages LEFT JOIN outbox_messages ON outbox_messages.id = pages.id WHERE \(which)
                """, arguments: [argument])
        return try rows.map { row in
            let result: String? = try row.decode(atIndex: 1)
            let queued: Int? = try row.decode(atIndex: 4)
            let words: String = try row.decode(atIndex: 3)
            return Delivery(
                page: try StoredJSON.decode(Page.self, try row.decode(atIndex: 0)), state: state(result, queued),
                attempts: try row.decode(atIndex: 2), words: words.isEmpty ? nil : words)
        }
    }

    private static func state(_ result: String?, _ queued: Int?) -> Delivery.State {
        if let result, let known = Delivery.State(rawValue: result) { return known }
        switch queued.flatMap(OutboxCourse.State.init(rawValue:)) {
        case .delivered: return .delivered
        case .dead: return .dead
        case .withdrawn: return .withdrawn
        default: return .waiting
        }
    }

    /// Deletes what nobody looks up any more: incidents that ended before, with all that belongs to them; and of the
    /// longest timelines and the outbox what is beyond their bounds.
    package func prune(before: WallTime) async throws(StoreError) {
        let outbox = outbox
        try await perform { database in
            try await database.write { db in
                let old = "(SELECT id FROM incidents WHERE state = 'resolved' AND resolved_ms < ?)"
                for table in ["timeline", "incident_alerts"] {
                    try db.execute(
                        sql: "DELETE FROM \(table) WHERE incident IN \(old)", arguments: [before.milliseconds])
                }
                try db.execute(sql: "DELETE FROM pages WHERE at_ms < ?", arguments: [before.milliseconds])
                try db.execute(
                    sql: "DELETE FROM incidents WHERE state = 'resolved' AND resolved_ms < ?",
                    arguments: [before.milliseconds])
                try db.execute(sql: "DELETE FROM silences WHERE until_ms < ?", arguments: [before.milliseconds])
                try db.execute(
                    sql: """
                        DELETE FROM incident_alerts WHERE incident IN
                            (SELECT id FROM incidents WHERE state = 'resolved' AND resolved_ms < ?)
                        """, arguments: [before.milliseconds])
                try db.execute(
                    sql: """
                        DELETE FROM timeline WHERE seq IN (SELECT seq FROM (SELECT seq, row_number()
                            OVER (PARTITION BY incident ORDER BY seq DESC) AS place FROM timeline) WHERE place > 10000)
                        """)
                _ = try outbox.prune(olderThan: .seconds(30 * 86_400), keeping: 100_000, in: db)
            }
            try await database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA incremental_vacuum") }
        }
    }
}
