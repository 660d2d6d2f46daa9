/// One line of the audit log: who did what, when, from where, and what came of it. Never a secret.
package struct AuditEntry: Hashable, Sendable, Codable {
    package enum Result: String, Hashable, Sendable, Codable {
        case done
        /// It could not be done now, or made no sense.
        case refused
        /// The caller may not, or nobody knows who it is.
        case denied
        /// Something broke.
        case failed
    }

    /// RFC 3339 in UTC, with milliseconds.
    package var at: String
    /// The person or program; nil: not known.
    package var who: String?
    package var role: String?
    /// How that is known: `socket`, `local`, `session`, `token`, `link`, `open`.
    package var via: String?
    /// Address, or "uid 1000" on the control socket.
    package var from: String
    /// "incident.acknowledge", "token.create", "sign_in", "access".
    package var what: String
    /// What it was done to: the number of an incident, the id of a token, a path.
    package var object: String?
    package var result: Result
    /// The HTTP status it was answered with.
    package var status: Int
    package var words: String?

    package init(
        at: String, who: String?, role: String?, via: String?, from: String, what: String, object: String?,
        result: Result, status: Int, words: String? = nil
    ) {
        self.at = at
        self.who = who
        self.role = role
        self.via = via
        self.from = from
        self.what = what
        self.object = object
        self.result = result
        self.status = status
        self.words = words
    }
}

/// Where audit lines go.
package protocol AuditTrail: Sendable {
    /// Returns when the line is durable, or when it is known that it cannot be: acting on an incident must not wait for a full
    /// disk, so that is told in Oakum's own log and the act goes on.
    func record(_ entry: AuditEntry) async
}

/// Keeps nothing.
package struct NoAudit: AuditTrail {
    package init() {}

    package func record(_ entry: AuditEntry) async {}
}
