internal import Foundation  // folders and files; GRDB brings it along in any case
internal import GRDB
internal import Glibc
internal import Migrations
package import RegistrationCore

/// Accounts and sessions in one SQLite file in WAL mode, which several worker processes share.
///
/// `synchronous=FULL`: an acknowledged sign-up survives a power cut. Memory is bounded: one writer and two readers, each
/// with at most 1 MiB of page cache, and one connection that watches for endings, with 64 KiB.
package final class SQLiteAccountStore: AccountStore, SessionStore {
    private let pool: DatabasePool
    private let watcher: EndingsWatcher

    /// Opens the database, makes it when it is missing (only for its owner to read, folders included), and brings its
    /// schema up to date. Safe when several processes do it at once. Blocks; meant for the start of a process.
    /// `maximumBytes` bounds the database file (in whole pages of 4 KiB): writes beyond it fail with `StoreError.full`.
    package init(path: String, maximumBytes: Int? = nil) throws(StoreOpeningError) {
        try Self.makeFile(path)
        // One at a time: turning on WAL answers "busy" at once when another process does the same, whatever the timeout.
        let turn = Self.takeTurn(path)
        defer { if turn >= 0 { Glibc.close(turn) } }
        do {
            pool = try Self.openPool(path)
            try pool.writeWithoutTransaction { db in
                // After opening: GRDB itself sets NORMAL when it turns on WAL.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                try db.execute(sql: "PRAGMA journal_size_limit = 16777216")
                if let maximumBytes {
                    // A pragma takes no bound values; this is a number of ours.
                    try db.execute(sql: "PRAGMA max_page_count = \(max(1, maximumBytes / 4096))")
                }
            }
            _ = try Schema.plan.apply(to: pool)
            watcher = try EndingsWatcher(path: path)
        } catch let error as MigrationError {
            throw .unusable(path: path, reason: error.description)
        } catch {
            throw .unusable(path: path, reason: Self.map(error).description)
        }
    }

    /// Releases the file. Calls after this fail.
    package func close() throws(StoreError) {
        do {
            try watcher.close()
            try pool.close()
        } catch {
            throw Self.map(error)
        }
    }

    package func add(_ account: NewAccount) async throws(StoreError) -> Bool {
        try await writing { db in
            let repeated = try Int.fetchOne(
                try db.cachedStatement(
                    sql: """
                        INSERT INTO accounts (public_id, email_key, email_display, password_hash, created_at)
                        VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT (email_key) DO UPDATE SET repeated_signups = repeated_signups + 1
                        RETURNING repeated_signups
                        """),
                arguments: [
                    account.publicID, account.email.key, account.email.display, account.passwordHash.phc,
                    account.createdAt.seconds,
                ])
            return repeated == 0
        }
    }

    package func credentials(emailKey: String) async throws(StoreError) -> StoredCredentials? {
        try await reading { db in
            let row = try Row.fetchOne(
                try db.cachedStatement(sql: "SELECT id, password_hash FROM accounts WHERE email_key = ?"),
                arguments: [emailKey])
            return try row.map { StoredCredentials(account: try $0.decode(atIndex: 0), phc: try $0.decode(atIndex: 1)) }
        }
    }

    package func open(_ session: NewSession, maximumPerAccount: Int) async throws(StoreError) {
        try await writing { db in
            try db.cachedStatement(
                sql: """
                    DELETE FROM sessions WHERE digest IN
                        (SELECT digest FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT 8)
                    """
            ).execute(arguments: [session.createdAt.seconds])
            // Room for the new one is made before it comes, so that it cannot be taken for the oldest itself.
            _ = try Self.ending(db) {
                try db.cachedStatement(
                    sql: """
                        DELETE FROM sessions WHERE digest IN
                            (SELECT digest FROM sessions WHERE account = ? ORDER BY created_at DESC LIMIT -1 OFFSET ?)
                        """
                ).execute(arguments: [session.account, max(0, maximumPerAccount - 1)])
            }
            try db.cachedStatement(
                sql: "INSERT INTO sessions (digest, account, created_at, expires_at) VALUES (?, ?, ?, ?)"
            ).execute(arguments: [
                Data(session.digest.bytes), session.account, session.createdAt.seconds, session.expiresAt.seconds,
            ])
        }
    }

    package func session(_ digest: SessionDigest, at now: UnixTime) async throws(StoreError) -> SessionInfo? {
        try await reading { db in
            let row = try Row.fetchOne(
                try db.cachedStatement(
                    sql: """
                        SELECT accounts.public_id, accounts.email_display, sessions.expires_at
                        FROM sessions JOIN accounts ON accounts.id = sessions.account
                        WHERE sessions.digest = ? AND sessions.expires_at > ?
                        """),
                arguments: [Data(digest.bytes), now.seconds])
            return try row.map {
                SessionInfo(
                    accountID: try $0.decode(atIndex: 0), email: try $0.decode(atIndex: 1),
                    expiresAt: UnixTime(seconds: try $0.decode(atIndex: 2)))
            }
        }
    }

    package func profile(accountID: String) async throws(StoreError) -> Profile? {
        try await reading { db in
            let row = try Row.fetchOne(
                try db.cachedStatement(sql: "SELECT email_display, created_at FROM accounts WHERE public_id = ?"),
                arguments: [accountID])
            return try row.map {
                Profile(
                    accountID: accountID, email: try $0.decode(atIndex: 0),
                    createdAt: UnixTime(seconds: try $0.decode(atIndex: 1)))
            }
        }
    }

    package func end(_ digest: SessionDigest) async throws(StoreError) -> Bool {
        try await writing { db in
            try Self.ending(db) {
                try db.cachedStatement(sql: "DELETE FROM sessions WHERE digest = ?")
                    .execute(arguments: [Data(digest.bytes)])
            }
        }
    }

    package func endings() throws(StoreError) -> Int64 {
        do {
            return try watcher.count()
        } catch {
            throw Self.map(error)
        }
    }

    /// Counts what a statement deletes among the endings, in the same transaction.
    private static func ending(_ db: Database, _ delete: () throws -> Void) throws -> Bool {
        try delete()
        guard db.changesCount > 0 else { return false }
        try db.cachedStatement(sql: "UPDATE session_endings SET count = count + ?").execute(arguments: [db.changesCount]
        )
        return true
    }

    package func check() async throws(StoreError) {
        _ = try await reading { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM schema_migrations") }
    }

    /// How durable a commit is, as SQLite numbers it: 2 is FULL.
    package func synchronousLevel() async throws(StoreError) -> Int? {
        try await writing { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") }
    }

    // MARK: - Opening

    private static func makeFile(_ path: String) throws(StoreOpeningError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .unusable(path: path, reason: "its folder \(folder) cannot be made")
        }
        // SQLite gives its -wal and -shm files the permissions of the main file.
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unusable(path: path, reason: String(cString: strerror(errno))) }
        Glibc.close(descriptor)
    }

    /// A lock on the folder, held until the descriptor is closed or its process dies; -1 where there is no such lock, and
    /// then SQLite's own have to do. (Not on the file: closing it would drop SQLite's locks.)
    private static func takeTurn(_ path: String) -> Int32 {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return -1 }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                Glibc.close(descriptor)
                return -1
            }
        }
        return descriptor
    }

    private static func openPool(_ path: String) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "registration"
        configuration.maximumReaderCount = 2
        configuration.persistentReadOnlyConnections = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = -1024")
        }
        return try DatabasePool(path: path, configuration: configuration)
    }

    // MARK: - Running

    private func reading<Value: Sendable>(
        _ body: @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            // A single statement is its own snapshot; a transaction around it would only cost two more.
            return try await pool.unsafeRead(body)
        } catch {
            throw Self.map(error)
        }
    }

    private func writing<Value: Sendable>(
        _ body: @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await pool.write(body)
        } catch {
            throw Self.map(error)
        }
    }

    private static func map(_ error: any Error) -> StoreError {
        if error is CancellationError { return .cancelled }
        guard let error = error as? DatabaseError else { return .failed(String(describing: error)) }
        return switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
        case .SQLITE_FULL: .full
        default: .failed(error.message ?? error.resultCode.description)
        }
    }
}

/// The database cannot be opened: the program should say so and stop.
package enum StoreOpeningError: Error, Hashable, Sendable, CustomStringConvertible {
    case unusable(path: String, reason: String)

    package var description: String {
        switch self {
        case .unusable(let path, let reason): "the database \(path) cannot be used: \(reason)"
        }
    }
}
