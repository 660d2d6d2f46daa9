import OakumEngine
import OakumModel
import Synchronization

final class VolatileJournal: EventJournal {
    private let records = Mutex<[EventRecord]>([])
    func append(_ events: [Event]) async throws(StoreError) -> [EventRecord] {
        records.withLock { all in
            let new = events.enumerated().map { EventRecord(id: Int64(all.count + $0.offset + 1), event: $0.element) }
            all += new
            return new
        }
    }
    func events(after: Int64?, limit: Int) async throws(StoreError) -> [EventRecord] {
        records.withLock { all in
            after.map { after in Array(all.filter { $0.id > after }.prefix(limit)) } ?? Array(all.suffix(limit))
        }
    }
    func latest(_ kinds: Set<EventKind>, service: String?) async throws(StoreError) -> EventRecord? {
        records.withLock {
            $0.last { kinds.contains($0.event.kind) && (service == nil || $0.event.service == service) }
        }
    }
    func prune(before: WallTime, keeping: Int) async throws(StoreError) -> Int { 0 }
}

final class VolatileHistory: HistoryStore {
    func append(_ samples: [StoredSample], at moment: Moment) async throws(StoreError) {}
    func buckets(
        service: String, since: WallTime, bucketSeconds: Double, limit: Int
    ) async throws(StoreError) -> [StoredBuckets] { [] }
    func recent(_ process: ProcessIdentity) async throws(StoreError) -> [Sample] { [] }
}
