import GRDB
import OakumTestKit
import RegistrationCore
import RegistrationStoreSQLite
import Testing

import class Foundation.FileManager

@Suite struct SQLiteAccountStoreTests {
    @Test func `a commit is durable: synchronous is FULL`() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteAccountStore(path: folder.file("a.sqlite"))
            #expect(try await store.synchronousLevel() == 2)
            try store.close()
        }
    }

    @Test func `a known address costs a write to the log as a new one does`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("a.sqlite")
            let store = try SQLiteAccountStore(path: path)
            func logBytes() throws -> Int {
                try #require(try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int)
            }
            var sizes = [try logBytes()]
            for number in 1...3 {
                let isNew = try await store.add(Accounts.account("ada@example.org", hash: number))
                #expect(isNew == (number == 1))
                sizes.append(try logBytes())
            }
            for (before, after) in zip(sizes, sizes.dropFirst()) { #expect(after > before, "\(sizes)") }
            try store.close()
        }
    }

    @Test func `the files are for their owner alone, and missing folders are made`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("some/where/a.sqlite")
            let store = try SQLiteAccountStore(path: path)
            _ = try await Accounts.add("ada@example.org", to: store)
            for suffix in ["", "-wal", "-shm"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
                #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
            }
            try store.close()
        }
    }

    @Test func `what was stored is there after closing and opening again`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("a.sqlite")
            let first = try SQLiteAccountStore(path: path)
            let account = try await Accounts.add("ada@example.org", to: first)
            try await first.open(Accounts.session(1, of: account, from: 1, to: 100), maximumPerAccount: 20)
            try first.close()
            let second = try SQLiteAccountStore(path: path)
            #expect(try await second.session(Accounts.digest(1), at: UnixTime(seconds: 2)) != nil)
            #expect(try await !second.add(Accounts.account("ada@example.org", hash: 2)))
            try second.close()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `stores opened at once on one missing file all work, and each address is added exactly once`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("a.sqlite")
            let added = try await withThrowingTaskGroup(of: [String].self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        let store = try SQLiteAccountStore(path: path)
                        var added: [String] = []
                        for number in 0..<20 {
                            let account = try Accounts.account("user\(number)@example.org", hash: 100 * worker + number)
                            if try await store.add(account) { added.append(account.email.key) }
                        }
                        try store.close()
                        return added
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(added.sorted() == (0..<20).map { "user\($0)@example.org" }.sorted())
        }
    }

    @Test func `a session that one process ends is an ending for all that share the database`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("a.sqlite")
            let first = try SQLiteAccountStore(path: path)
            let second = try SQLiteAccountStore(path: path)
            let account = try await Accounts.add("ada@example.org", to: first)
            for number in 1...50 {
                try await first.open(
                    Accounts.session(number, of: account, from: Int64(number), to: 1000), maximumPerAccount: 100)
                let before = (try first.endings(), try second.endings())
                #expect(before.0 == before.1)
                #expect(try await (number.isMultiple(of: 2) ? first : second).end(Accounts.digest(number)))
                // At once, without anything else being read.
                #expect(try first.endings() == before.0 + 1)
                #expect(try second.endings() == before.1 + 1)
            }
            try first.close()
            try second.close()
        }
    }

    @Test func `what is no database gives a typed error that says so`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("a.sqlite")
            let text = String(repeating: "not a database ", count: 100)
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            let error = #expect(throws: StoreOpeningError.self) { try SQLiteAccountStore(path: path) }
            #expect(error?.description.contains("not a database") == true)
            #expect(throws: StoreOpeningError.self) { try SQLiteAccountStore(path: folder.path) }
            #expect(throws: StoreOpeningError.self) { try SQLiteAccountStore(path: "/proc/nowhere/a.sqlite") }
        }
    }

    @Test func `a database of a newer program is refused`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("a.sqlite")
            try SQLiteAccountStore(path: path).close()
            let queue = try DatabaseQueue(path: path)
            try await queue.write {
                try $0.execute(
                    sql:
                        "INSERT INTO schema_migrations SELECT max(number) + 1, 'later', 'x', 'y' FROM schema_migrations"
                )
            }
            try queue.close()
            let error = #expect(throws: StoreOpeningError.self) { try SQLiteAccountStore(path: path) }
            #expect(error?.description.contains("newer program") == true)
        }
    }

    @Test func `a full database is told apart and nothing half-done stays`() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteAccountStore(path: folder.file("a.sqlite"), maximumBytes: 80 * 1024)
            var added = 0
            let error = await #expect(throws: StoreError.self) {
                for number in 0..<2000 {
                    _ = try await store.add(Accounts.account("user\(number)@example.org", hash: number))
                    added += 1
                }
            }
            #expect(error == .full)
            #expect(added > 0)
            #expect(try await store.credentials(emailKey: "user\(added)@example.org") == nil)
            #expect(try await store.credentials(emailKey: "user\(added - 1)@example.org") != nil)
            try store.close()
        }
    }

    @Test func `only PHC strings are stored, whoever writes`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("a.sqlite")
            try SQLiteAccountStore(path: path).close()
            let queue = try DatabaseQueue(path: path)
            await #expect(throws: DatabaseError.self) {
                try await queue.write {
                    try $0.execute(
                        sql: """
                            INSERT INTO accounts (public_id, email_key, email_display, password_hash, created_at)
                            VALUES ('a', 'b@c.de', 'b@c.de', 'correct horse battery', 1)
                            """)
                }
            }
            try queue.close()
        }
    }
}
