internal import PrometheusText
package import RegistrationCore
internal import Synchronization

/// Incident B's fault: profiles are answered from a cache made by hand. Its key is the request as it came, so every
/// parameter that a client adds makes another entry; nothing bounds it; and it is kept clean by looking through all of it
/// at each request, so that processor time climbs with memory. Unbounded on purpose.
package final class HoardingProfiles: ProfileSource {
    private let source: any ProfileSource
    private let bytesPerPage: Int

    package init(source: any ProfileSource, bytesPerPage: Int) {
        self.source = source
        self.bytesPerPage = bytesPerPage
    }

    package func profile(of session: SessionInfo, request: String) async throws(StoreError) -> Profile? {
        let key = session.accountID + " " + request
        if let kept = ProfileCache.shared.profile(for: key) { return kept }
        guard let profile = try await source.profile(of: session, request: request) else { return nil }
        ProfileCache.shared.keep(CachedProfile(profile: profile, byteCount: bytesPerPage), for: key)
        return profile
    }
}

/// A profile with the page that is shown of it.
final class CachedProfile: Sendable {
    let profile: Profile
    /// Written in full, so that every page of it is really held.
    let renderedPage: [UInt8]
    let expiresAt: ContinuousClock.Instant

    init(profile: Profile, byteCount: Int) {
        self.profile = profile
        expiresAt = .now + .seconds(86_400)
        let line = Array("<p>\(profile.email)</p>\r\n".utf8)
        renderedPage = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, written in
            for index in 0..<byteCount { buffer.initializeElement(at: index, to: line[index % line.count]) }
            written = byteCount
        }
    }
}

final class ProfileCache: Sendable {
    static let shared = ProfileCache()

    private struct State {
        var entries: [String: CachedProfile] = [:]
        var bytes = 0
        var scanned = 0
    }

    private let state = Mutex(State())

    func profile(for key: String) -> Profile? {
        state.withLock { state in
            Self.cleanUp(&state)
            return state.entries[key]?.profile
        }
    }

    func keep(_ entry: CachedProfile, for key: String) {
        state.withLock { $0.entries[key] = entry }
    }

    /// Takes out what has expired, which nothing does within a day, and adds up what is held.
    private static func cleanUp(_ state: inout State) {
        let now = ContinuousClock.now
        var bytes = 0
        var expired: [String] = []
        for (key, entry) in state.entries {
            if entry.expiresAt < now { expired.append(key) }
            bytes += entry.renderedPage.count
        }
        for key in expired { state.entries[key] = nil }
        state.scanned += state.entries.count
        state.bytes = bytes
    }

    func metrics() -> String {
        let (entries, bytes, scanned) = state.withLock { ($0.entries.count, $0.bytes, $0.scanned) }
        var writer = PrometheusText.Writer()
        writer.single(
            "profile_cache_entries", .gauge, help: "Profiles in the cache made by hand.", value: Double(entries))
        writer.single("profile_cache_bytes", .gauge, help: "What they hold.", value: Double(bytes))
        writer.single(
            "profile_cache_scanned_total", .counter, help: "Entries looked at to keep it clean.", value: Double(scanned)
        )
        return writer.text
    }
}
