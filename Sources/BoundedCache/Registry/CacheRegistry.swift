internal import Synchronization

/// The caches of a process: where metrics and the governor of memory pressure find them.
///
/// Caches are held weakly: one that is gone disappears from the list.
public final class CacheRegistry: Sendable {
    /// The one of this process.
    public static let process = CacheRegistry()

    private struct Entry {
        weak var cache: (any ManagedCache)?
    }

    private let entries = Mutex<[Entry]>([])

    /// An empty one, for tests and for programs that wish to keep groups apart.
    public init() {}

    /// Adds a cache; adding it again changes nothing.
    public func register(_ cache: any ManagedCache) {
        entries.withLock { entries in
            entries.removeAll { $0.cache == nil || $0.cache === cache }
            entries.append(Entry(cache: cache))
        }
    }

    /// Removes a cache.
    public func unregister(_ cache: any ManagedCache) {
        entries.withLock { entries in entries.removeAll { $0.cache == nil || $0.cache === cache } }
    }

    /// The caches that are alive, in the order they were added.
    public var caches: [any ManagedCache] {
        entries.withLock { entries in entries.compactMap { $0.cache } }
    }

    /// A reading of each, for metrics.
    public var readings: [CacheReading] { caches.map(\.reading) }
}
