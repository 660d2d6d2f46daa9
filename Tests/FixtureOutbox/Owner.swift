import DurableOutbox
import Foundation
import GRDB
import Migrations

/// Keeps facts beside its outbox, in one database.
final class Owner: Sendable {
    let outbox = Outbox()
    let database: DatabaseQueue
    private let waypoints: Waypoints

    init(path: String, waypoints: Waypoints) throws {
        self.waypoints = waypoints
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        database = try DatabaseQueue(path: path, configuration: configuration)
        let facts = """
            CREATE TABLE accepted (id TEXT PRIMARY KEY) STRICT;
            CREATE TABLE acknowledged (id TEXT PRIMARY KEY) STRICT;
            CREATE TABLE heard (id TEXT NOT NULL, state INTEGER NOT NULL) STRICT;
            """
        _ = try MigrationPlan([Migration(number: 1, name: "facts", sql: facts), Outbox.migration(number: 2)])
            .apply(to: database)
    }

    /// Acts on final news: the act and the mark are one transaction.
    func hear() {
        do {
            try database.write { db in
                let outcomes = try outbox.unheardOutcomes(limit: 100, in: db)
                for outcome in outcomes {
                    try db.execute(
                        sql: "INSERT INTO heard VALUES (?, ?)", arguments: [outcome.id, outcome.state.rawValue])
                }
                try outbox.markHeard(ids: outcomes.map(\.id), in: db)
            }
        } catch {
            fatalError("hearing: \(error)")
        }
    }

    /// Reads commands on a thread of its own, until there are none.
    func obey(descriptor: Int32, stop: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            guard let file = fdopen(descriptor, "r+") else { fatalError("descriptor \(descriptor) is missing") }
            var buffer = [CChar](repeating: 0, count: 1024)
            while fgets(&buffer, 1024, file) != nil {
                let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
                if words == ["stop"] { break }
                let answer = Array("\(obey(words))\n".utf8)
                send(descriptor, answer, answer.count, Int32(MSG_NOSIGNAL))
            }
            stop()
        }
        thread.start()
    }

    private func obey(_ words: [String]) -> String {
        do {
            switch words.first {
            case "put" where words.count == 5: return try put(words)
            case "ack" where words.count == 2: return try acknowledge(words[1])
            case "status":
                let counts = try database.read { try outbox.counts(in: $0) }
                return "status \(counts.waiting) \(counts.claimed) \(counts.unheard)"
            default: return "what?"
            }
        } catch {
            return "failed \(error)"
        }
    }

    private func put(_ words: [String]) throws -> String {
        waypoints.reached(.accept)
        let message = OutboxMessage(
            id: words[1], destination: words[2], priority: OutboxPriority(rawValue: Int(words[3]) ?? 4),
            thread: words[4] == "-" ? nil : words[4], payload: Array(words[1].utf8))
        do {
            try database.write { db in
                try db.execute(sql: "INSERT OR IGNORE INTO accepted VALUES (?)", arguments: [message.id])
                try outbox.enqueue(message, in: db)
                waypoints.reached(.enqueue)
            }
        } catch {
            guard case .diskFull = OutboxError(error) else { throw error }
            return "full \(message.id)"
        }
        waypoints.reached(.fsync)
        return "ok \(message.id)"
    }

    private func acknowledge(_ id: String) throws -> String {
        try database.write {
            try $0.execute(sql: "INSERT OR IGNORE INTO acknowledged VALUES (?)", arguments: [id])
        }
        waypoints.reached(.acknowledge)
        return "acked \(id)"
    }
}
