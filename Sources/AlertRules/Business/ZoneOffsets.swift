package import OakumModel

/// What a time zone adds to UTC, as a table: whoever knows zones makes it. Without entries: UTC.
package struct ZoneOffsets: Hashable, Sendable {
    package struct Change: Hashable, Sendable {
        package var from: WallTime
        /// Added to UTC, from then on.
        package var seconds: Int

        package init(from: WallTime, seconds: Int) {
            self.from = from
            self.seconds = seconds
        }
    }

    /// Rising in time. What is before the first one has the first one's offset.
    private let changes: [Change]

    /// - Parameter changes: at most `limit` are kept, the last ones.
    package init(_ changes: [Change] = []) {
        self.changes = Array(changes.sorted { $0.from < $1.from }.suffix(Self.limit))
    }

    /// Twelve years of two changes each.
    package static let limit = 24
    package static let utc = ZoneOffsets()

    package func seconds(at time: WallTime) -> Int {
        (changes.last { $0.from <= time } ?? changes.first)?.seconds ?? 0
    }
}
