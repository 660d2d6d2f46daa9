internal import GRDB
internal import Synchronization

/// Reads `session_endings`, but only when the database has changed since: SQLite says so for a connection without reading
/// any page (PRAGMA data_version), for commits of this process's other connections and of other processes alike.
final class EndingsWatcher: Sendable {
    private struct Seen {
        var version: Int64
        var count: Int64
    }

    private let queue: DatabaseQueue
    private let seen = Mutex<Seen?>(nil)

    init(path: String) throws {
        var configuration = Configuration()
        configuration.label = "session endings"
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = -64")
        }
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    func count() throws -> Int64 {
        try queue.unsafeRead { db in
            let version = try Int64.fetchOne(try db.cachedStatement(sql: "PRAGMA data_version"))
            if let version, let seen = seen.withLock({ $0 }), seen.version == version { return seen.count }
            // In this order: a commit in between leaves an old version, and the next call reads again.
            let count = try Int64.fetchOne(try db.cachedStatement(sql: "SELECT count FROM session_endings"))
            guard let count else { throw DatabaseError(message: "session_endings is empty") }
            seen.withLock { $0 = version.map { Seen(version: $0, count: count) } }
            return count
        }
    }

    func close() throws {
        try queue.close()
    }
}
