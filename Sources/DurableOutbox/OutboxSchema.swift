package import Migrations

extension Outbox {
    /// The tables of the outbox as one step of its owner's schema: put it into the owner's `MigrationPlan` under the
    /// next free number. All names begin with `outbox_`.
    package static func migration(number: Int) -> Migration {
        Migration(number: number, name: "outbox", sql: schema)
    }

    /// Times are instants of the outbox's time line, `…_wall_ms` are for people. States: `OutboxCourse.State`.
    ///
    /// The counts are kept by triggers: how full the outbox is must be known at each enqueue without counting.
    private static let schema = """
        CREATE TABLE outbox_messages (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            destination TEXT NOT NULL,
            kind TEXT NOT NULL,
            priority INTEGER NOT NULL,
            thread TEXT,
            state INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            due_ms INTEGER NOT NULL,
            order_until_ms INTEGER NOT NULL,
            give_up_ms INTEGER NOT NULL,
            claimed_by TEXT,
            withdrawal_asked INTEGER NOT NULL DEFAULT 0,
            cause TEXT,
            words TEXT NOT NULL DEFAULT '',
            receipt TEXT,
            heard INTEGER NOT NULL DEFAULT 0,
            enqueued_wall_ms INTEGER NOT NULL,
            ended_ms INTEGER,
            ended_wall_ms INTEGER,
            payload BLOB NOT NULL
        ) STRICT;
        CREATE INDEX outbox_waiting ON outbox_messages (destination, priority, due_ms, seq) WHERE state = 0;
        CREATE INDEX outbox_due ON outbox_messages (due_ms) WHERE state = 0;
        CREATE INDEX outbox_threads ON outbox_messages (destination, thread, seq) WHERE state < 2;
        CREATE INDEX outbox_order ON outbox_messages (order_until_ms) WHERE state = 0 AND thread IS NOT NULL;
        CREATE INDEX outbox_claimed ON outbox_messages (seq) WHERE state = 1;
        CREATE INDEX outbox_unheard ON outbox_messages (seq) WHERE state >= 2 AND heard = 0;
        CREATE INDEX outbox_ended ON outbox_messages (ended_ms) WHERE state >= 2 AND heard = 1;
        CREATE TABLE outbox_destinations (
            name TEXT PRIMARY KEY, disabled_wall_ms INTEGER NOT NULL, words TEXT NOT NULL
        ) STRICT;
        CREATE TABLE outbox_clock (
            one INTEGER PRIMARY KEY CHECK (one = 1), boot_id TEXT NOT NULL, base_ms INTEGER NOT NULL,
            anchor_ms INTEGER NOT NULL, anchor_wall_ms INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE outbox_counts (state INTEGER PRIMARY KEY, messages INTEGER NOT NULL) STRICT;
        INSERT INTO outbox_counts VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (9, 0);
        CREATE TRIGGER outbox_inserted AFTER INSERT ON outbox_messages BEGIN
            UPDATE outbox_counts SET messages = messages + 1
                WHERE state = NEW.state OR (state = 9 AND NEW.state >= 2 AND NEW.heard = 0);
        END;
        CREATE TRIGGER outbox_changed AFTER UPDATE OF state, heard ON outbox_messages BEGIN
            UPDATE outbox_counts SET messages = messages - 1
                WHERE state = OLD.state OR (state = 9 AND OLD.state >= 2 AND OLD.heard = 0);
            UPDATE outbox_counts SET messages = messages + 1
                WHERE state = NEW.state OR (state = 9 AND NEW.state >= 2 AND NEW.heard = 0);
        END;
        CREATE TRIGGER outbox_deleted AFTER DELETE ON outbox_messages BEGIN
            UPDATE outbox_counts SET messages = messages - 1
                WHERE state = OLD.state OR (state = 9 AND OLD.state >= 2 AND OLD.heard = 0);
        END;
        """
}
