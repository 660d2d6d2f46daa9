import LeakTesting
import OakumTestKit
import RegistrationCore
import RegistrationHTTP
import RegistrationStoreSQLite
import Testing

/// What lives as long as the service must not grow with the people who use it: incident A was that.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(10)))
struct LeakTests {
    @Test func `sign-ups and sessions leave nothing in the memory of stores`() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteAccountStore(path: folder.file("a.sqlite"))
            let sessions = CachedSessions(store: store, bytes: 64 << 10)
            var number = 0
            // SQLite keeps pages of what it has written, up to 2 MB of them.
            try await expectNoGrowth(warmUp: 500, toleratingBytesPerCall: 600) {
                number += 1
                let address = try EmailAddress("person\(number)@example.org")
                let hash = try PasswordHash(
                    phc: "$argon2id$v=19$m=8,t=1,p=1$\(String(repeating: "s", count: 22))$"
                        + String(repeating: "t", count: 43))
                _ = try await store.add(
                    NewAccount(
                        publicID: "id \(number)", email: address, passwordHash: hash, createdAt: UnixTime(seconds: 1)))
                let account = try #require(try await store.credentials(emailKey: address.key)).account
                let bytes = (0..<32).map { UInt8(truncatingIfNeeded: $0 < 8 ? number >> ($0 * 8) : 7) }
                let digest = try #require(SessionDigest(bytes: bytes))
                try await sessions.open(
                    NewSession(
                        account: account, digest: digest, createdAt: UnixTime(seconds: 1),
                        expiresAt: UnixTime(seconds: 10_000)), maximumPerAccount: 10)
                _ = try await sessions.session(digest, at: UnixTime(seconds: 100))
                if number % 2 == 0 { _ = try await sessions.end(digest) }
            }
            try store.close()
        }
    }

    @Test func `a pool that hashes passwords does not grow, and goes away`() async throws {
        let settings = HashingSettings(
            cost: HashCost(memoryKiB: 64, passes: 1), slots: 2, cores: 2, longestWait: .seconds(60))
        let pool = try HashingPool(settings: settings, sodium: try Sodium())
        let password = try PasswordPolicy().newPassword("correct horse battery", normalise: normalisedToNFC)
        let phc = try await pool.hash(password).phc
        try await expectNoGrowth(calls: 30) { _ = try await pool.matches(password, phc: phc) }
        pool.close()
        try await expectDeallocated {
            let pool = try HashingPool(settings: settings, sodium: try Sodium())
            _ = try await pool.hash(password)
            pool.close()
            return pool
        }
    }

    @Test func `an admission queue does not grow with arrivals`() {
        var queue = AdmissionQueue(.init(slots: 2, deadline: .milliseconds(500), expectedWork: .milliseconds(50)))
        var now = Duration.zero
        expectNoGrowth {
            let (ticket, _) = queue.arrive(.login, at: now)
            now += .milliseconds(50)
            _ = queue.finish(ticket, at: now)
        }
    }
}
