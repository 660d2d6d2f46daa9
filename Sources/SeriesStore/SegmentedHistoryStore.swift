import Glibc
package import OakumEngine
package import OakumModel
import Synchronization

/// The history of all workers in a folder of its own: append-only segment files in three resolutions.
///
/// A tick is one write of a few dozen bytes a worker, left to the page cache: a killed `oakum` loses nothing, a power
/// cut the last half minute. Segments of earlier runs are never written again, so older data cannot be damaged.
/// One `oakum` at a time may have the folder; the state folder's lock sees to that.
package final class SegmentedHistoryStore: HistoryStore {
    private let state: Mutex<HistoryWriter>
    private let limits: HistoryLimits

    /// Opens the history in the folder, which is created when it is missing.
    /// - Throws: `.unusable` when the folder cannot be written or holds segments of a newer Oakum.
    package init(
        folder: String, limits: HistoryLimits = .standard, disk: SegmentDisk = .system
    ) throws(StoreError) {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw fileError("create the folder", folder) }
        self.limits = limits
        state = Mutex(try HistoryWriter(folder: folder, limits: limits, disk: disk))
    }

    /// What could not be read when the history was opened, in words; empty when all is well.
    package var damage: [String] { state.withLock { $0.damage } }

    package func append(_ samples: [StoredSample], at moment: Moment) async throws(StoreError) {
        try state.withLock { (writer) throws(StoreError) in try writer.append(samples, at: moment) }
    }

    /// Takes as long as reading the files of that time takes: up to a second for weeks of a hundred workers.
    @concurrent
    package func buckets(
        service: String, since: WallTime, bucketSeconds: Double, limit: Int
    ) async throws(StoreError) -> [StoredBuckets] {
        let width = Int64(min(max(bucketSeconds, 0.001), 1e9) * 1000)
        return try reader().buckets(service: service, since: since.milliseconds, width: width, limit: limit)
    }

    @concurrent
    package func recent(_ process: ProcessIdentity) async throws(StoreError) -> [Sample] {
        try reader().recent(process)
    }

    private func reader() -> HistoryReader {
        state.withLock { writer in
            HistoryReader(
                full: writer.full.segments, short: writer.short.segments, long: writer.long.segments,
                newest: writer.newest, limits: limits)
        }
    }
}
