internal import Migrations

/// What the registration service keeps. A released text never changes; new ones are added below.
enum Schema {
    static let plan = MigrationPlan([
        Migration(number: 1, name: "accounts-and-sessions", sql: accountsAndSessions),
        Migration(number: 2, name: "session-endings", sql: sessionEndings),
    ])

    /// `repeated_signups` counts attempts to register an address again: the same kind of write as a new account, so that
    /// the time of an answer does not tell one from the other. `sessions` is keyed by the digest alone: one read a check.
    private static let accountsAndSessions = """
        CREATE TABLE accounts (
            id INTEGER PRIMARY KEY,
            public_id TEXT NOT NULL UNIQUE,
            email_key TEXT NOT NULL UNIQUE,
            email_display TEXT NOT NULL,
            password_hash TEXT NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
            repeated_signups INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE sessions (
            digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sessions_by_account ON sessions (account, created_at);
        CREATE INDEX sessions_by_expiry ON sessions (expires_at);
        """

    /// One row. Grows with each session that ends before its time, in the same transaction.
    private static let sessionEndings = """
        CREATE TABLE session_endings (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            count INTEGER NOT NULL
        ) STRICT;
        INSERT INTO session_endings (id, count) VALUES (1, 0);
        """
}
