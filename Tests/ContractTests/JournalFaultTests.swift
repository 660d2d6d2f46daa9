import Foundation
import GRDB
import IncidentStoreSQLite
import Migrations
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// What the journal does when the disk, the file or the process fails.
@Suite(.timeLimit(.minutes(10)))
struct JournalFaultTests {
    @Test func `an appended event is there for the next run, killed or not`() async throws {
        try await withTemporaryFolder { folder in
            let journal = try SQLiteEventJournal(path: folder.file("journal.sqlite"))
            let records = try await journal.append((0..<100).map { event(.verdict, "\($0)") })
            // What a killed process leaves behind: the files as they are now, nothing checkpointed, nothing closed.
            let killed = folder.file("killed")
            try FileManager.default.createDirectory(atPath: killed, withIntermediateDirectories: false)
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(
                    atPath: folder.file("journal.sqlite") + suffix, toPath: killed + "/journal.sqlite" + suffix)
            }
            let next = try SQLiteEventJournal(path: killed + "/journal.sqlite")
            #expect(try await next.events(after: nil, limit: 1000) == records)
            #expect(try await next.append([event()]).first?.id == records[99].id + 1)
        }
    }

    @Test func `a full journal says so, loses nothing, and goes on when something was pruned`() async throws {
        try await withTemporaryFolder { folder in
            let journal = try SQLiteEventJournal(path: folder.file("journal.sqlite"), maximumBytes: 400_000)
            var stored: [EventRecord] = []
            let failure = await #expect(throws: StoreError.self) {
                for number in 0..<10_000 { stored += try await journal.append([event(.problem, "\(number)")]) }
            }
            #expect(failure?.isDiskFull == true)
            #expect(stored.count > 100)
            #expect(try await journal.events(after: nil, limit: 10_000) == stored)
            #expect(try await journal.prune(before: WallTime(milliseconds: 0), keeping: 10) == stored.count - 10)
            let next = try await journal.append([event()])
            #expect(next.first?.id == (stored.last?.id ?? 0) + 1)
        }
    }

    @Test func `pruning gives the room back to the disk`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("journal.sqlite")
            let journal = try SQLiteEventJournal(path: path)
            for _ in 0..<20 { _ = try await journal.append((0..<200).map { event(.problem, "\($0)") }) }
            try journal.close()
            let large = try size(of: path)
            let again = try SQLiteEventJournal(path: path)
            _ = try await again.prune(before: WallTime(milliseconds: 0), keeping: 100)
            try again.close()
            #expect(try size(of: path) < large / 5)
        }
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"))
    func `a really full disk gives a typed error, and writing resumes when there is room`() async throws {
        try await withSmallDisk(kibibytes: 1024) { disk in
            let journal = try SQLiteEventJournal(path: disk.file("journal.sqlite"))
            var stored = try await journal.append([event()])
            try disk.fill()
            let failure = await #expect(throws: StoreError.self) {
                for _ in 0..<1000 { stored += try await journal.append([event()]) }
            }
            #expect(failure?.isDiskFull == true, "\(String(describing: failure))")
            #expect(try await journal.events(after: nil, limit: 10_000) == stored)
            disk.makeRoom()
            stored += try await journal.append([event(.resumed)])
            #expect(try await journal.events(after: nil, limit: 10_000) == stored)
        }
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"), arguments: [false, true])
    func `a full disk at the start is no reason not to start`(isNew: Bool) async throws {
        try await withSmallDisk(kibibytes: 512) { disk in
            let path = disk.file("journal.sqlite")
            var stored: [EventRecord] = []
            if !isNew {
                let earlier = try SQLiteEventJournal(path: path)
                stored = try await earlier.append([event()])
                try earlier.close()
            }
            try disk.fill()
            let journal = try SQLiteEventJournal(path: path)
            let failure = await #expect(throws: StoreError.self) { try await journal.append([event()]) }
            #expect(failure?.isDiskFull == true, "\(String(describing: failure))")
            disk.makeRoom()
            stored += try await journal.append([event()])
            #expect(try await journal.events(after: nil, limit: 10) == stored)
        }
    }

    @Test func `a file that is no journal is refused by name and left as it is`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("journal.sqlite")
            let text = Data(String(repeating: "this is no database\n", count: 500).utf8)
            try text.write(to: URL(filePath: path))
            let failure = #expect(throws: StoreError.self) { try SQLiteEventJournal(path: path) }
            #expect(failure?.isUnusable(naming: path) == true)
            #expect(try Data(contentsOf: URL(filePath: path)) == text)
        }
    }

    @Test func `a folder that is missing or not ours is told`() async throws {
        let failure = #expect(throws: StoreError.self) { try SQLiteEventJournal(path: "/nowhere/journal.sqlite") }
        #expect(failure?.isUnusable(naming: "/nowhere/journal.sqlite") == true)
    }

    @Test func `the journal of a newer Oakum is refused`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("journal.sqlite")
            try SQLiteEventJournal(path: path).close()
            let database = try DatabaseQueue(path: path)
            try await database.write {
                try $0.execute(sql: "INSERT INTO schema_migrations VALUES (2, 'later', '0123456789abcdef', 'now')")
            }
            try database.close()
            let failure = #expect(throws: StoreError.self) { try SQLiteEventJournal(path: path) }
            #expect(failure?.isUnusable(naming: path) == true)
            #expect("\(String(describing: failure))".contains("newer"))
        }
    }

    @Test func `an event of a later version is shown as a problem that says so`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("journal.sqlite")
            let journal = try SQLiteEventJournal(path: path)
            _ = try await journal.append([event()])
            let database = try DatabaseQueue(path: path)
            try await database.write {
                let sql = "INSERT INTO events (at_ms, kind, service, body) VALUES (77, 'time_travel', 'web', '{}')"
                try $0.execute(sql: sql)
            }
            let records = try await journal.events(after: nil, limit: 10)
            #expect(records.map(\.event.kind) == [.verdict, .problem])
            #expect(records[1].event.message.contains("time_travel"))
            #expect(records[1].event.service == "web")
            #expect(records[1].event.at.wall == WallTime(milliseconds: 77))
        }
    }

    @Test func `numbers that are none, and huge events, do not stop the journal`() async throws {
        try await withTemporaryFolder { folder in
            let journal = try SQLiteEventJournal(path: folder.file("journal.sqlite"))
            var odd = event()
            odd.verdict = Verdict(code: .leak, slope: Estimate(estimate: .nan, low: -.infinity, high: .infinity))
            var huge = event(.problem, String(repeating: "é", count: 200_000))
            huge.facts = ["a": String(repeating: "b", count: 100_000)]
            let stored = try await journal.append([odd, huge])
            let read = try await journal.events(after: nil, limit: 10)
            #expect(read[0].event.verdict?.slope?.estimate.isNaN == true)
            #expect(read[0].event.verdict?.slope?.high == .infinity)
            #expect(read[1] == stored[1])
            #expect(read[1].event.message.utf8.count <= 4100)
            #expect(read[1].event.facts["shortened"] != nil)
        }
    }

    @Test func `a damaged file never crashes: it opens, or an error names it`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("journal.sqlite")
            let journal = try SQLiteEventJournal(path: path)
            _ = try await journal.append((0..<200).map { event(.verdict, "\($0)") })
            try journal.close()
            let intact = try [UInt8](Data(contentsOf: URL(filePath: path)))
            try await forAll(seeds: 60) { generator in
                let damaged = folder.file("damaged-\(generator.next()).sqlite")
                try Data(generator.damaged(intact)).write(to: URL(filePath: damaged))
                do {
                    let journal = try SQLiteEventJournal(path: damaged)
                    _ = try await journal.events(after: nil, limit: 1000)
                    _ = try await journal.latest([.verdict], service: "registrar")
                    _ = try await journal.append([event()])
                } catch let error as StoreError {
                    #expect("\(error)".contains(damaged))
                }
            }
        }
    }

    private func size(of path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    }
}

extension StoreError {
    var isDiskFull: Bool {
        if case .diskFull = self { true } else { false }
    }

    func isUnusable(naming path: String) -> Bool {
        if case .unusable(let text) = self { text.contains(path) } else { false }
    }
}
