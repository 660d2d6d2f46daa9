import Foundation
import GRDB
import Migrations
import OakumModel

/// The tables of the journal, by migration.
enum JournalSchema {
    static let plan = MigrationPlan([
        Migration(
            number: 1, name: "events",
            sql: """
                CREATE TABLE events (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    at_ms INTEGER NOT NULL,
                    kind TEXT NOT NULL,
                    service TEXT,
                    worker INTEGER,
                    body TEXT NOT NULL
                ) STRICT;
                CREATE INDEX events_by_time ON events (at_ms);
                CREATE INDEX events_by_kind ON events (kind, service, id);
                CREATE INDEX events_by_kind_alone ON events (kind, id);
                """)
    ])
}

/// An event as a row: the columns that are searched, and the whole event as JSON.
struct EventRow {
    static let columns = "id, at_ms, kind, service, worker, body"
    /// Beyond this an event loses its lists, so that one of them cannot fill the journal.
    static let maximumBodyBytes = 65_536

    let event: Event
    let body: String

    init(_ event: Event) throws {
        let body = try Self.encode(event)
        guard body.utf8.count > Self.maximumBodyBytes else {
            self.event = event
            self.body = body
            return
        }
        var shorter = event
        shorter.facts = ["shortened": "the event was larger than \(Self.maximumBodyBytes) bytes"]
        shorter.verdict?.evidence = []
        shorter.message = String(decoding: event.message.utf8.prefix(4096), as: UTF8.self)
        self.event = shorter
        self.body = try Self.encode(shorter)
    }

    private static func encode(_ event: Event) throws -> String {
        let encoder = JSONEncoder()
        // A number that is none must not keep a whole batch of events out of the journal.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(event), as: UTF8.self)
    }

    /// A body this version does not understand (a later Oakum wrote it) becomes a `problem` that says so: the journal
    /// stays readable, and nothing is passed over in silence.
    static func record(_ row: Row) throws -> EventRecord {
        let id: Int64 = try row.decode(atIndex: 0)
        let body: String = try row.decode(atIndex: 5)
        do {
            let decoder = JSONDecoder()
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            return EventRecord(id: id, event: try decoder.decode(Event.self, from: Data(body.utf8)))
        } catch is DecodingError {
            let wall = WallTime(milliseconds: try row.decode(atIndex: 1))
            let kind: String = try row.decode(atIndex: 2)
            let event = Event(
                kind: .problem, at: Moment(uptime: Uptime(seconds: 0), wall: wall),
                service: try row.decode(String?.self, atIndex: 3), worker: try row.decode(UInt32?.self, atIndex: 4),
                message: "event \(id) (\(kind)) cannot be read by this version of Oakum")
            return EventRecord(id: id, event: event)
        }
    }
}
