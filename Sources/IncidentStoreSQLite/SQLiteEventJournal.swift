import GRDB
import Glibc
import Migrations
package import OakumEngine
package import OakumModel
import Synchronization

/// The journal in one SQLite file in WAL mode. An event that was appended survives a killed process and a power cut.
///
/// Memory is bounded by half a megabyte of page cache; the file by `maximumBytes`, beyond which appending gives
/// `.diskFull` until something is pruned. A file that is damaged is left as it is: it is evidence.
package final class SQLiteEventJournal: EventJournal {
    /// The most records one call reads.
    package static let maximumLimit = 10_000

    /// Nil while there is no room on the disk even to open it: every call tries again.
    private let database: Mutex<DatabaseQueue?>
    private let path: String
    private let maximumBytes: Int64

    /// Opens the journal, creates it when it is missing (for its owner alone), and looks for damage. Blocks: meant for
    /// the start of a process. A full disk is no reason not to start: calls give `.diskFull` until there is room.
    /// - Throws: `.unusable` when the file is damaged, of a newer Oakum, or not ours to write.
    package init(path: String, maximumBytes: Int64 = 256 << 20) throws(StoreError) {
        self.path = path
        self.maximumBytes = maximumBytes
        do throws(StoreError) {
            database = Mutex(try Self.open(path, maximumBytes))
        } catch .diskFull {
            database = Mutex(nil)
        }
    }

    private static func open(_ path: String, _ maximumBytes: Int64) throws(StoreError) -> DatabaseQueue {
        let describe = StoreErrors(what: "journal", path: path)
        do {
            return try StoreFile.open(
                path, label: "journal", plan: JournalSchema.plan, maximumBytes: maximumBytes, describe)
        } catch {
            throw describe.storeError(error)
        }
    }

    package func append(_ events: [Event]) async throws(StoreError) -> [EventRecord] {
        try await perform { database in
            try await database.write { db in
                let insert = try db.cachedStatement(
                    sql: "INSERT INTO events (at_ms, kind, service, worker, body) VALUES (?, ?, ?, ?, ?)")
                return try events.map { event in
                    let row = try EventRow(event)
                    try insert.execute(arguments: [
                        row.event.at.wall.milliseconds, row.event.kind.rawValue, row.event.service, row.event.worker,
                        row.body,
                    ])
                    return EventRecord(id: db.lastInsertedRowID, event: row.event)
                }
            }
        }
    }

    package func events(after: Int64?, limit: Int) async throws(StoreError) -> [EventRecord] {
        let limit = min(max(limit, 0), Self.maximumLimit)
        return try await perform { database in
            try await database.read { db in
                guard let after else {
                    let newest = try Row.fetchAll(
                        db.cachedStatement(sql: "SELECT \(EventRow.columns) FROM events ORDER BY id DESC LIMIT ?"),
                        arguments: [limit])
                    return try newest.reversed().map(EventRow.record)
                }
                let rows = try Row.fetchAll(
                    db.cachedStatement(sql: "SELECT \(EventRow.columns) FROM events WHERE id > ? ORDER BY id LIMIT ?"),
                    arguments: [after, limit])
                return try rows.map(EventRow.record)
            }
        }
    }

    package func latest(_ kinds: Set<EventKind>, service: String?) async throws(StoreError) -> EventRecord? {
        try await perform { database in
            try await database.read { db in
                let newest = try kinds.compactMap { kind in
                    guard let service else {
                        return try Int64.fetchOne(
                            db.cachedStatement(sql: "SELECT max(id) FROM events WHERE kind = ?"),
                            arguments: [kind.rawValue])
                    }
                    return try Int64.fetchOne(
                        db.cachedStatement(sql: "SELECT max(id) FROM events WHERE kind = ? AND service = ?"),
                        arguments: [kind.rawValue, service])
                }
                guard let id = newest.max() else { return nil }
                let row = try Row.fetchOne(
                    db.cachedStatement(sql: "SELECT \(EventRow.columns) FROM events WHERE id = ?"), arguments: [id])
                return try row.map(EventRow.record)
            }
        }
    }

    package func prune(before: WallTime, keeping: Int) async throws(StoreError) -> Int {
        try await perform { database in
            let deleted = try await database.write { db in
                let newest = "SELECT max(id) FROM events GROUP BY kind, service"
                try db.execute(
                    sql: "DELETE FROM events WHERE at_ms < ? AND id NOT IN (\(newest))",
                    arguments: [before.milliseconds])
                var deleted = db.changesCount
                try db.execute(
                    sql: """
                        DELETE FROM events WHERE id <=
                            (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?) AND id NOT IN (\(newest))
                        """, arguments: [max(keeping, 0)])
                deleted += db.changesCount
                return deleted
            }
            // Gives freed pages back to the disk; outside the transaction above, so that a full disk cannot undo that.
            if deleted > 0 {
                try await database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA incremental_vacuum") }
            }
            return deleted
        }
    }

    /// Closes the file. Calls after this fail.
    package func close() throws(StoreError) {
        do {
            try database.withLock { try $0?.close() }
        } catch {
            throw StoreErrors(what: "journal", path: path).storeError(error)
        }
    }

    private func opened() throws(StoreError) -> DatabaseQueue {
        try database.withLock { (database) throws(StoreError) in
            if let database { return database }
            let opened = try Self.open(path, maximumBytes)
            database = opened
            return opened
        }
    }

    private func perform<Value>(_ body: (DatabaseQueue) async throws -> Value) async throws(StoreError) -> Value {
        do {
            return try await body(opened())
        } catch {
            throw StoreErrors(what: "journal", path: path).storeError(error)
        }
    }
}
