import HTTPTypes
import Hummingbird
import LeakTesting
import Logging
import NIOCore
import NIOEmbedded
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

    @Test func `profiles from memory are kept up to their bound`() async throws {
        let profiles = CachedProfiles(source: AnyProfile(), bytes: 32 << 10)
        var number = 0
        try await expectNoGrowth(warmUp: 2_000) {
            number += 1
            let session = SessionInfo(
                accountID: "account \(number)", email: "person\(number)@example.org",
                expiresAt: UnixTime(seconds: 1_000))
            _ = try await profiles.profile(of: session, request: "/v1/profile?t=\(number)")
        }
    }

    @Test func `requests leave nothing behind, whatever they are answered`() async throws {
        try await withTemporaryFolder { folder in
            let service = try Service(path: folder.file("a.sqlite"))
            defer { service.hashing.close() }
            let good = #"{"email":"ada@example.org","password":"\#(goodPassword)"}"#
            #expect(try await service.ask(.post, "/v1/signup", body: good).status == .accepted)
            var number = 0
            // Logins fill the table of the account's sessions; SQLite keeps pages of what it has written.
            try await expectNoGrowth(calls: 15, warmUp: 30, toleratingBytesPerCall: 600) {
                number += 1
                #expect(try await service.ask(.post, "/v1/signup", body: good).status == .accepted)
                let login = try await service.ask(.post, "/v1/login", body: good)
                #expect(login.status == .ok)
                let wrong = #"{"email":"nobody\#(number)@example.org","password":"\#(goodPassword)"}"#
                #expect(try await service.ask(.post, "/v1/login", body: wrong).status == .unauthorized)
                #expect(try await service.ask(.post, "/v1/login", body: "no JSON \(number)").status == .badRequest)
                #expect(try await service.ask(.get, "/v1/session", token: "none \(number)").status == .unauthorized)
                #expect(try await service.ask(.get, "/v1/profile").status == .unauthorized)
                #expect(try await service.ask(.get, "/no/such/\(number)").status == .notFound)
                _ = service.metrics.text(service.hashing.statistics)
            }
            try service.store.close()
        }
    }
}

private struct AnyProfile: ProfileSource {
    func profile(of session: SessionInfo, request: String) async throws(StoreError) -> Profile? {
        Profile(accountID: session.accountID, email: session.email, createdAt: UnixTime(seconds: 1))
    }
}

/// The service without its sockets.
private struct Service {
    let store: SQLiteAccountStore
    let hashing: HashingPool
    let metrics = RegistrarMetrics()
    private let responder: RegistrationResponder
    private let channel = EmbeddedChannel()
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(path: String) throws {
        store = try SQLiteAccountStore(path: path)
        let sodium = try Sodium()
        hashing = try HashingPool(
            settings: HashingSettings(
                cost: HashCost(memoryKiB: 64, passes: 1), slots: 2, cores: 2, longestWait: .seconds(60)),
            sodium: sodium)
        let accounts = AccountService(
            store: store, sessions: CachedSessions(store: store, bytes: 64 << 10),
            profiles: CachedProfiles(source: StoredProfiles(store: store), bytes: 64 << 10), hasher: hashing,
            secrets: sodium, normalise: normalisedToNFC, now: { UnixTime(seconds: 100) })
        responder = RegistrationResponder(RegistrationRoutes(accounts: accounts, metrics: metrics).router())
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, body: String = "", token: String? = nil
    ) async throws -> Response {
        var head = HTTPRequest(method: method, scheme: "http", authority: "test", path: path)
        if !body.isEmpty { head.headerFields[.contentType] = "application/json" }
        if let token { head.headerFields[.authorization] = "Bearer \(token)" }
        let context = RegistrationContext(source: .init(channel: channel, logger: logger))
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body)))
        return try await responder.respond(to: request, context: context)
    }
}
