package import DurableOutbox
package import GRDB
import Glibc
package import Incidents
import Migrations
package import OakumEngine
package import OakumModel

/// Incidents, timelines, silences and the outbox of pages in one SQLite file: what changes together is one transaction.
///
/// `commit` returns when the disk has it (`synchronous = FULL`). A file that is damaged is left as it is. Memory is bounded
/// by a megabyte of page cache, the file by `maximumBytes`: beyond, `commit` gives `.diskFull` and nothing of it counts.
package final class SQLiteIncidentStore: IncidentStore, PageOutcomes {
    /// For the dispatcher of the outbox, which shares it.
    package let database: DatabaseQueue
    package let outbox: Outbox
    /// Of letters and digits, other in each new file: begins the ids of pages.
    package let installation: String
    package let news: AsyncStream<Void>
    let path: String
    private let newsMaker: AsyncStream<Void>.Continuation
    private let bootID: String
    private let waypoints: Waypoints

    /// How long a page is tried before it is given up.
    private static let giveUpAfter = Duration.seconds(6 * 3_600)

    /// Opens the file, creates it when it is missing (for its owner alone), and looks for damage. Blocks: meant for the start
    /// of a process.
    /// - Throws: `.unusable` when it is damaged, of a newer Oakum, or not ours to write; `.diskFull`.
    package init(
        path: String, bootID: String, outbox: Outbox = Outbox(), maximumBytes: Int64 = 1 << 30,
        waypoints: Waypoints = .none
    ) throws(StoreError) {
        self.path = path
        self.bootID = bootID
        self.outbox = outbox
        self.waypoints = waypoints
        (news, newsMaker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        let describe = StoreErrors(what: "incidents", path: path)
        do {
            database = try StoreFile.open(
                path, label: "incidents", plan: IncidentSchema.plan, maximumBytes: maximumBytes, describe)
            let fresh = (0..<8).map { _ in "abcdefghijkmnpqrstuvwxyz23456789".randomElement().map(String.init) ?? "a" }
            installation = try database.write { db in
                try db.execute(
                    sql: "INSERT OR IGNORE INTO desk (one, installation, boot_id) VALUES (1, ?, ?)",
                    arguments: [fresh.joined(), bootID])
                return try String.fetchOne(db, sql: "SELECT installation FROM desk") ?? "oakum"
            }
        } catch {
            throw describe.storeError(error)
        }
    }

    /// Called when an outcome of a page has been recorded.
    package func announce() {
        newsMaker.yield()
    }

    package func load(recent: Double, at now: Moment) async throws(StoreError) -> StoredIncidents {
        let bootID = bootID
        return try await perform { database in
            try await database.write { db in
                let isRebooted = try String.fetchOne(db, sql: "SELECT boot_id FROM desk") != bootID
                let horizon = now.wall.milliseconds - Int64(recent * 1_000)
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT body, desk FROM incidents WHERE state != 'resolved' OR coalesce(resolved_ms, 0) > ?
                        ORDER BY id
                        """, arguments: [horizon])
                var records = try rows.map { row in
                    IncidentRecord(
                        incident: try StoredJSON.decode(Incident.self, try row.decode(atIndex: 0)),
                        desk: try StoredJSON.decode(DeskState.self, try row.decode(atIndex: 1)))
                }
                if isRebooted {
                    for index in records.indices { records[index].move(to: now) }
                    for record in records { try Self.save(record, db) }
                    try db.execute(sql: "UPDATE desk SET boot_id = ?", arguments: [bootID])
                }
                let alerts = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT incident, fingerprint, firing FROM incident_alerts
                        WHERE incident IN (SELECT id FROM incidents WHERE state != 'resolved'
                            OR coalesce(resolved_ms, 0) > ?)
                        """, arguments: [horizon])
                let silences = try String.fetchAll(
                    db, sql: "SELECT body FROM silences WHERE until_ms > ?", arguments: [now.wall.milliseconds])
                return StoredIncidents(
                    records: records,
                    alerts: try alerts.map { row in
                        StoredIncidents.StoredAlert(
                            incident: try row.decode(atIndex: 0), fingerprint: try row.decode(atIndex: 1),
                            isFiring: try row.decode(atIndex: 2))
                    },
                    silences: try silences.map { try StoredJSON.decode(Silence.self, $0) },
                    nextIncident: (try Int64.fetchOne(db, sql: "SELECT max(id) FROM incidents") ?? 0) + 1,
                    nextSilence: (try Int64.fetchOne(db, sql: "SELECT max(id) FROM silences") ?? 0) + 1)
            }
        }
    }

    package func commit(_ changes: [IncidentChange], at now: Moment) async throws(StoreError) {
        let (outbox, waypoints) = (outbox, waypoints)
        try await perform { database in
            try await database.write { db in
                for change in changes { try Self.apply(change, outbox, at: now, db) }
                if changes.isEmpty { try db.execute(sql: "UPDATE desk SET boot_id = boot_id") }
                waypoints.reached(.enqueue)
            }
        }
        waypoints.reached(.fsync)
    }

    private static func apply(_ change: IncidentChange, _ outbox: Outbox, at now: Moment, _ db: Database) throws {
        switch change {
        case .save(let record): try save(record, db)
        case .line(let line):
            try db.cachedStatement(sql: "INSERT INTO timeline (incident, at_ms, body) VALUES (?, ?, ?)")
                .execute(arguments: [line.incident, line.at.milliseconds, try StoredJSON.encode(line)])
        case .send(let page, let isUrgent, let delay):
            let body = try StoredJSON.encode(page)
            try db.cachedStatement(sql: "INSERT OR IGNORE INTO pages (id, incident, at_ms, body) VALUES (?, ?, ?, ?)")
                .execute(arguments: [page.id, page.incident, page.at.milliseconds, body])
            try outbox.enqueue(
                OutboxMessage(
                    id: page.id, destination: page.address.map { "\(page.channel) \($0)" } ?? page.channel,
                    kind: page.kind.rawValue, priority: isUrgent ? .first : page.kind == .escalated ? .urgent : .normal,
                    thread: page.thread, payload: Array(body.utf8), notBefore: .seconds(max(0, delay)),
                    giveUpAfter: giveUpAfter), in: db)
        case .withdraw(let ids):
            for id in try outbox.withdraw(ids: ids, in: db).withdrawn {
                try db.cachedStatement(
                    sql: "UPDATE pages SET result = 'withdrawn', words = 'nobody needed it any more' WHERE id = ?"
                ).execute(arguments: [id])
            }
        case .alert(let incident, let fingerprint, let isFiring):
            try db.cachedStatement(
                sql: """
                    INSERT INTO incident_alerts (fingerprint, incident, firing) VALUES (?, ?, ?)
                    ON CONFLICT (fingerprint) DO UPDATE SET incident = excluded.incident, firing = excluded.firing
                    """
            ).execute(arguments: [fingerprint, incident, isFiring])
        case .silence(let silence):
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO silences (id, until_ms, body) VALUES (?, ?, ?)")
                .execute(arguments: [silence.id, silence.until.milliseconds, try StoredJSON.encode(silence)])
        case .heard(let ids):
            for id in ids { try keepOutcome(of: id, outbox, db) }
            try outbox.markHeard(ids: ids, in: db)
        }
    }

    /// The outbox forgets in time; the incident's record does not.
    private static func keepOutcome(of id: String, _ outbox: Outbox, _ db: Database) throws {
        guard let outcome = try outbox.outcome(id: id, in: db) else { return }
        let known = PageOutcome(outcome)
        try db.cachedStatement(
            sql: "UPDATE pages SET result = ?, attempts = ?, words = ?, ended_ms = ? WHERE id = ?"
        ).execute(arguments: [
            known.result.rawValue, known.attempts, known.words, known.at.milliseconds, id,
        ])
    }

    private static func save(_ record: IncidentRecord, _ db: Database) throws {
        let incident = record.incident
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO incidents (id, state, service, opened_ms, resolved_ms, body, desk)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            incident.id, incident.state.rawValue, incident.service, incident.milestones.detected.milliseconds,
            incident.milestones.resolved?.milliseconds, try StoredJSON.encode(incident),
            try StoredJSON.encode(record.desk),
        ])
    }

    package func outcomes(limit: Int) async throws(StoreError) -> [PageOutcome] {
        let outbox = outbox
        return try await perform { database in
            try await database.read { db in
                try outbox.unheardOutcomes(limit: limit, in: db).map(PageOutcome.init)
            }
        }
    }

    /// Closes the file. Calls after this fail.
    package func close() throws(StoreError) {
        newsMaker.finish()
        do {
            try database.close()
        } catch {
            throw StoreErrors(what: "incidents", path: path).storeError(error)
        }
    }

    func perform<Value>(_ body: (DatabaseQueue) async throws -> Value) async throws(StoreError) -> Value {
        do {
            return try await body(database)
        } catch {
            throw StoreErrors(what: "incidents", path: path).storeError(error)
        }
    }
}

extension PageOutcome {
    init(_ outcome: OutboxOutcome) {
        let result: Result =
            switch outcome.state {
            case .delivered: .delivered
            case .withdrawn: .withdrawn
            default: .dead
            }
        self.init(
            page: outcome.id, result: result, attempts: outcome.attempts,
            at: WallTime(milliseconds: outcome.endedAtMilliseconds), words: outcome.receipt ?? outcome.words)
    }
}

extension IncidentRecord {
    /// Its uptimes are of an earlier boot: what passed since is told by the wall clock.
    mutating func move(to now: Moment) {
        let passed = Double(now.wall.milliseconds - desk.savedAt.wall.milliseconds) / 1_000
        let earlier = now.uptime.seconds - max(0, passed)
        desk.rebase(by: earlier - desk.savedAt.uptime.seconds)
        desk.savedAt = now
    }
}
