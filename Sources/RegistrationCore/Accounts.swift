/// Seconds since 1970-01-01T00:00:00Z, for what is stored. Waiting is never measured with it.
package struct UnixTime: Hashable, Comparable, Sendable {
    package var seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }

    package static func < (left: UnixTime, right: UnixTime) -> Bool { left.seconds < right.seconds }
    package func adding(seconds more: Int64) -> UnixTime { UnixTime(seconds: seconds + more) }
}

/// An account to be stored.
package struct NewAccount: Hashable, Sendable {
    /// Random, for the outside; says nothing about how many accounts there are.
    package var publicID: String
    package var email: EmailAddress
    package var passwordHash: PasswordHash
    package var createdAt: UnixTime

    package init(publicID: String, email: EmailAddress, passwordHash: PasswordHash, createdAt: UnixTime) {
        self.publicID = publicID
        self.email = email
        self.passwordHash = passwordHash
        self.createdAt = createdAt
    }
}

/// What a login is compared with.
package struct StoredCredentials: Hashable, Sendable {
    /// The store's own number of the account.
    package var account: Int64
    /// As stored, not yet judged: see `PasswordHash`.
    package var phc: String

    package init(account: Int64, phc: String) {
        self.account = account
        self.phc = phc
    }
}

/// A session to be stored.
package struct NewSession: Hashable, Sendable {
    package var account: Int64
    package var digest: SessionDigest
    package var createdAt: UnixTime
    package var expiresAt: UnixTime

    package init(account: Int64, digest: SessionDigest, createdAt: UnixTime, expiresAt: UnixTime) {
        self.account = account
        self.digest = digest
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// A live session and whose it is.
package struct SessionInfo: Hashable, Sendable {
    package var accountID: String
    package var email: String
    package var expiresAt: UnixTime

    package init(accountID: String, email: String, expiresAt: UnixTime) {
        self.accountID = accountID
        self.email = email
        self.expiresAt = expiresAt
    }
}

/// What an account shows of itself to its owner.
package struct Profile: Hashable, Sendable {
    package var accountID: String
    package var email: String
    package var createdAt: UnixTime

    package init(accountID: String, email: String, createdAt: UnixTime) {
        self.accountID = accountID
        self.email = email
        self.createdAt = createdAt
    }
}

/// Profiles straight from the store.
package struct StoredProfiles: ProfileSource {
    private let store: any AccountStore

    package init(store: any AccountStore) {
        self.store = store
    }

    package func profile(of session: SessionInfo, request: String) async throws(StoreError) -> Profile? {
        try await store.profile(accountID: session.accountID)
    }
}
