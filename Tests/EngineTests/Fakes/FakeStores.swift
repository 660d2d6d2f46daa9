import OakumEngine
import OakumModel
import OakumTestKit
import Synchronization

/// A gate that can be closed: who arrives waits until it opens.
final class Gate: Sendable {
    private let state = Mutex<(closed: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func close() {
        state.withLock { $0.closed = true }
    }

    func open() {
        let waiting = state.withLock { state in
            state.closed = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let passes = state.withLock { state in
                if state.closed { state.waiting.append(continuation) }
                return !state.closed
            }
            if passes { continuation.resume() }
        }
    }
}

/// The disk of a journal: outlives the engines that write to it.
final class FakeJournal: Sendable {
    struct State {
        var records: [EventRecord] = []
        var nextID: Int64 = 1
        var trouble: StoreError?
        var prunes: [(before: WallTime, keeping: Int)] = []
        var biggestBatch = 0
    }

    let state = Mutex(State())
    let gate = Gate()

    func with<Value>(_ body: (inout State) -> sending Value) -> sending Value {
        state.withLock { body(&$0) }
    }

    var events: [Event] { state.withLock { $0.records.map(\.event) } }

    func fail(_ trouble: StoreError?) {
        state.withLock { $0.trouble = trouble }
    }

    func events(_ kinds: EventKind...) -> [Event] {
        events.filter { kinds.contains($0.kind) }
    }

    func messages(_ kinds: EventKind...) -> [String] {
        events.filter { kinds.contains($0.kind) }.map(\.message)
    }
}

struct FakeJournalHandle: EventJournal {
    let disk: FakeJournal
    let life: Life

    func append(_ events: [Event]) async throws(StoreError) -> [EventRecord] {
        await disk.gate.pass()
        guard !life.isOver else { throw .failed("this oakum is dead") }
        return try disk.state.withLock { state throws(StoreError) in
            if let trouble = state.trouble { throw trouble }
            let first = state.nextID
            let records = events.enumerated().map { EventRecord(id: first + Int64($0.offset), event: $0.element) }
            state.records += records
            state.nextID += Int64(events.count)
            state.biggestBatch = max(state.biggestBatch, events.count)
            return records
        }
    }

    func events(after: Int64?, limit: Int) async throws(StoreError) -> [EventRecord] {
        try disk.state.withLock { state throws(StoreError) in
            if let trouble = state.trouble { throw trouble }
            guard let after else { return Array(state.records.suffix(limit)) }
            return Array(state.records.filter { $0.id > after }.prefix(limit))
        }
    }

    func latest(_ kinds: Set<EventKind>, service: String?) async throws(StoreError) -> EventRecord? {
        try disk.state.withLock { state throws(StoreError) in
            if let trouble = state.trouble { throw trouble }
            return state.records.last {
                kinds.contains($0.event.kind) && (service == nil || $0.event.service == service)
            }
        }
    }

    func prune(before: WallTime, keeping: Int) async throws(StoreError) -> Int {
        await disk.gate.pass()
        disk.state.withLock { $0.prunes.append((before, keeping)) }
        return 0
    }
}

/// Keeps every sample, by process.
final class FakeHistory: HistoryStore {
    struct State {
        var samples: [ProcessIdentity: [Sample]] = [:]
        var owners: [ProcessIdentity: WorkerID] = [:]
        var appends = 0
        var trouble: StoreError?
    }

    let state = Mutex(State())
    let gate = Gate()

    func with<Value>(_ body: (inout State) -> sending Value) -> sending Value {
        state.withLock { body(&$0) }
    }

    func fail(_ trouble: StoreError?) {
        state.withLock { $0.trouble = trouble }
    }

    func append(_ samples: [StoredSample], at moment: Moment) async throws(StoreError) {
        await gate.pass()
        try state.withLock { state throws(StoreError) in
            if let trouble = state.trouble { throw trouble }
            state.appends += 1
            for stored in samples {
                state.samples[stored.process, default: []].append(stored.sample)
                state.owners[stored.process] = stored.worker
            }
        }
    }

    func buckets(
        service: String, since: WallTime, bucketSeconds: Double, limit: Int
    ) async throws(StoreError) -> [StoredBuckets] {
        try state.withLock { state throws(StoreError) in
            if let trouble = state.trouble { throw trouble }
            return state.samples.filter { state.owners[$0.key]?.service == service }
                .sorted { $0.key.pid < $1.key.pid }
                .map { process, samples in
                    StoredBuckets(
                        worker: state.owners[process] ?? WorkerID(service: service, number: 0), process: process,
                        buckets: samples.suffix(limit).map { MemoryBucket(start: since, floor: $0.rss, peak: $0.rss) })
                }
        }
    }

    func recent(_ process: ProcessIdentity) async throws(StoreError) -> [Sample] {
        try state.withLock { state throws(StoreError) in
            if let trouble = state.trouble { throw trouble }
            return state.samples[process] ?? []
        }
    }
}
