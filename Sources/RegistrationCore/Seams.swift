/// Where accounts are kept. Every implementation and fake passes the same contract suite.
///
/// What a call has acknowledged survives the crash of the process and of the machine.
package protocol AccountStore: Sendable {
    /// Stores an account; false when its address is known already, in which case nothing of `account` is kept. Both cases
    /// cost one durable write, so that their time does not tell them apart.
    func add(_ account: NewAccount) async throws(StoreError) -> Bool
    /// What to compare a login with; nil for an unknown address. `emailKey` is `EmailAddress.key`.
    func credentials(emailKey: String) async throws(StoreError) -> StoredCredentials?
    /// What an account shows of itself; nil for an unknown one. One indexed read.
    func profile(accountID: String) async throws(StoreError) -> Profile?
    /// Throws unless the store can be read: what readiness asks.
    func check() async throws(StoreError)
}

/// Where sessions are kept; durable and tested like accounts.
package protocol SessionStore: Sendable {
    /// Stores a session and ends what is beyond the bounds: the account's oldest beyond `maximumPerAccount`, and some of
    /// those of anybody that expired before the new one began (at least two, so that expired ones never pile up).
    func open(_ session: NewSession, maximumPerAccount: Int) async throws(StoreError)
    /// The session if it lives at `now`: one indexed read.
    func session(_ digest: SessionDigest, at now: UnixTime) async throws(StoreError) -> SessionInfo?
    /// Ends a session before its time; false when there is none.
    func end(_ digest: SessionDigest) async throws(StoreError) -> Bool
    /// Grows with every session that ended before its time, whichever process ended it: while it stays the same, an answer
    /// from memory is still right. Microseconds, on the caller's thread: it is asked before each such answer.
    func endings() throws(StoreError) -> Int64
}

/// Where profiles are answered from.
package protocol ProfileSource: Sendable {
    /// The profile of whoever a session belongs to; nil when the account is gone. `request` is the request's path and query
    /// as the client wrote them.
    func profile(of session: SessionInfo, request: String) async throws(StoreError) -> Profile?
}

/// What the service is put together from, where something may be put in between.
package struct RegistrationParts: Sendable {
    package var accounts: any AccountStore
    package var profiles: any ProfileSource
    /// Prometheus text that is added to the service's own.
    package var metrics: [@Sendable () -> String] = []

    package init(accounts: any AccountStore, profiles: any ProfileSource) {
        self.accounts = accounts
        self.profiles = profiles
    }
}

/// What a store could not do. Nothing half-done stays behind.
package enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process held the write lock beyond the timeout. Try again.
    case busy
    /// No space left for a write. Reading works; make room.
    case full
    /// The task was cancelled: nobody reads the answer.
    case cancelled
    /// Anything else, in the store's words, without values.
    case failed(String)

    package var description: String {
        switch self {
        case .busy: "the database was locked beyond its timeout by another process"
        case .full: "no space is left on the database's disk"
        case .cancelled: "the request was cancelled"
        case .failed(let reason): "the database failed: \(reason)"
        }
    }
}

/// Hashes passwords, a bounded number at a time.
package protocol PasswordHasher: Sendable {
    /// A hash with the configured cost and a new salt.
    func hash(_ password: Password) async throws(HashingError) -> PasswordHash
    /// Whether the password is the hash's. nil, and a text that is no hash or costs more than the limit, cost the work of
    /// an ordinary hash and are false, so that time does not tell an unknown account from a wrong password.
    func matches(_ password: Password, phc: String?) async throws(HashingError) -> Bool
}

package enum HashingError: Error, Hashable, Sendable {
    /// No slot in time. `retryAfter` says when the backlog is gone at the present pace.
    case busy(retryAfter: Duration)
    /// The client has gone; nobody reads the answer.
    case cancelled
    /// The hash could not be computed (no memory).
    case failed
}

/// Randomness and SHA-256, from a cryptographic library.
package protocol SecretSource: Sendable {
    func randomBytes(_ count: Int) -> [UInt8]
    func sha256(_ bytes: [UInt8]) -> [UInt8]
}
