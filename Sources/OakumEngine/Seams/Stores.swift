package import OakumModel

/// The journal: everything that happened, durable, in order.
package protocol EventJournal: Sendable {
    /// Stores the events in one transaction and returns them with their numbers. Numbers rise by one.
    func append(_ events: [Event]) async throws(StoreError) -> [EventRecord]
    /// At most `limit` records with a number above `after`, rising; with `after` nil the newest `limit`, rising.
    func events(after: Int64?, limit: Int) async throws(StoreError) -> [EventRecord]
    /// The newest record of one of these kinds for a service (nil: any service); nil when there is none.
    func latest(_ kinds: Set<EventKind>, service: String?) async throws(StoreError) -> EventRecord?
    /// Deletes what is older than `before`, and the oldest beyond `keeping` records. Returns how many went.
    ///
    /// The newest record of each kind of each service stays whatever its age: a pause and the numbers of workers hold
    /// until something newer is said.
    func prune(before: WallTime, keeping: Int) async throws(StoreError) -> Int
}

/// Samples over time, kept across restarts of `oakum`: full resolution for the recent past, buckets for what is older.
package protocol HistoryStore: Sendable {
    /// Stores samples of one instant. Losing the last few seconds in a crash is allowed, corrupting older ones is not.
    func append(_ samples: [StoredSample], at moment: Moment) async throws(StoreError)
    /// Buckets of at least `bucketSeconds` for a service since `since`, rising in time, at most `limit` a process.
    func buckets(
        service: String, since: WallTime, bucketSeconds: Double, limit: Int
    ) async throws(StoreError) -> [StoredBuckets]
    /// The full-resolution recent past of one process, rising: what a restarted `oakum` feeds its detector.
    func recent(_ process: ProcessIdentity) async throws(StoreError) -> [Sample]
}

/// A sample with whose it is.
package struct StoredSample: Hashable, Sendable {
    package var worker: WorkerID
    package var process: ProcessIdentity
    package var sample: Sample

    package init(worker: WorkerID, process: ProcessIdentity, sample: Sample) {
        self.worker = worker
        self.process = process
        self.sample = sample
    }
}

/// The buckets of one process.
package struct StoredBuckets: Hashable, Sendable {
    package var worker: WorkerID
    package var process: ProcessIdentity
    package var buckets: [MemoryBucket]

    package init(worker: WorkerID, process: ProcessIdentity, buckets: [MemoryBucket]) {
        self.worker = worker
        self.process = process
        self.buckets = buckets
    }
}

/// The smallest and the largest resident set within a bucket that begins at `start`.
package struct MemoryBucket: Hashable, Sendable {
    package var start: WallTime
    package var floor: ByteCount
    package var peak: ByteCount

    package init(start: WallTime, floor: ByteCount, peak: ByteCount) {
        self.start = start
        self.floor = floor
        self.peak = peak
    }
}

/// Why a store could not do its work. Nothing was half done.
package enum StoreError: Error, Hashable, Sendable {
    /// No room on the disk. The caller keeps what it can in memory and says so.
    case diskFull(String)
    /// The file is damaged or of a newer version; the message says which file and what to do.
    case unusable(String)
    case failed(String)
}

extension StoreError: CustomStringConvertible {
    /// What is wrong and what to do, without the name of the case.
    package var description: String {
        switch self {
        case .diskFull(let text), .unusable(let text), .failed(let text): text
        }
    }
}
