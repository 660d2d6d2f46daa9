internal import BoundedCache
package import RegistrationCore

/// Sessions from memory, as long as no session has ended before its time anywhere: then each is read from the store once more.
///
/// Bounded by bytes. An answer from memory costs one question to the store for its counter of endings, microseconds.
package final class CachedSessions: SessionStore {
    private struct Known: Sendable {
        var info: SessionInfo
        /// What the store's counter was before it was read.
        var endings: Int64
    }

    private let store: any SessionStore
    private let cache: BoundedCache<SessionDigest, Known>

    /// - Parameter bytes: the most it may hold.
    package init(store: any SessionStore, bytes: Int) {
        self.store = store
        cache = BoundedCache(CacheSettings(name: "sessions", bound: .bytes(bytes))) { digest, known in
            let info = known?.info
            return digest.bytes.heapBytes + (info?.accountID.heapBytes ?? 0) + (info?.email.heapBytes ?? 0)
        }
        CacheRegistry.process.register(cache)
    }

    package func open(_ session: NewSession, maximumPerAccount: Int) async throws(StoreError) {
        try await store.open(session, maximumPerAccount: maximumPerAccount)
    }

    package func session(_ digest: SessionDigest, at now: UnixTime) async throws(StoreError) -> SessionInfo? {
        // Before the session: an ending in between leaves an old number, and the next check reads again.
        let endings = try store.endings()
        if let known = cache.value(for: digest) {
            if known.endings == endings, known.info.expiresAt > now { return known.info }
        }
        guard let info = try await store.session(digest, at: now) else {
            cache.invalidate(digest)
            return nil
        }
        cache.insert(Known(info: info, endings: endings), for: digest)
        return info
    }

    package func end(_ digest: SessionDigest) async throws(StoreError) -> Bool {
        cache.invalidate(digest)
        return try await store.end(digest)
    }

    package func endings() throws(StoreError) -> Int64 {
        try store.endings()
    }
}
