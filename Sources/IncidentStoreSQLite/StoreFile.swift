import GRDB
import Glibc
import Migrations

/// Opens a database of ours: for its owner alone, looked through for damage, durable, bounded.
enum StoreFile {
    static func open(
        _ path: String, label: String, plan: MigrationPlan, maximumBytes: Int64, _ describe: StoreErrors
    ) throws -> DatabaseQueue {
        try create(path, describe)
        let database = try DatabaseQueue(path: path, configuration: configuration(label))
        try database.inDatabase { db in
            guard try String.fetchOne(db, sql: "PRAGMA quick_check(1)") == "ok" else {
                throw describe.damaged("SQLite's check of its structure fails")
            }
            // After opening: turning on WAL sets NORMAL.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA journal_size_limit = 1048576")
            try db.execute(sql: "PRAGMA cache_size = -512")
            try db.execute(sql: "PRAGMA max_page_count = \(max(maximumBytes / 4096, 16))")
        }
        _ = try plan.apply(to: database)
        return database
    }

    private static func configuration(_ label: String) -> Configuration {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.label = label
        configuration.prepareDatabase { db in
            // Has to come before the first table.
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        }
        return configuration
    }

    /// It tells of paths and services: nobody else needs to read it.
    private static func create(_ path: String, _ describe: StoreErrors) throws {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw describe.cannotOpen(errno) }
        Glibc.close(descriptor)
    }
}
