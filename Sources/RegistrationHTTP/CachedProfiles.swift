internal import BoundedCache
package import RegistrationCore

/// Profiles from memory: the repaired counterpart of incident B's cache. Keyed by the account and nothing else, bounded by bytes,
/// and forgotten after a minute.
package final class CachedProfiles: ProfileSource {
    /// How old an answer may be.
    package static let lifetime = Duration.seconds(60)

    private let source: any ProfileSource
    private let cache: BoundedCache<String, Profile>

    /// - Parameter bytes: the most it may hold.
    package init(source: any ProfileSource, bytes: Int) {
        self.source = source
        var settings = CacheSettings(name: "profiles", bound: .bytes(bytes))
        settings.times.timeToLive = Self.lifetime
        cache = BoundedCache(settings) { account, profile in
            account.heapBytes + (profile?.accountID.heapBytes ?? 0) + (profile?.email.heapBytes ?? 0)
        }
        CacheRegistry.process.register(cache)
    }

    package func profile(of session: SessionInfo, request: String) async throws(StoreError) -> Profile? {
        if let known = cache.value(for: session.accountID) { return known }
        guard let profile = try await source.profile(of: session, request: request) else { return nil }
        cache.insert(profile, for: session.accountID)
        return profile
    }
}
