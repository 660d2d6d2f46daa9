package import OakumEngine
package import OakumModel
import Synchronization

/// A history in memory that passes the contract of histories, and refuses to store when it is told to. Keeps everything.
package final class InMemoryHistory: HistoryStore {
    private struct Entry {
        var stored: StoredSample
        var wall: Int64
    }

    private struct State {
        var entries: [Entry] = []
        var failure: StoreError?
    }

    private let state = Mutex(State())

    package init() {}

    /// Every sample in it, in the order of arrival.
    package var samples: [StoredSample] { state.withLock { $0.entries.map(\.stored) } }

    /// From now on every call fails with this; nil: works again.
    package func fail(with error: StoreError?) {
        state.withLock { $0.failure = error }
    }

    package func append(_ samples: [StoredSample], at moment: Moment) async throws(StoreError) {
        try working { state in
            state.entries += samples.map { Entry(stored: $0, wall: moment.wall.milliseconds) }
        }
    }

    package func buckets(
        service: String, since: WallTime, bucketSeconds: Double, limit: Int
    ) async throws(StoreError) -> [StoredBuckets] {
        let entries = try working { state in
            state.entries.filter { $0.stored.worker.service == service && $0.wall >= since.milliseconds }
        }
        guard limit > 0, let first = entries.map(\.wall).min(), let last = entries.map(\.wall).max() else { return [] }
        let width = max(Int64(bucketSeconds * 1000), 1, (last - first) / Int64(limit) + 1)
        let processes = Dictionary(grouping: entries) { $0.stored.process }
        return processes.values.map { entries in
            let buckets = Dictionary(grouping: entries) { ($0.wall / width) * width }.map { start, entries in
                let sizes = entries.map(\.stored.sample.rss)
                return MemoryBucket(
                    start: WallTime(milliseconds: start), floor: sizes.min() ?? .zero, peak: sizes.max() ?? .zero)
            }
            return StoredBuckets(
                worker: entries[0].stored.worker, process: entries[0].stored.process,
                buckets: buckets.sorted { $0.start < $1.start }.suffix(limit))
        }.sorted { ($0.worker, $0.process.startTicks) < ($1.worker, $1.process.startTicks) }
    }

    package func recent(_ process: ProcessIdentity) async throws(StoreError) -> [Sample] {
        try working { state in state.entries.filter { $0.stored.process == process }.map(\.stored.sample) }
    }

    private func working<Value: Sendable>(_ body: (inout State) -> Value) throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = state.withLock { state in
            state.failure.map(Result.failure) ?? .success(body(&state))
        }
        return try result.get()
    }
}
