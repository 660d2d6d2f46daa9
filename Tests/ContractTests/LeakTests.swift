import AlertRules
import IncidentStoreSQLite
import Incidents
import LeakTesting
import OakumEngine
import OakumModel
import OakumTestKit
import SeriesStore
import Testing

/// What lives as long as Oakum must not grow with what it stores.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(10)))
struct LeakTests {
    @Test func `a history on disk does not grow in memory`() async throws {
        try await withTemporaryFolder { folder in
            let history = try SegmentedHistoryStore(folder: folder.file("history"))
            var second = 0.0
            try await expectNoGrowth(warmUp: 1_200) {
                second += 1
                try await history.append([stored(1, 1 << 20, at: moment(second))], at: moment(second))
            }
        }
    }

    @Test func `a journal does not grow in memory`() async throws {
        try await withTemporaryFolder { folder in
            let journal = try SQLiteEventJournal(path: folder.file("journal.sqlite"))
            // SQLite keeps pages of what it has written, up to 2 MB of them.
            try await expectNoGrowth(warmUp: 100, toleratingBytesPerCall: 600) {
                _ = try await journal.append([event(), event(.paused, service: nil)])
                _ = try await journal.events(after: nil, limit: 10)
            }
        }
    }

    @Test func `a store of incidents does not grow in memory`() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteIncidentStore(path: folder.file("incidents.sqlite"), bootID: "boot-1")
            // SQLite keeps pages of what it has written, up to a megabyte of them: that is filled first.
            let lines = (0..<4_000).map { TimelineEntry.filler($0) }
            try await store.commit(lines.map { IncidentChange.line($0) }, at: moment(1))
            var second = 1.0
            // The database works on a thread of its own.
            try await expectNoGrowth(of: .process, calls: 20, warmUp: 40, toleratingBytesPerCall: 600) {
                second += 1
                let page = Page(
                    id: "page \(second)", kind: .opened, incident: 1, channel: "paper", severity: .critical, title: "t",
                    thread: "oak-1", at: moment(second).wall)
                try await store.commit(
                    [.line(.filler(1)), .send(page, urgent: false, delay: 0), .withdraw([page.id])],
                    at: moment(second))
                let outcomes = try await store.outcomes(limit: 10)
                try await store.commit([.heard(outcomes.map(\.page))], at: moment(second))
                store.announce()
                _ = try await store.deliveries(limit: 10)
                _ = try await store.load(recent: 60, at: moment(second))
            }
            try store.close()
        }
    }

    @Test func `a history of the business does not grow in memory`() async throws {
        try await withTemporaryFolder { folder in
            let history = try SQLiteBusinessHistory(path: folder.file("business.sqlite"))
            // What is kept of a metric, and with it SQLite's pages, is full: older buckets go.
            let full = (0..<BusinessBucket.limit).map { BusinessBucket.number($0) }
            try await history.append(full, of: "sign-ups", service: "web")
            var number = BusinessBucket.limit - 1
            try await expectNoGrowth(of: .process, calls: 20, warmUp: 40, toleratingBytesPerCall: 600) {
                number += 1
                try await history.append(BusinessBucket.number(number), of: "sign-ups", service: "web")
            }
            #expect(try await history.buckets(of: "sign-ups", service: "web").count == BusinessBucket.limit)
        }
    }
}

extension TimelineEntry {
    fileprivate static func filler(_ number: Int) -> TimelineEntry {
        TimelineEntry(
            incident: Int64(-number), at: WallTime(milliseconds: Int64(number)), kind: .note,
            text: String(repeating: "a line of a timeline, ", count: 20), by: "ada")
    }
}

extension BusinessBucket {
    fileprivate static func number(_ number: Int) -> BusinessBucket {
        BusinessBucket(
            start: WallTime(milliseconds: Int64(number) * Int64(Self.seconds) * 1_000), count: 5, coveredSeconds: 300)
    }
}
