package import OakumEngine
package import OakumModel
import Synchronization

/// A journal in memory that passes the contract of journals, and refuses to store when it is told to.
package final class InMemoryJournal: EventJournal {
    private struct State {
        var records: [EventRecord] = []
        var lastID: Int64 = 0
        var failure: StoreError?
    }

    private let state = Mutex(State())

    package init() {}

    /// Everything in it, rising.
    package var records: [EventRecord] { state.withLock { $0.records } }

    /// From now on every call fails with this; nil: works again.
    package func fail(with error: StoreError?) {
        state.withLock { $0.failure = error }
    }

    package func append(_ events: [Event]) async throws(StoreError) -> [EventRecord] {
        try working { state in
            let added = events.enumerated().map { EventRecord(id: state.lastID + Int64($0) + 1, event: $1) }
            state.records += added
            state.lastID += Int64(added.count)
            return added
        }
    }

    package func events(after: Int64?, limit: Int) async throws(StoreError) -> [EventRecord] {
        try working { state in
            guard let after else { return state.records.suffix(max(limit, 0)) }
            return Array(state.records.filter { $0.id > after }.prefix(max(limit, 0)))
        }
    }

    package func latest(_ kinds: Set<EventKind>, service: String?) async throws(StoreError) -> EventRecord? {
        try working { state in
            state.records.last { kinds.contains($0.event.kind) && (service == nil || $0.event.service == service) }
        }
    }

    package func prune(before: WallTime, keeping: Int) async throws(StoreError) -> Int {
        try working { state in
            let count = state.records.count
            let byKind = Dictionary(grouping: state.records) { [$0.event.kind.rawValue, $0.event.service] }
            let newest = Set(byKind.values.compactMap { $0.last?.id })
            state.records.removeAll { $0.event.at.wall < before && !newest.contains($0.id) }
            let kept = Set(state.records.suffix(max(keeping, 0)).map(\.id)).union(newest)
            state.records.removeAll { !kept.contains($0.id) }
            return count - state.records.count
        }
    }

    private func working<Value: Sendable>(_ body: (inout State) -> Value) throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = state.withLock { state in
            state.failure.map(Result.failure) ?? .success(body(&state))
        }
        return try result.get()
    }
}
