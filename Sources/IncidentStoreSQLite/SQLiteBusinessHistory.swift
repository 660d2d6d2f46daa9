package import AlertRules
import GRDB
import Migrations
package import OakumEngine
import OakumModel

/// What the business counted, in one SQLite file: 35 days of five minutes, 10,080 rows a metric, of 64 metrics at most.
package final class SQLiteBusinessHistory: BusinessHistory {
    /// Metrics of all services together; buckets of further ones are refused.
    package static let metricLimit = 64
    private let database: DatabaseQueue
    private let path: String

    /// Opens the file, creates it when it is missing (for its owner alone), and looks for damage. Blocks.
    package init(path: String, maximumBytes: Int64 = 128 << 20) throws(StoreError) {
        self.path = path
        let describe = StoreErrors(what: "business history", path: path)
        do {
            database = try StoreFile.open(
                path, label: "business", plan: Self.plan, maximumBytes: maximumBytes, describe)
        } catch {
            throw describe.storeError(error)
        }
    }

    private static let plan = MigrationPlan([
        Migration(
            number: 1, name: "business-buckets",
            sql: """
                CREATE TABLE buckets (
                    service TEXT NOT NULL, metric TEXT NOT NULL, start_ms INTEGER NOT NULL, count REAL NOT NULL,
                    covered_s REAL NOT NULL, PRIMARY KEY (service, metric, start_ms)
                ) STRICT, WITHOUT ROWID;
                """)
    ])

    package func append(_ bucket: BusinessBucket, of metric: String, service: String) async throws(StoreError) {
        try await append([bucket], of: metric, service: service)
    }

    /// Many at once: what was counted before Oakum, from elsewhere.
    package func append(_ buckets: [BusinessBucket], of metric: String, service: String) async throws(StoreError) {
        let limit = Self.metricLimit
        let path = path
        try await perform { database in
            try await database.write { db in
                let others = try Int.fetchOne(
                    db,
                    sql: """
                        SELECT count(*) FROM (SELECT DISTINCT service, metric FROM buckets)
                        WHERE NOT (service = ? AND metric = ?)
                        """, arguments: [service, metric])
                guard others ?? 0 < limit else {
                    throw StoreError.failed("the business history \(path) holds \(limit) metrics already")
                }
                let insert = try db.cachedStatement(
                    sql: """
                        INSERT INTO buckets VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                            count = excluded.count, covered_s = excluded.covered_s WHERE excluded.covered_s >= covered_s
                        """)
                for bucket in buckets {
                    try insert.execute(arguments: [
                        service, metric, bucket.start.milliseconds, bucket.count, bucket.coveredSeconds,
                    ])
                }
                guard let newest = buckets.map(\.start.milliseconds).max() else { return }
                try db.execute(
                    sql: "DELETE FROM buckets WHERE service = ? AND metric = ? AND start_ms <= ?",
                    arguments: [service, metric, newest - Int64(BusinessBucket.days) * 86_400_000])
            }
        }
    }

    package func buckets(of metric: String, service: String) async throws(StoreError) -> [BusinessBucket] {
        try await perform { database in
            try await database.read { db in
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT start_ms, count, covered_s FROM (SELECT * FROM buckets WHERE service = ? AND metric = ?
                            ORDER BY start_ms DESC LIMIT ?) ORDER BY start_ms
                        """, arguments: [service, metric, BusinessBucket.limit])
                return try rows.map { row in
                    BusinessBucket(
                        start: WallTime(milliseconds: try row.decode(atIndex: 0)), count: try row.decode(atIndex: 1),
                        coveredSeconds: try row.decode(atIndex: 2))
                }
            }
        }
    }

    private func perform<Value>(_ body: (DatabaseQueue) async throws -> Value) async throws(StoreError) -> Value {
        do {
            return try await body(database)
        } catch {
            throw StoreErrors(what: "business history", path: path).storeError(error)
        }
    }
}
