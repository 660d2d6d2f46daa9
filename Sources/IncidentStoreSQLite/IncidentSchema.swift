import DurableOutbox
import Foundation  // JSONEncoder and JSONDecoder
import Migrations

/// The tables of incidents, by migration.
enum IncidentSchema {
    static let plan = MigrationPlan([
        Migration(
            number: 1, name: "incidents",
            sql: """
                CREATE TABLE desk (
                    one INTEGER PRIMARY KEY CHECK (one = 1), installation TEXT NOT NULL, boot_id TEXT NOT NULL
                ) STRICT;
                CREATE TABLE incidents (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    state TEXT NOT NULL,
                    service TEXT,
                    opened_ms INTEGER NOT NULL,
                    resolved_ms INTEGER,
                    body TEXT NOT NULL,
                    desk TEXT NOT NULL
                ) STRICT;
                CREATE INDEX incidents_by_state ON incidents (state, id);
                CREATE TABLE timeline (
                    seq INTEGER PRIMARY KEY AUTOINCREMENT,
                    incident INTEGER NOT NULL,
                    at_ms INTEGER NOT NULL,
                    body TEXT NOT NULL
                ) STRICT;
                CREATE INDEX timeline_by_incident ON timeline (incident, seq);
                CREATE TABLE incident_alerts (
                    fingerprint TEXT PRIMARY KEY, incident INTEGER NOT NULL, firing INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX alerts_by_incident ON incident_alerts (incident);
                CREATE TABLE silences (id INTEGER PRIMARY KEY, until_ms INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
                CREATE TABLE pages (
                    seq INTEGER PRIMARY KEY AUTOINCREMENT,
                    id TEXT NOT NULL UNIQUE,
                    incident INTEGER,
                    at_ms INTEGER NOT NULL,
                    body TEXT NOT NULL,
                    result TEXT,
                    attempts INTEGER,
                    words TEXT,
                    ended_ms INTEGER
                ) STRICT;
                CREATE INDEX pages_by_incident ON pages (incident, seq);
                """),
        Outbox.migration(number: 2),
    ])
}

/// Values as the columns hold them. Keys are sorted, so that the same value is the same text.
enum StoredJSON {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
