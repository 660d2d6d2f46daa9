import OakumAPI

/// Who makes a request, as far as Oakum knows.
struct Principal: Hashable, Sendable {
    /// How it is known.
    enum Evidence: String, Hashable, Sendable {
        /// The kernel's word on the peer of the control socket.
        case socket
        /// The kernel's word on the peer of a loopback connection.
        case local
        /// Nothing: the console is open for reading on this machine.
        case open
        case token
        case session
        case link
    }

    /// Acts are told under this name.
    var name: String
    var role: AccessRole
    var evidence: Evidence
    /// Of the token it came in with.
    var token: String?
    /// For intake: the service meant where an alert names none.
    var service: String?

    /// A system that tells alerts and has no token.
    static let unnamedIntake = Principal(name: "intake", role: .intake, evidence: .open)

    /// A browser sends along what proves it whether its user means it or not, so the request must come from a page of the
    /// console's own.
    var isAmbient: Bool { evidence == .session || evidence == .local || evidence == .open }
}
