package import OakumModel

/// What a caller may do. Raw values are stored and shown: added to, never renamed.
package enum AccessRole: String, Hashable, Sendable, Codable, CaseIterable {
    /// Hand alerts in, and nothing else.
    case intake
    /// Look at everything.
    case reader
    /// Also: open, acknowledge, note, resolve and silence incidents, mark deploys, test who is on call.
    case responder
    /// Also: hand out tokens and take them back.
    case admin

    /// Whether somebody with this role may do what asks for `needed`. Handing alerts in and looking are apart: a system that
    /// sends alerts has no business reading them.
    package func covers(_ needed: AccessRole) -> Bool {
        switch (self, needed) {
        case (.intake, .intake), (.admin, .reader), (.admin, .responder), (.admin, .admin), (.responder, .reader),
            (.responder, .responder), (.reader, .reader):
            true
        default: false
        }
    }
}

/// Who may come in beyond the control socket: tokens, made and taken back by an admin.
package protocol AccessPlane: Sendable {
    /// In the order they were made, expired ones too.
    func tokens() async throws(ControlError) -> [TokenSummary]
    /// Makes a token. Its text is told once, here, and kept nowhere.
    func createToken(_ request: TokenRequest, by actor: String) async throws(ControlError) -> TokenGrant
    /// Takes a token back; sessions begun with it end at once.
    func revokeToken(_ id: String, by actor: String) async throws(ControlError) -> TokenSummary
}

/// A token that is wanted.
package struct TokenRequest: Hashable, Sendable, Codable {
    /// Whose it is, 1 to 64 printable characters: the name acts are told under.
    package var name: String
    package var role: AccessRole
    /// For intake: the service meant where an alert names none.
    package var service: String?
    /// 60 s to 366 days.
    package var expiresSeconds: Double

    package static let defaultSeconds = 90.0 * 86_400

    package init(name: String, role: AccessRole, service: String? = nil, expiresSeconds: Double = defaultSeconds) {
        self.name = name
        self.role = role
        self.service = service
        self.expiresSeconds = expiresSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case name, role, service
        case expiresSeconds = "expires_s"
    }
}

/// A token without its text.
package struct TokenSummary: Hashable, Sendable, Codable {
    /// Eight characters to name it by; no secret.
    package var id: String
    package var name: String
    package var role: AccessRole
    package var service: String?
    package var created: WallTime
    package var expires: WallTime
    /// Since Oakum was started; nil: not used since.
    package var lastUsed: WallTime?

    package init(
        id: String, name: String, role: AccessRole, service: String?, created: WallTime, expires: WallTime,
        lastUsed: WallTime? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.service = service
        self.created = created
        self.expires = expires
        self.lastUsed = lastUsed
    }

    private enum CodingKeys: String, CodingKey {
        case id, name, role, service
        case created = "created_ms"
        case expires = "expires_ms"
        case lastUsed = "last_used_ms"
    }
}

/// A token that was just made.
package struct TokenGrant: Hashable, Sendable, Codable {
    /// The secret. It is shown this once.
    package var token: String
    package var summary: TokenSummary

    package init(token: String, summary: TokenSummary) {
        self.token = token
        self.summary = summary
    }
}
