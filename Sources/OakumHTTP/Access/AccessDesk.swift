package import OakumAPI
import OakumModel
import Synchronization

/// Tokens and sessions of one running `oakum`: who comes in, and as what.
///
/// Bounds: `tokenLimit` tokens, and the limits of its tables.
package final class AccessDesk: AccessPlane {
    /// An intake token of the configuration: it neither expires nor can be taken back but by changing the configuration.
    package struct FixedToken: Sendable {
        package var name: String
        package var service: String?
        fileprivate let digest: String

        /// - Parameter secret: at least 32 bytes; only its digest is kept.
        package init(name: String, service: String? = nil, secret: String) {
            self.name = name
            self.service = service
            digest = TokenText.digest(secret)
        }
    }

    package static let tokenLimit = 1_000
    private static let lifetimes = 60.0...366 * 86_400

    private struct State {
        var records: [TokenRecord]
        /// Index into `records`.
        var byDigest: [String: Int] = [:]
        var lastUsed: [String: WallTime] = [:]
        var sessions: SessionTable
        var throttle = FailureThrottle()

        mutating func index() {
            byDigest = Dictionary(records.indices.map { (records[$0].digest, $0) }, uniquingKeysWith: { $1 })
        }
    }

    private let store: any AccessStore
    private let fixed: [FixedToken]
    private let clock: OwnClock
    private let random: @Sendable (Int) -> [UInt8]
    private let state: Mutex<State>

    /// - Parameters:
    ///   - intake: tokens of the configuration.
    ///   - random: that many bytes nobody can foresee.
    /// - Throws: when the tokens cannot be read.
    package convenience init(
        store: any AccessStore, intake: [FixedToken] = [], clock: OwnClock = OwnClock()
    ) throws(AccessStoreError) {
        try self.init(store: store, intake: intake, clock: clock, limits: .init(), random: Crypto.randomBytes)
    }

    init(
        store: any AccessStore, intake: [FixedToken], clock: OwnClock, limits: SessionTable.Limits,
        random: @escaping @Sendable (Int) -> [UInt8]
    ) throws(AccessStoreError) {
        self.store = store
        fixed = intake
        self.clock = clock
        self.random = random
        var state = State(records: try store.load(), sessions: SessionTable(limits: limits))
        state.index()
        self.state = Mutex(state)
    }

    /// Whether anybody can sign in: while nobody can, the console on loopback is open for reading.
    var hasPeople: Bool {
        let now = clock.now().wall
        return state.withLock { state in state.records.contains { $0.role != .intake && $0.expires > now } }
    }

    // MARK: - Coming in

    /// Who a token stands for; nil when it is none, or none any more.
    func principal(ofToken text: String) -> Principal? {
        guard text.utf8.count <= TokenText.maxBytes else { return nil }
        let digest = TokenText.digest(text)
        let now = clock.now().wall
        let record = state.withLock { state -> TokenRecord? in
            // Found by its digest, which tells nothing about the text, and compared in constant time all the same.
            guard let index = state.byDigest[digest] else { return nil }
            let record = state.records[index]
            guard record.expires > now, Crypto.equal(Array(record.digest.utf8), Array(digest.utf8)) else { return nil }
            state.lastUsed[record.id] = now
            return record
        }
        if let record {
            return Principal(
                name: record.name, role: record.role, evidence: .token, token: record.id, service: record.service)
        }
        // All are compared, so that the time tells nothing.
        let matches = fixed.filter { Crypto.equal(Array($0.digest.utf8), Array(digest.utf8)) }
        return matches.first.map {
            Principal(name: $0.name, role: .intake, evidence: .token, service: $0.service)
        }
    }

    /// Begins a session with a token and returns its secret; nil when the token is not for people.
    func beginSession(_ principal: Principal) -> String? {
        guard principal.role.covers(.reader), let token = principal.token else { return nil }
        let secret = Base64URL.encode(random(32))
        let now = clock.now().uptime
        state.withLock { $0.sessions.begin(TokenText.digest(secret), token: token, at: now) }
        return secret
    }

    func principal(ofSession secret: String) -> Principal? {
        guard secret.utf8.count <= TokenText.maxBytes else { return nil }
        let digest = TokenText.digest(secret)
        let now = clock.now()
        let record = state.withLock { state -> TokenRecord? in
            guard let token = state.sessions.use(digest, at: now.uptime),
                let record = state.records.first(where: { $0.id == token }), record.expires > now.wall
            else { return nil }
            state.lastUsed[token] = now.wall
            return record
        }
        return record.map {
            Principal(name: $0.name, role: $0.role, evidence: .session, token: $0.id, service: $0.service)
        }
    }

    func endSession(_ secret: String) {
        state.withLock { $0.sessions.end(TokenText.digest(secret)) }
    }

    /// Ends every session of a token; returns how many.
    func endSessions(of token: String) -> Int {
        state.withLock { $0.sessions.endAll(of: token) }
    }

    func failed(from place: String) -> FailureThrottle.Answer {
        let now = clock.now().uptime
        return state.withLock { $0.throttle.failed(from: place, at: now) }
    }

    // MARK: - AccessPlane

    package func tokens() async throws(ControlError) -> [TokenSummary] {
        state.withLock { state in state.records.map { $0.summary(lastUsed: state.lastUsed[$0.id]) } }
    }

    @concurrent
    package func createToken(_ request: TokenRequest, by actor: String) async throws(ControlError) -> TokenGrant {
        try Self.check(request)
        let text = TokenText.make(request.role, random: random)
        let now = clock.now().wall
        let record = TokenRecord(
            id: Hex.encode(random(4)), name: request.name, role: request.role, service: request.service,
            digest: TokenText.digest(text), created: now,
            expires: WallTime(milliseconds: now.milliseconds + Int64(request.expiresSeconds * 1000)))
        let isFull = state.withLock { $0.records.count >= Self.tokenLimit }
        guard !isFull else {
            throw .refused("there are \(Self.tokenLimit) tokens already: revoke what nobody uses (`oakum token list`)")
        }
        do throws(AccessStoreError) {
            try store.add(record)
        } catch {
            throw .failed("\(error)")
        }
        state.withLock { state in
            state.records.append(record)
            state.index()
        }
        return TokenGrant(token: text, summary: record.summary(lastUsed: nil))
    }

    @concurrent
    package func revokeToken(_ id: String, by actor: String) async throws(ControlError) -> TokenSummary {
        let known = state.withLock { state in state.records.first { $0.id == id } }
        guard let record = known else { throw .notFound("there is no token \(id): `oakum token list` shows them") }
        do throws(AccessStoreError) {
            _ = try store.remove(id)
        } catch {
            throw .failed("\(error)")
        }
        let lastUsed = state.withLock { state in
            state.records.removeAll { $0.id == id }
            state.index()
            state.sessions.endAll(of: id)
            return state.lastUsed.removeValue(forKey: id)
        }
        return record.summary(lastUsed: lastUsed)
    }

    private static func check(_ request: TokenRequest) throws(ControlError) {
        guard isPlain(request.name, atMost: 64) else {
            throw .invalid("the name of a token has 1 to 64 characters, none of them a control character")
        }
        if let service = request.service, !isPlain(service, atMost: 64) {
            throw .invalid("the name of a service has 1 to 64 characters, none of them a control character")
        }
        guard lifetimes.contains(request.expiresSeconds) else {
            throw .invalid("a token lives for 60 seconds to 366 days")
        }
    }

    private static func isPlain(_ text: String, atMost limit: Int) -> Bool {
        (1...limit).contains(text.count) && text == Plain.line(text, bytes: 4 * limit)
    }
}
