import EngineTestKit
import IncidentStoreSQLite
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// What every journal promises. Runs on the fake that the engine's tests use as well, so that the two cannot drift apart.
enum JournalKind: CaseIterable, CustomTestStringConvertible {
    case inMemory
    case sqlite

    var testDescription: String { "\(self)" }

    func run(_ body: (any EventJournal) async throws -> Void) async throws {
        switch self {
        case .inMemory: try await body(InMemoryJournal())
        case .sqlite:
            try await withTemporaryFolder { folder in
                try await body(try SQLiteEventJournal(path: folder.file("journal.sqlite")))
            }
        }
    }
}

func event(
    _ kind: EventKind = .verdict, service: String? = "registrar", wall: Int64 = 1_000, _ message: String = "it grows"
) -> Event {
    Event(
        kind: kind, at: Moment(uptime: Uptime(seconds: 1.5), wall: WallTime(milliseconds: wall)), service: service,
        message: message)
}

@Suite(.timeLimit(.minutes(10)))
struct JournalContractTests {
    @Test(arguments: JournalKind.allCases)
    func `numbers rise by one over all batches, and the records come back as they went in`(kind: JournalKind)
        async throws
    {
        try await kind.run { journal in
            let first = try await journal.append([event(), event(.paused, service: nil)])
            let second = try await journal.append([event(.workerExited)])
            #expect(try await journal.append([]) == [])
            let start = try #require(first.first?.id)
            #expect((first + second).map(\.id) == [start, start + 1, start + 2])
            #expect(first.map(\.event) == [event(), event(.paused, service: nil)])
            #expect(try await journal.events(after: nil, limit: 10) == first + second)
        }
    }

    @Test(arguments: JournalKind.allCases)
    func `every field of every kind survives`(kind: JournalKind) async throws {
        try await kind.run { journal in
            let verdict = Verdict(
                code: .leak, onsetSeconds: 12.25, decidedSeconds: 80,
                slope: Estimate(estimate: 1e6, low: 0.1, high: 3e9), timeToLimit: TimeToLimit(low: 3, high: nil),
                evidence: ["grew 64 KiB a request", "“quoted” \u{1F6A2}\u{0}"])
            let events = EventKind.allCases.map { kind in
                Event(
                    kind: kind, at: Moment(uptime: Uptime(seconds: 0.1), wall: WallTime(milliseconds: -5)),
                    service: "a'; DROP TABLE events", worker: .max,
                    process: ProcessIdentity(pid: 42, startTicks: .max), message: "line\nline", verdict: verdict,
                    facts: ["rss_bytes": "1", "": ""])
            }
            _ = try await journal.append(events)
            #expect(try await journal.events(after: nil, limit: 100).map(\.event) == events)
        }
    }

    @Test(arguments: JournalKind.allCases)
    func `reading is by page, forward from a number or the newest`(kind: JournalKind) async throws {
        try await kind.run { journal in
            let ids = try await journal.append((0..<10).map { event(.command, "\($0)") }).map(\.id)
            #expect(try await journal.events(after: nil, limit: 3).map(\.id) == Array(ids.suffix(3)))
            #expect(try await journal.events(after: ids[2], limit: 3).map(\.id) == Array(ids[3...5]))
            #expect(try await journal.events(after: ids[7], limit: 50).map(\.id) == Array(ids[8...9]))
            #expect(try await journal.events(after: ids[9], limit: 50) == [])
            #expect(try await journal.events(after: nil, limit: 0) == [])
            #expect(try await journal.events(after: ids[0] - 1, limit: 0) == [])
        }
    }

    @Test(arguments: JournalKind.allCases)
    func `the latest of some kinds is found, for one service or any`(kind: JournalKind) async throws {
        try await kind.run { journal in
            let records = try await journal.append([
                event(.workerStarted, service: "a"), event(.verdict, service: "a"), event(.workerStarted, service: "b"),
                event(.paused, service: nil),
            ])
            #expect(try await journal.latest([.workerStarted], service: "a") == records[0])
            #expect(try await journal.latest([.workerStarted], service: nil) == records[2])
            #expect(try await journal.latest([.workerStarted, .verdict], service: "a") == records[1])
            #expect(try await journal.latest([.paused], service: "a") == nil)
            #expect(try await journal.latest([.paused, .resumed], service: nil) == records[3])
            #expect(try await journal.latest([], service: nil) == nil)
        }
    }

    @Test(arguments: JournalKind.allCases)
    func `pruning deletes by age and by number and never frees a number`(kind: JournalKind) async throws {
        try await kind.run { journal in
            let ids = try await journal.append((0..<10).map { event(wall: Int64($0) * 100) }).map(\.id)
            #expect(try await journal.prune(before: WallTime(milliseconds: 300), keeping: 100) == 3)
            #expect(try await journal.events(after: nil, limit: 50).map(\.id) == Array(ids[3...]))
            #expect(try await journal.prune(before: WallTime(milliseconds: 0), keeping: 2) == 5)
            #expect(try await journal.events(after: nil, limit: 50).map(\.id) == Array(ids[8...]))
            #expect(try await journal.prune(before: WallTime(milliseconds: 0), keeping: 2) == 0)
            #expect(try await journal.prune(before: WallTime(milliseconds: 10_000), keeping: 2) == 1)
            #expect(try await journal.events(after: nil, limit: 50).map(\.id) == [ids[9]])
            #expect(try await journal.append([event()]).map(\.id) == [ids[9] + 1])
        }
    }

    @Test(arguments: JournalKind.allCases)
    func `the newest record of each kind of each service outlives any pruning`(kind: JournalKind) async throws {
        try await kind.run { journal in
            let records = try await journal.append([
                event(.paused, service: nil, wall: 1), event(.workerStarted, service: "a", wall: 2),
                event(.workerStarted, service: "a", wall: 3), event(.workerStarted, service: "b", wall: 4),
                event(.verdict, service: "a", wall: 50), event(.verdict, service: "a", wall: 60),
            ])
            #expect(try await journal.prune(before: WallTime(milliseconds: 100), keeping: 1) == 2)
            let kept = try await journal.events(after: nil, limit: 50)
            #expect(kept == [records[0], records[2], records[3], records[5]])
        }
    }

    @Test(arguments: JournalKind.allCases)
    func `appending from many tasks leaves no gap and no double`(kind: JournalKind) async throws {
        try await kind.run { journal in
            let ids = try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    group.addTask { try await journal.append([event(), event(.problem, "\(number)")]).map(\.id) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let sorted = ids.sorted()
            let first = try #require(sorted.first)
            #expect(sorted == Array(first..<(first + 40)))
        }
    }
}
