/// A mail address of the form RFC 5321 calls a dot-string at a domain, which is what people have.
///
/// Refused on purpose: quoted local parts, comments, address literals and every non-ASCII character. A domain in another
/// script is refused with its own reason, not mangled: until internationalised domains are supported its owner can give
/// the ASCII form (`xn--…`).
package struct EmailAddress: Hashable, Sendable {
    /// As given. Mail goes here.
    package let display: String
    /// What makes an account unique: lower case. Plus tags and dots stay; they are different mailboxes by the standard.
    package let key: String

    package init(_ text: String) throws(EmailProblem) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= Self.longest else { throw .tooLong }
        guard let at = bytes.firstIndex(of: UInt8(ascii: "@")) else { throw .noAt }
        try Self.checkLocal(bytes[..<at])
        try Self.checkDomain(bytes[(at + 1)...])
        display = text
        key = String(decoding: bytes.map(Self.lowercased), as: UTF8.self)
    }

    /// RFC 5321 4.5.3.1.3: a path is at most 256 octets with its angle brackets.
    static let longest = 254
    /// RFC 5321 4.5.3.1.1.
    static let longestLocal = 64
    /// RFC 1035 2.3.4.
    static let longestLabel = 63

    private static func checkLocal(_ local: ArraySlice<UInt8>) throws(EmailProblem) {
        guard !local.isEmpty, local.count <= longestLocal else { throw .localPart }
        for atom in local.split(separator: dot, omittingEmptySubsequences: false) {
            guard !atom.isEmpty, atom.allSatisfy(isAtomText) else { throw .localPart }
        }
    }

    private static func checkDomain(_ domain: ArraySlice<UInt8>) throws(EmailProblem) {
        // Non-ASCII is told apart only when nothing else is wrong with the shape, so that `a@b@ü` is not called a domain.
        guard !domain.contains(UInt8(ascii: "@")) else { throw .domain }
        guard domain.allSatisfy({ $0 < 0x80 }) else { throw .domainNotASCII }
        let labels = domain.split(separator: dot, omittingEmptySubsequences: false)
        guard labels.count >= 2 else { throw .domain }
        for label in labels {
            guard (1...longestLabel).contains(label.count), label.allSatisfy({ isAlphanumeric($0) || $0 == hyphen }),
                label.first != hyphen, label.last != hyphen
            else { throw .domain }
        }
        // A last label of digits alone is the tail of an IPv4 address, never a top-level domain (RFC 3696 2).
        guard let top = labels.last, !top.allSatisfy(isDigit) else { throw .domain }
    }

    private static let dot = UInt8(ascii: ".")
    private static let hyphen = UInt8(ascii: "-")

    /// RFC 5322 3.2.3, `atext`.
    private static func isAtomText(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x7A).contains(lowercased(byte))
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}

/// Why a text is not accepted as a mail address. The raw value is the code clients see.
package enum EmailProblem: String, Error, Hashable, Sendable, CaseIterable {
    case empty = "email_empty"
    case tooLong = "email_too_long"
    case noAt = "email_without_at"
    case localPart = "email_local_part"
    case domain = "email_domain"
    case domainNotASCII = "email_domain_not_ascii"
}
