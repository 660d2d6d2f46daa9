import OakumTestKit
import RegistrationCore
import RegistrationHTTP
import RegistrationStoreSQLite
import Synchronization
import Testing

/// Answers from memory: as right as those from the store, and never beyond their bound.
@Suite(.timeLimit(.minutes(10))) struct CachedStoresTests {
    private func account(_ email: String, in store: SQLiteAccountStore) async throws -> Int64 {
        let address = try EmailAddress(email)
        let hash = try PasswordHash(
            phc: "$argon2id$v=19$m=8,t=1,p=1$\(String(repeating: "s", count: 22))$\(String(repeating: "t", count: 43))")
        _ = try await store.add(
            NewAccount(publicID: "id of \(email)", email: address, passwordHash: hash, createdAt: UnixTime(seconds: 1)))
        return try #require(try await store.credentials(emailKey: address.key)).account
    }

    private func digest(_ number: Int) throws -> SessionDigest {
        let bytes = (0..<32).map { UInt8(truncatingIfNeeded: $0 < 8 ? number >> ($0 * 8) : 7) }
        return try #require(SessionDigest(bytes: bytes))
    }

    @Test func `a session that one worker ends is refused by all others at once`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("a.sqlite")
            let stores = [try SQLiteAccountStore(path: path), try SQLiteAccountStore(path: path)]
            let workers = stores.map { CachedSessions(store: $0, bytes: 1 << 20) }
            let ada = try await account("ada@example.org", in: stores[0])
            let now = UnixTime(seconds: 100)
            for number in 0..<200 {
                let session = NewSession(
                    account: ada, digest: try digest(number), createdAt: UnixTime(seconds: Int64(number)),
                    expiresAt: UnixTime(seconds: 10_000))
                try await workers[number % 2].open(session, maximumPerAccount: 1_000)
                for worker in workers + workers {
                    #expect(try await worker.session(digest(number), at: now)?.email == "ada@example.org")
                }
                #expect(try await workers[(number + 1) % 2].end(digest(number)))
                for worker in workers { #expect(try await worker.session(digest(number), at: now) == nil) }
            }
            for store in stores { try store.close() }
        }
    }

    @Test func `an answer from memory ends with its session, and is asked for nothing but the endings`() async throws {
        let store = CountingSessions()
        let sessions = CachedSessions(store: store, bytes: 1 << 20)
        for second in 0..<100 {
            let info = try await sessions.session(digest(1), at: UnixTime(seconds: Int64(second)))
            #expect((info != nil) == (second < 50), "\(second)")
        }
        // Once at first, then for each second after its end.
        #expect(store.reads == 1 + 50)
        store.endOne()
        _ = try await sessions.session(digest(1), at: UnixTime(seconds: 0))
        _ = try await sessions.session(digest(1), at: UnixTime(seconds: 1))
        #expect(store.reads == 1 + 50 + 1)
    }

    @Test func `a store that cannot tell of endings answers nothing from memory`() async throws {
        let store = CountingSessions()
        let sessions = CachedSessions(store: store, bytes: 1 << 20)
        #expect(try await sessions.session(digest(1), at: UnixTime(seconds: 1)) != nil)
        store.fail()
        await #expect(throws: StoreError.busy) { try await sessions.session(digest(1), at: UnixTime(seconds: 1)) }
    }

    @Test func `profiles are kept by account, whatever the request looks like`() async throws {
        let source = CountingProfiles()
        let profiles = CachedProfiles(source: source, bytes: 256 << 10)
        for number in 0..<1_000 {
            let session = SessionInfo(
                accountID: "account \(number % 10)", email: "a@example.org", expiresAt: UnixTime(seconds: 1_000))
            let profile = try await profiles.profile(of: session, request: "/v1/profile?t=\(number)")
            #expect(profile?.accountID == "account \(number % 10)")
        }
        #expect(source.reads.withLock { $0 } == 10)
    }
}

/// One session that lives for 50 s, and a count of how often it was read.
private final class CountingSessions: SessionStore {
    private let state = Mutex((reads: 0, endings: Int64(7), isBroken: false))

    var reads: Int { state.withLock { $0.reads } }
    func endOne() { state.withLock { $0.endings += 1 } }
    func fail() { state.withLock { $0.isBroken = true } }

    func open(_ session: NewSession, maximumPerAccount: Int) async throws(StoreError) {}

    func session(_ digest: SessionDigest, at now: UnixTime) async throws(StoreError) -> SessionInfo? {
        state.withLock { $0.reads += 1 }
        guard now.seconds < 50 else { return nil }
        return SessionInfo(accountID: "ada", email: "ada@example.org", expiresAt: UnixTime(seconds: 50))
    }

    func end(_ digest: SessionDigest) async throws(StoreError) -> Bool { false }

    func endings() throws(StoreError) -> Int64 {
        let (endings, isBroken) = state.withLock { ($0.endings, $0.isBroken) }
        if isBroken { throw .busy }
        return endings
    }
}

private final class CountingProfiles: ProfileSource {
    let reads = Mutex(0)

    func profile(of session: SessionInfo, request: String) async throws(StoreError) -> Profile? {
        reads.withLock { $0 += 1 }
        return Profile(accountID: session.accountID, email: session.email, createdAt: UnixTime(seconds: 1))
    }
}
