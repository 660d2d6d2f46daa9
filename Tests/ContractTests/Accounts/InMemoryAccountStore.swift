import RegistrationCore
import Synchronization

/// Accounts and sessions in memory, for tests of what stands before a store. Passes the same suite as the real one.
final class InMemoryAccountStore: AccountStore, SessionStore {
    private struct State {
        var accounts: [NewAccount] = []
        var sessions: [NewSession] = []
        var endings: Int64 = 0
        var failure: StoreError?
    }

    private let state = Mutex(State())

    /// Every call from now on fails like this; nil ends it.
    func fail(with error: StoreError?) {
        state.withLock { $0.failure = error }
    }

    var accounts: [NewAccount] { state.withLock { $0.accounts } }
    var sessions: [NewSession] { state.withLock { $0.sessions } }

    func add(_ account: NewAccount) async throws(StoreError) -> Bool {
        try using { state in
            guard !state.accounts.contains(where: { $0.email.key == account.email.key }) else { return false }
            state.accounts.append(account)
            return true
        }
    }

    func credentials(emailKey: String) async throws(StoreError) -> StoredCredentials? {
        try using { state in
            state.accounts.firstIndex { $0.email.key == emailKey }.map {
                StoredCredentials(account: Int64($0 + 1), phc: state.accounts[$0].passwordHash.phc)
            }
        }
    }

    func open(_ session: NewSession, maximumPerAccount: Int) async throws(StoreError) {
        try using { state throws(StoreError) in
            guard state.accounts.indices.contains(Int(session.account) - 1) else {
                throw StoreError.failed("no account")
            }
            state.sessions.removeAll { $0.expiresAt <= session.createdAt }
            let own = state.sessions.filter { $0.account == session.account }.sorted { $0.createdAt < $1.createdAt }
            for old in own.dropLast(max(0, maximumPerAccount - 1)) {
                state.sessions.removeAll { $0.digest == old.digest }
                state.endings += 1
            }
            state.sessions.append(session)
        }
    }

    func session(_ digest: SessionDigest, at now: UnixTime) async throws(StoreError) -> SessionInfo? {
        try using { state in
            guard let session = state.sessions.first(where: { $0.digest == digest && $0.expiresAt > now }) else {
                return nil
            }
            let account = state.accounts[Int(session.account) - 1]
            return SessionInfo(
                accountID: account.publicID, email: account.email.display, expiresAt: session.expiresAt)
        }
    }

    func end(_ digest: SessionDigest) async throws(StoreError) -> Bool {
        try using { state in
            guard let index = state.sessions.firstIndex(where: { $0.digest == digest }) else { return false }
            state.sessions.remove(at: index)
            state.endings += 1
            return true
        }
    }

    func endings() throws(StoreError) -> Int64 {
        try using { $0.endings }
    }

    func profile(accountID: String) async throws(StoreError) -> Profile? {
        try using { state in
            state.accounts.first { $0.publicID == accountID }.map {
                Profile(accountID: $0.publicID, email: $0.email.display, createdAt: $0.createdAt)
            }
        }
    }

    func check() async throws(StoreError) {
        try using { _ in }
    }

    private func using<Value: Sendable>(_ body: (inout State) throws(StoreError) -> Value) throws(StoreError) -> Value {
        let result = state.withLock { state -> Result<Value, StoreError> in
            if let failure = state.failure { return .failure(failure) }
            do throws(StoreError) {
                return .success(try body(&state))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
