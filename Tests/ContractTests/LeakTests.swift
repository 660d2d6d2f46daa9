import IncidentStoreSQLite
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
}
