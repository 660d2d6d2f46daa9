import OakumTestKit
import RegistrationCore
import Synchronization
import Testing

@Suite struct AccountServiceTests {
    /// Hashes by remembering, and counts how often it worked.
    final class CountingHasher: PasswordHasher {
        private let state = Mutex<(passwords: [[UInt8]], work: Int, failure: HashingError?)>(([], 0, nil))

        var work: Int { state.withLock { $0.work } }
        func fail(with error: HashingError) { state.withLock { $0.failure = error } }

        func hash(_ password: Password) async throws(HashingError) -> PasswordHash {
            let (number, failure) = state.withLock { state in
                state.work += 1
                state.passwords.append(password.bytes)
                return (state.passwords.count - 1, state.failure)
            }
            if let failure { throw failure }
            do throws(PasswordHashProblem) {
                return try PasswordHash(phc: Accounts.hash(number))
            } catch {
                throw .failed
            }
        }

        func matches(_ password: Password, phc: String?) async throws(HashingError) -> Bool {
            let (passwords, failure) = state.withLock { state in
                state.work += 1
                return (state.passwords, state.failure)
            }
            if let failure { throw failure }
            guard let number = passwords.indices.first(where: { Accounts.hash($0) == phc }) else { return false }
            return passwords[number] == password.bytes
        }
    }

    /// Numbers instead of chance, and a digest that is not the token.
    final class CountingSecrets: SecretSource {
        private let count = Mutex<UInt8>(0)

        func randomBytes(_ count: Int) -> [UInt8] {
            let number = self.count.withLock { number in
                number &+= 1
                return number
            }
            return [UInt8](repeating: number, count: count)
        }

        func sha256(_ bytes: [UInt8]) -> [UInt8] { bytes.map { ~$0 } }
    }

    let store = InMemoryAccountStore()
    let hasher = CountingHasher()

    final class WallClock: Sendable {
        let seconds = Mutex<Int64>(1000)
        func advance(seconds more: Int64) { seconds.withLock { $0 += more } }
    }

    let wall = WallClock()
    let good = "correct horse battery"

    var service: AccountService {
        AccountService(
            store: store, sessions: store, profiles: StoredProfiles(store: store), hasher: hasher,
            secrets: CountingSecrets(),
            rules: SessionRules(lifetimeSeconds: 100, maximumPerAccount: 2), normalise: { $0 },
            now: { [wall] in UnixTime(seconds: wall.seconds.withLock { $0 }) })
    }

    @Test func `sign-up, login and session check belong together`() async throws {
        let service = service
        #expect(try await service.signUp(email: "Ada@example.org", password: good) == .accepted(isNew: true))
        guard case .opened(let token, 100) = try await service.login(email: "ada@EXAMPLE.org", password: good) else {
            Issue.record("the login was refused")
            return
        }
        let session = try #require(try await service.session(token: token.text))
        #expect(session.info.email == "Ada@example.org")
        #expect(session.expiresInSeconds == 100)
        wall.advance(seconds: 40)
        #expect(try await service.session(token: token.text)?.expiresInSeconds == 60)
        wall.advance(seconds: 60)
        #expect(try await service.session(token: token.text) == nil)
    }

    @Test func `a known address costs the same work as a new one and changes nothing`() async throws {
        let service = service
        _ = try await service.signUp(email: "ada@example.org", password: good)
        #expect(hasher.work == 1)
        #expect(try await service.signUp(email: "ADA@example.org", password: good + "!") == .accepted(isNew: false))
        #expect(hasher.work == 2)
        #expect(store.accounts.count == 1)
        #expect(try await service.login(email: "ada@example.org", password: good + "!") == .refused)
        guard case .opened = try await service.login(email: "ada@example.org", password: good) else {
            Issue.record("the first password no longer works")
            return
        }
    }

    @Test func `an unknown address, a wrong password and an empty one cost the same work and say the same`()
        async throws
    {
        let service = service
        _ = try await service.signUp(email: "ada@example.org", password: good)
        for (email, password) in [("ada@example.org", "wrong"), ("bob@example.org", good), ("ada@example.org", "")] {
            let before = hasher.work
            #expect(try await service.login(email: email, password: password) == .refused)
            #expect(hasher.work == before + 1)
        }
        #expect(store.sessions.isEmpty)
    }

    @Test func `what is not acceptable is told at once, both members together, and nothing is hashed`() async throws {
        let result = try await service.signUp(email: "ada", password: "short")
        #expect(
            result
                == .invalid([
                    FieldProblem(pointer: "/email", code: "email_without_at"),
                    FieldProblem(pointer: "/password", code: "password_too_short"),
                ]))
        let long = String(repeating: "a", count: 5000)
        #expect(
            try await service.login(email: "ada@example.org", password: long)
                == .invalid([FieldProblem(pointer: "/password", code: "password_too_long")]))
        #expect(hasher.work == 0)
        #expect(store.accounts.isEmpty)
    }

    @Test func `only the digest of a token is stored, and each login has a new one`() async throws {
        let service = service
        _ = try await service.signUp(email: "ada@example.org", password: good)
        var tokens: Set<SessionToken> = []
        for _ in 0..<2 {
            guard case .opened(let token, _) = try await service.login(email: "ada@example.org", password: good) else {
                continue
            }
            tokens.insert(token)
        }
        #expect(tokens.count == 2)
        #expect(store.sessions.count == 2)
        for session in store.sessions { #expect(!tokens.map(\.bytes).contains(session.digest.bytes)) }
    }

    @Test func `sessions of an account are bounded`() async throws {
        let service = service
        _ = try await service.signUp(email: "ada@example.org", password: good)
        for _ in 0..<5 {
            _ = try await service.login(email: "ada@example.org", password: good)
            wall.advance(seconds: 1)
        }
        #expect(store.sessions.count == 2)
    }

    @Test func `a text that is no token never reaches the store`() async throws {
        store.fail(with: .busy)
        for text in ["", "x", String(repeating: "A", count: 42), String(repeating: "!", count: 43)] {
            #expect(try await service.session(token: text) == nil)
        }
        await #expect(throws: AccountServiceError.store(.busy)) {
            try await service.session(token: String(repeating: "A", count: 43))
        }
    }

    @Test func `trouble of the hasher and the store is told apart`() async throws {
        hasher.fail(with: .busy(retryAfter: .seconds(2)))
        await #expect(throws: AccountServiceError.busy(retryAfter: .seconds(2))) {
            try await service.signUp(email: "ada@example.org", password: good)
        }
        await #expect(throws: AccountServiceError.busy(retryAfter: .seconds(2))) {
            try await service.login(email: "ada@example.org", password: good)
        }
        #expect(store.accounts.isEmpty)
        #expect(await service.isReady())
        store.fail(with: .full)
        #expect(await !service.isReady())
        await #expect(throws: AccountServiceError.store(.full)) {
            try await service.login(email: "ada@example.org", password: good)
        }
    }
}
