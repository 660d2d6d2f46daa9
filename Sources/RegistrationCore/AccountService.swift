/// Sign-up, login, session, profile and logout: the rules in order, effects through the seams.
///
/// Cheap checks come first; a hash is only started for what passed them. No answer depends on whether an account exists.
package struct AccountService: Sendable {
    private let store: any AccountStore
    private let sessions: any SessionStore
    private let profiles: any ProfileSource
    private let hasher: any PasswordHasher
    private let secrets: any SecretSource
    private let policy: PasswordPolicy
    private let rules: SessionRules
    private let normalise: @Sendable (String) -> String
    private let now: @Sendable () -> UnixTime

    /// `normalise` gives the NFC form of a text, `now` the wall clock.
    package init(
        store: any AccountStore, sessions: any SessionStore, profiles: any ProfileSource,
        hasher: any PasswordHasher, secrets: any SecretSource,
        policy: PasswordPolicy = PasswordPolicy(), rules: SessionRules = SessionRules(),
        normalise: @escaping @Sendable (String) -> String, now: @escaping @Sendable () -> UnixTime
    ) {
        self.store = store
        self.sessions = sessions
        self.profiles = profiles
        self.hasher = hasher
        self.secrets = secrets
        self.policy = policy
        self.rules = rules
        self.normalise = normalise
        self.now = now
    }

    package enum SignUp: Hashable, Sendable {
        /// `isNew` is for counters; the client must not learn it.
        case accepted(isNew: Bool)
        case invalid([FieldProblem])
    }

    package func signUp(email: String, password: String) async throws(AccountServiceError) -> SignUp {
        let address: EmailAddress
        let secret: Password
        switch check(
            email, { text throws(PasswordProblem) in try policy.newPassword(text, normalise: normalise) }, password)
        {
        case .failure(let invalid): return .invalid(invalid.problems)
        case .success(let checked): (address, secret) = checked
        }
        let hash = try await hashing { () async throws(HashingError) in try await hasher.hash(secret) }
        let account = NewAccount(
            publicID: Base64URL.encode(secrets.randomBytes(16)), email: address, passwordHash: hash, createdAt: now())
        let isNew = try await storing { () async throws(StoreError) in try await store.add(account) }
        return .accepted(isNew: isNew)
    }

    package enum Login: Hashable, Sendable {
        case opened(SessionToken, expiresInSeconds: Int64)
        /// Unknown address or wrong password: the same to everybody.
        case refused
        case invalid([FieldProblem])
    }

    package func login(email: String, password: String) async throws(AccountServiceError) -> Login {
        let address: EmailAddress
        let secret: Password
        let entered = { (text: String) throws(PasswordProblem) in try policy.enteredPassword(text, normalise: normalise)
        }
        switch check(email, entered, password) {
        case .failure(let invalid): return .invalid(invalid.problems)
        case .success(let checked): (address, secret) = checked
        }
        let known = try await storing { () async throws(StoreError) in
            try await store.credentials(emailKey: address.key)
        }
        let matches = try await hashing { () async throws(HashingError) in
            try await hasher.matches(secret, phc: known?.phc)
        }
        guard matches, let known else { return .refused }
        guard let token = SessionToken(bytes: secrets.randomBytes(SessionToken.byteCount)),
            let digest = SessionDigest(bytes: secrets.sha256(token.bytes))
        else { throw .failed("the source of secrets gave the wrong number of bytes") }
        let begin = now()
        let session = NewSession(
            account: known.account, digest: digest, createdAt: begin,
            expiresAt: begin.adding(seconds: rules.lifetimeSeconds))
        try await storing { () async throws(StoreError) in
            try await sessions.open(session, maximumPerAccount: rules.maximumPerAccount)
        }
        return .opened(token, expiresInSeconds: rules.lifetimeSeconds)
    }

    /// The live session of a token with the seconds it has left; nil for any text that is not the token of one.
    package func session(
        token text: some StringProtocol
    ) async throws(AccountServiceError) -> (info: SessionInfo, expiresInSeconds: Int64)? {
        guard let digest = digest(ofToken: text) else { return nil }
        let instant = now()
        let info = try await storing { () async throws(StoreError) in try await sessions.session(digest, at: instant) }
        return info.map { ($0, $0.expiresAt.seconds - instant.seconds) }
    }

    /// The profile of whoever the token's session belongs to; nil without one. `request` is the request's path and query.
    package func profile(
        token: some StringProtocol, request: String
    ) async throws(AccountServiceError) -> Profile? {
        guard let session = try await session(token: token) else { return nil }
        return try await storing { () async throws(StoreError) in
            try await profiles.profile(of: session.info, request: request)
        }
    }

    /// Ends a token's session, for all processes at once; false when there is none.
    package func logout(token text: some StringProtocol) async throws(AccountServiceError) -> Bool {
        guard let digest = digest(ofToken: text) else { return false }
        return try await storing { () async throws(StoreError) in try await sessions.end(digest) }
    }

    private func digest(ofToken text: some StringProtocol) -> SessionDigest? {
        SessionToken(text: text).flatMap { SessionDigest(bytes: secrets.sha256($0.bytes)) }
    }

    /// Whether requests can be served: the store answers.
    package func isReady() async -> Bool {
        do throws(StoreError) {
            try await store.check()
            return true
        } catch {
            return false
        }
    }

    private struct Invalid: Error {
        var problems: [FieldProblem]
    }

    /// Both members are judged, so that a client hears of both at once.
    private func check(
        _ email: String, _ judge: (String) throws(PasswordProblem) -> Password, _ password: String
    ) -> Result<(EmailAddress, Password), Invalid> {
        var problems: [FieldProblem] = []
        var address: EmailAddress?
        var secret: Password?
        do throws(EmailProblem) {
            address = try EmailAddress(email)
        } catch {
            problems.append(FieldProblem(pointer: "/email", code: error.rawValue))
        }
        do throws(PasswordProblem) {
            secret = try judge(password)
        } catch {
            problems.append(FieldProblem(pointer: "/password", code: error.rawValue))
        }
        guard let address, let secret else { return .failure(Invalid(problems: problems)) }
        return .success((address, secret))
    }

    private func hashing<Value>(
        _ body: () async throws(HashingError) -> Value
    ) async throws(AccountServiceError) -> Value {
        do throws(HashingError) {
            return try await body()
        } catch {
            switch error {
            case .busy(let retryAfter): throw .busy(retryAfter: retryAfter)
            case .cancelled: throw .cancelled
            case .failed: throw .failed("a password could not be hashed")
            }
        }
    }

    private func storing<Value>(_ body: () async throws(StoreError) -> Value) async throws(AccountServiceError) -> Value
    {
        do throws(StoreError) {
            return try await body()
        } catch {
            throw error == .cancelled ? .cancelled : .store(error)
        }
    }
}

/// A member of a request that is not acceptable.
package struct FieldProblem: Hashable, Sendable {
    /// JSON Pointer (RFC 6901) into the request's body.
    package var pointer: String
    /// Stable and machine-readable, e.g. `password_too_short`.
    package var code: String

    package init(pointer: String, code: String) {
        self.pointer = pointer
        self.code = code
    }
}

/// Why a request could not be answered, the request itself being fine.
package enum AccountServiceError: Error, Hashable, Sendable {
    /// Too many hashes at once: the client may come again after this time.
    case busy(retryAfter: Duration)
    case store(StoreError)
    case cancelled
    case failed(String)
}
