/// One message to one mail server, over SMTP (RFC 5321).
package struct OutboundMail: Sendable {
    package var host: String
    package var port: Int
    package var security: MailSecurity
    package var user: String?
    /// Sent only under TLS that cannot be stripped, or to loopback.
    package var password: String?
    /// What this machine calls itself in EHLO.
    package var helloName: String
    /// Of the envelope: bare addresses of visible ASCII, without angle brackets.
    package var sender: String
    package var recipients: [String]
    /// Head and body, lines ended by CRLF; dots at their beginning are libcurl's affair.
    package var message: [UInt8]
    /// For everything together, as for a request.
    package var timeoutSeconds: Double
    /// Mail is always guarded.
    package var network: NetworkPolicy
    package var trustedCertificates: String?
    package var progress = OutboundProgress()

    package init(
        host: String, port: Int, security: MailSecurity, user: String? = nil, password: String? = nil,
        helloName: String, sender: String, recipients: [String], message: [UInt8], timeoutSeconds: Double = 15,
        network: NetworkPolicy = .publicOnly, trustedCertificates: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.user = user
        self.password = password
        self.helloName = helloName
        self.sender = sender
        self.recipients = recipients
        self.message = message
        self.timeoutSeconds = timeoutSeconds
        self.network = network
        self.trustedCertificates = trustedCertificates
    }
}

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

/// What the mail server said last.
package struct MailAnswer: Hashable, Sendable {
    /// 250: it has the message. 4xx: not now; 5xx: never (RFC 5321, section 4.2.1).
    package var code: Int
    /// The line with that code.
    package var text: String
    /// Recipients it would not take although it took the message for others, each with its answer.
    package var refusedRecipients: [String: String]

    package init(code: Int, text: String, refusedRecipients: [String: String] = [:]) {
        self.code = code
        self.text = text
        self.refusedRecipients = refusedRecipients
    }

    package var isAccepted: Bool { (200..<300).contains(code) }
}

extension OutboundMail {
    /// Refuses what would end a line early and so say something else to the server.
    func checkSyntax() throws(OutboundError) {
        guard let host = HostName(host) else {
            throw .failed("malformed name of a mail server: \(host.debugDescription)")
        }
        guard (1...65_535).contains(port) else { throw .failed("\(host.text) has no port \(port)") }
        guard HostName(helloName) != nil else {
            throw .failed("malformed name for EHLO: \(helloName.debugDescription)")
        }
        guard !recipients.isEmpty else { throw .failed("a mail without a recipient") }
        for address in recipients + [sender] where !Self.isMailbox(address) {
            throw .failed(
                "not a mail address: \(address.debugDescription); expected NAME@DOMAIN in ASCII (a domain with other "
                    + "letters has an xn-- form)")
        }
        guard (user == nil) == (password == nil) else { throw .failed("a mail login needs both user and password") }
        for word in [user, password].compactMap({ $0 }) where word.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw .failed("the login for \(host.text) holds a control character")
        }
        guard Self.hasProperLines(message) else {
            throw .failed("a mail's lines end in CRLF, and hold at most 998 bytes and no lone CR or LF")
        }
    }

    /// Something, `@`, something: visible ASCII (RFC 5321, section 4.1.2, without quoted parts), at most 254 bytes.
    package static func isMailbox(_ address: String) -> Bool {
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), address.utf8.count <= 254,
            HostName(String(parts[1])) != nil
        else { return false }
        return address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#"<>()[],;:\""#.utf8.contains($0) }
    }

    /// Lone line ends are how a second message is smuggled past a server that reads them differently.
    private static func hasProperLines(_ message: [UInt8]) -> Bool {
        var length = 0
        var afterReturn = false
        for byte in message {
            switch byte {
            case 0x0A:
                guard afterReturn else { return false }
                (afterReturn, length) = (false, 0)
            case 0x0D:
                guard !afterReturn else { return false }
                afterReturn = true
            case 0:
                return false
            default:
                guard !afterReturn, length < 998 else { return false }
                length += 1
            }
        }
        return !afterReturn && length == 0
    }
}
