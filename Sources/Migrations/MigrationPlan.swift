package import GRDB

/// The migrations a program knows, in order. Forward only: there is no way down but a backup.
///
/// What was applied is kept in the table `schema_migrations` of the database itself.
package struct MigrationPlan: Hashable, Sendable {
    package let migrations: [Migration]

    /// `migrations` must be numbered 1, 2, 3 … in this order; anything else is refused by `apply` and `pending`.
    package init(_ migrations: [Migration]) {
        self.migrations = migrations
    }

    /// Applies what is missing and returns the numbers applied, rising; empty when the database is up to date.
    ///
    /// Each migration is one transaction together with its record. Safe when several processes start at once: each
    /// takes SQLite's write lock first and looks at the records again under it, so one applies and the others find it
    /// done. The connection's busy timeout bounds the wait for that lock.
    package func apply(to database: any DatabaseWriter) throws(MigrationError) -> [Int] {
        try checkOrder()
        // The table is created in the same transaction as the first migration: an empty plan leaves no trace.
        var applied: [Int] = []
        for migration in migrations where try applyIfMissing(migration, to: database) {
            applied.append(migration.number)
        }
        if migrations.isEmpty { _ = try pending(in: database) }
        return applied
    }

    /// The numbers `apply` would apply, rising. Reads only, under no write lock.
    package func pending(in database: any DatabaseReader) throws(MigrationError) -> [Int] {
        try checkOrder()
        let records = try reading { try database.read { try Self.records(in: $0) } }
        try check(records)
        return migrations.dropFirst(records.count).map(\.number)
    }

    private struct Record {
        var number: Int
        var name: String
        var checksum: String
    }

    private func applyIfMissing(_ migration: Migration, to database: any DatabaseWriter) throws(MigrationError) -> Bool
    {
        var outcome = Result<Bool, MigrationError>.success(false)
        try reading {
            try database.barrierWriteWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    outcome = step(migration, in: db)
                    guard case .success = outcome else { return .rollback }
                    return .commit
                }
            }
        }
        return try outcome.get()
    }

    /// One migration inside an open transaction: true when it was applied, false when it was there already.
    private func step(_ migration: Migration, in db: Database) -> Result<Bool, MigrationError> {
        do throws(MigrationError) {
            let records = try reading { try Self.records(in: db) }
            try check(records)
            if records.count >= migration.number { return .success(false) }
        } catch {
            return .failure(error)
        }
        do {
            if migration.number == 1 { try db.execute(sql: Self.recordTable) }
            try db.execute(sql: migration.sql)
            guard db.isInsideTransaction else {
                return .failure(failure(migration, "its text ends the transaction it runs in"))
            }
            try db.execute(
                sql: """
                    INSERT INTO schema_migrations (number, name, checksum, applied_at)
                    VALUES (?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
                    """,
                arguments: [migration.number, migration.name, migration.checksum])
            return .success(true)
        } catch {
            return .failure(failure(migration, Self.reason(error)))
        }
    }

    private func failure(_ migration: Migration, _ reason: String) -> MigrationError {
        .failed(number: migration.number, name: migration.name, reason: reason)
    }

    private func checkOrder() throws(MigrationError) {
        for (index, migration) in migrations.enumerated() where migration.number != index + 1 {
            throw .malformedPlan("'\(migration.name)' has number \(migration.number) at place \(index + 1)")
        }
    }

    /// The records must be a prefix of the plan.
    private func check(_ records: [Record]) throws(MigrationError) {
        for (index, record) in records.enumerated() {
            guard record.number <= migrations.count else {
                throw .newerDatabase(found: records.last?.number ?? record.number, known: migrations.count)
            }
            guard record.number == index + 1, record.checksum == migrations[index].checksum else {
                throw .altered(number: record.number, name: record.name)
            }
        }
    }

    private static let recordTable = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL
        ) STRICT
        """

    private static func records(in db: Database) throws -> [Record] {
        // Not `tableExists`: it answers from a cache that does not see what another process has just done.
        let table = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'"
        guard try Int.fetchOne(db, sql: table) == 1 else { return [] }
        let rows = try Row.fetchAll(db, sql: "SELECT number, name, checksum FROM schema_migrations ORDER BY number")
        return try rows.map {
            Record(
                number: try $0.decode(atIndex: 0), name: try $0.decode(atIndex: 1), checksum: try $0.decode(atIndex: 2))
        }
    }

    /// Turns what SQLite throws into a typed error.
    private func reading<Value>(_ body: () throws -> Value) throws(MigrationError) -> Value {
        do {
            return try body()
        } catch let error as MigrationError {
            throw error
        } catch {
            throw .unusable(reason: Self.reason(error))
        }
    }

    /// SQLite's own words, without the statement's arguments.
    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return String(describing: error) }
        return error.message ?? error.resultCode.description
    }
}
