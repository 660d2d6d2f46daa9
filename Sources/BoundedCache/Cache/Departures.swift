internal import Synchronization

/// Entries on their way out: collected under the shard's lock, released and told of after it.
@usableFromInline
struct Departures<Key: Sendable, Value: Sendable>: Sendable {
    /// Mostly there is one, which needs no array.
    @usableFromInline var first: CacheRemoval<Key, Value>?
    @usableFromInline var rest: [CacheRemoval<Key, Value>] = []

    @inlinable
    init() {}

    @inlinable
    mutating func append(_ removal: CacheRemoval<Key, Value>) {
        if first == nil { first = removal } else { rest.append(removal) }
    }
}

/// Tells the listener of removals in their order, outside every lock.
///
/// Removals are filed under the shard's lock and handed over by one thread at a time. While that one is at work others
/// leave theirs to it, up to `limit`; who finds more waiting tells of its own itself, out of order, so that a slow
/// listener delays those who insert instead of filling the memory.
@usableFromInline
final class RemovalDelivery<Key: Sendable, Value: Sendable>: Sendable {
    static var limit: Int { 1_024 }

    private struct Queue {
        var waiting: [CacheRemoval<Key, Value>] = []
        var isDelivering = false
    }

    private let queue = Mutex(Queue())
    private let listener: @Sendable (CacheRemoval<Key, Value>) -> Void

    init(_ listener: @escaping @Sendable (CacheRemoval<Key, Value>) -> Void) {
        self.listener = listener
    }

    /// To be called under the shard's lock. What does not fit stays with the caller.
    func file(_ departures: inout Departures<Key, Value>) {
        guard let first = departures.first else { return }
        let isFiled = queue.withLock { queue in
            guard queue.waiting.count < RemovalDelivery.limit else { return false }
            queue.waiting.append(first)
            queue.waiting.append(contentsOf: departures.rest)
            return true
        }
        if isFiled { departures = Departures() }
    }

    /// To be called under no lock.
    func deliver(_ remainder: Departures<Key, Value>) {
        if let first = remainder.first { listener(first) }
        for removal in remainder.rest { listener(removal) }
        var mayContinue = queue.withLock { queue in
            if queue.isDelivering { return false }
            queue.isDelivering = true
            return true
        }
        while mayContinue {
            let batch = queue.withLock { queue in
                let batch = queue.waiting
                queue.waiting = []
                if batch.isEmpty { queue.isDelivering = false }
                return batch
            }
            for removal in batch { listener(removal) }
            mayContinue = !batch.isEmpty
        }
    }
}
