import OakumModel

/// Who is signed in to the console. Pure: the time comes in.
///
/// In memory alone, so a restart of Oakum signs everybody out. At most `capacity`; beyond that the one that was idle for
/// longest goes.
struct SessionTable: Sendable {
    struct Limits: Hashable, Sendable {
        /// Seconds without a request after which a session ends.
        var idle = 3_600.0
        /// Seconds after which it ends whatever happens.
        var absolute = 12 * 3_600.0
        var capacity = 1_000
    }

    private struct Session {
        var token: String
        var began: Uptime
        var used: Uptime
    }

    private let limits: Limits
    /// By digest of the session's secret.
    private var sessions: [String: Session] = [:]

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    var count: Int { sessions.count }

    mutating func begin(_ digest: String, token: String, at now: Uptime) {
        sessions = sessions.filter { isAlive($0.value, at: now) }
        if sessions.count >= limits.capacity, let idlest = sessions.min(by: { $0.value.used < $1.value.used })?.key {
            sessions[idlest] = nil
        }
        sessions[digest] = Session(token: token, began: now, used: now)
    }

    /// The token a session was begun with, and another hour for it; nil when it has ended.
    mutating func use(_ digest: String, at now: Uptime) -> String? {
        guard var session = sessions[digest] else { return nil }
        guard isAlive(session, at: now) else {
            sessions[digest] = nil
            return nil
        }
        session.used = now
        sessions[digest] = session
        return session.token
    }

    mutating func end(_ digest: String) {
        sessions[digest] = nil
    }

    /// Ends all sessions begun with a token; returns how many.
    @discardableResult
    mutating func endAll(of token: String) -> Int {
        let before = sessions.count
        sessions = sessions.filter { $0.value.token != token }
        return before - sessions.count
    }

    private func isAlive(_ session: Session, at now: Uptime) -> Bool {
        now - session.used <= limits.idle && now - session.began <= limits.absolute
    }
}
