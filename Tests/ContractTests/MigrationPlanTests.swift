import GRDB
import Migrations
import Testing

import class Foundation.FileHandle
import class Foundation.FileManager
import struct Foundation.UUID

@Suite struct MigrationPlanTests {
    static let people = Migration(
        number: 1, name: "people",
        sql: "CREATE TABLE people (id INTEGER PRIMARY KEY) STRICT; CREATE TABLE pets (id INTEGER PRIMARY KEY) STRICT;")
    static let names = Migration(number: 2, name: "names", sql: "ALTER TABLE people ADD COLUMN name TEXT")
    static let broken = Migration(
        number: 3, name: "broken", sql: "CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1)")

    @Test func `migrations are applied once, in order`() throws {
        let database = try DatabaseQueue()
        let plan = MigrationPlan([Self.people, Self.names])
        #expect(try plan.pending(in: database) == [1, 2])
        #expect(try plan.apply(to: database) == [1, 2])
        #expect(try plan.apply(to: database) == [])
        #expect(try plan.pending(in: database) == [])
        try database.write { try $0.execute(sql: "INSERT INTO people (name) VALUES ('Ada')") }
    }

    @Test func `a later program continues where an earlier one stopped`() throws {
        let database = try DatabaseQueue()
        #expect(try MigrationPlan([Self.people]).apply(to: database) == [1])
        #expect(try MigrationPlan([Self.people, Self.names]).apply(to: database) == [2])
    }

    @Test func `a failing migration is rolled back whole and the ones before it stay`() throws {
        let database = try DatabaseQueue()
        let plan = MigrationPlan([Self.people, Self.names, Self.broken])
        let error = #expect(throws: MigrationError.self) { try plan.apply(to: database) }
        guard case .failed(3, "broken", let reason) = error else {
            Issue.record("expected .failed, got \(String(describing: error))")
            return
        }
        #expect(reason.contains("nowhere"))
        #expect(try plan.pending(in: database) == [3])
        #expect(try database.read { try !$0.tableExists("half") })
    }

    @Test func `a migration that ends its own transaction is refused`() throws {
        let database = try DatabaseQueue()
        let plan = MigrationPlan([Migration(number: 1, name: "escape", sql: "CREATE TABLE t (id INTEGER); COMMIT")])
        #expect(throws: MigrationError.self) { try plan.apply(to: database) }
        #expect(try plan.pending(in: database) == [1])
    }

    @Test func `a database of a newer program is refused and left alone`() throws {
        let database = try DatabaseQueue()
        _ = try MigrationPlan([Self.people, Self.names]).apply(to: database)
        let older = MigrationPlan([Self.people])
        let expected = MigrationError.newerDatabase(found: 2, known: 1)
        #expect(throws: expected) { try older.apply(to: database) }
        #expect(throws: expected) { try older.pending(in: database) }
        #expect(throws: MigrationError.newerDatabase(found: 2, known: 0)) { try MigrationPlan([]).apply(to: database) }
    }

    @Test func `an edited migration is refused`() throws {
        let database = try DatabaseQueue()
        _ = try MigrationPlan([Self.people]).apply(to: database)
        var edited = Self.people
        edited.sql += " "
        #expect(throws: MigrationError.altered(number: 1, name: "people")) {
            try MigrationPlan([edited, Self.names]).apply(to: database)
        }
        #expect(try database.read { try $0.columns(in: "people").map(\.name) } == ["id"])
    }

    @Test func `numbers with a gap, a repetition or another start are refused before anything runs`() throws {
        let database = try DatabaseQueue()
        var gap = Self.names
        gap.number = 3
        for plan in [
            MigrationPlan([Self.people, gap]), MigrationPlan([Self.names]), MigrationPlan([Self.people, Self.people]),
        ] {
            let error = #expect(throws: MigrationError.self) { try plan.apply(to: database) }
            guard case .malformedPlan = error else {
                Issue.record("expected .malformedPlan, got \(String(describing: error))")
                continue
            }
        }
        #expect(try database.read { try !$0.tableExists("people") })
    }

    @Test func `a file that is no database gives a typed error`() throws {
        let path = "\(FileManager.default.temporaryDirectory.path)/oakum-\(UUID().uuidString).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }  // a temporary file: nothing to do if it stays
        let database = try DatabaseQueue(path: path)
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.write(contentsOf: [UInt8](repeating: 0x41, count: 4096))
        try file.close()
        let plan = MigrationPlan([Self.people])
        #expect(throws: MigrationError.unusable(reason: "file is not a database")) { try plan.pending(in: database) }
        #expect(throws: MigrationError.unusable(reason: "file is not a database")) { try plan.apply(to: database) }
    }

    @Test(.timeLimit(.minutes(10)))
    func `connections that start at once apply each migration exactly once`() async throws {
        let path = "\(FileManager.default.temporaryDirectory.path)/oakum-\(UUID().uuidString).sqlite"
        defer {
            for suffix in ["", "-wal", "-shm"] {
                // A temporary file: nothing to do if it stays.
                try? FileManager.default.removeItem(atPath: path + suffix)
            }
        }
        let plan = MigrationPlan([Self.people, Self.names])
        let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<6 {
                group.addTask {
                    var configuration = Configuration()
                    configuration.busyMode = .timeout(20)
                    return try plan.apply(to: try DatabaseQueue(path: path, configuration: configuration))
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == [1, 2])
    }

    @Test func `the checksum is 64-bit FNV-1a over name, NUL and text`() {
        // Computed apart from this code: FNV-1a 64 of the bytes 61 00 62.
        #expect(Migration(number: 1, name: "a", sql: "b").checksum == "e5d29919042666b2")
        #expect(
            Migration(number: 1, name: "ab", sql: "").checksum != Migration(number: 1, name: "a", sql: "b").checksum)
    }
}
