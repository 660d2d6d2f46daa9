/// How a connection to a mail server is protected.
package enum MailSecurity: String, Hashable, Sendable, CaseIterable {
    /// TLS from the first byte (RFC 8314; port 465).
    case implicitTLS = "tls"
    /// STARTTLS, or nothing is sent.
    case startTLS = "starttls"
    /// STARTTLS where the server offers it (its certificate must be good then). No password is sent this way.
    case opportunistic
    /// Plain text, to a loopback address alone.
    case none
}
