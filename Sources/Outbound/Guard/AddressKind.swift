/// What an address is for, after the registries of IANA (special-purpose IPv4 and IPv6 addresses, RFC 6890 and its
/// updates; multicast, RFC 5771 and RFC 4291).
package enum AddressKind: String, Hashable, Sendable, CaseIterable {
    /// Anywhere on the internet.
    case global
    case loopback
    /// 10/8, 172.16/12, 192.168/16 (RFC 1918).
    case privateUse = "private"
    /// fc00::/7 (RFC 4193), and the former site-local fec0::/10.
    case uniqueLocal = "unique-local"
    /// Neighbours on the wire; 169.254.169.254 hands out credentials in most clouds.
    case linkLocal = "link-local"
    /// 100.64/10, behind a provider's address translation (RFC 6598).
    case shared
    case multicast
    /// 0.0.0.0/8 and ::, which Linux connects to itself.
    case unspecified
    /// An IPv6 address that stands for an IPv4 one: mapped, compatible, NAT64, 6to4, Teredo.
    case translated
    /// For examples and measurements; nobody real is there.
    case documentation
    /// Everything else that is not for general use.
    case reserved

    package init(_ address: NetworkAddress) {
        let table = address.family == .v4 ? Self.v4 : Self.v6
        // The first that fits counts; of IPv6 only 2000::/3 is handed out at all (RFC 4291, section 2.4).
        let fallback: AddressKind =
            address.family == .v4 || Self.globalUnicast?.contains(address) == true ? .global : .reserved
        self = table.first { $0.range.contains(address) }?.kind ?? fallback
    }

    /// After "it is".
    var words: String {
        switch self {
        case .global, .loopback, .linkLocal, .uniqueLocal, .multicast, .unspecified, .reserved: rawValue
        case .privateUse: "private"
        case .shared: "shared by the customers of a provider"
        case .translated: "a translated IPv4 address"
        case .documentation: "for documentation and benchmarks"
        }
    }

    /// Never connected to, whatever is allowed.
    var isHopeless: Bool { self == .multicast || self == .unspecified || self == .reserved }

    private struct Row {
        var range: AddressRange
        var kind: AddressKind
    }

    private static let globalUnicast = AddressRange("2000::/3")

    private static let v4 = rows([
        ("0.0.0.0/8", .unspecified), ("10.0.0.0/8", .privateUse), ("100.64.0.0/10", .shared),
        ("127.0.0.0/8", .loopback), ("169.254.0.0/16", .linkLocal), ("172.16.0.0/12", .privateUse),
        ("192.0.0.0/24", .reserved), ("192.0.2.0/24", .documentation), ("192.88.99.0/24", .translated),
        ("192.168.0.0/16", .privateUse), ("198.18.0.0/15", .documentation), ("198.51.100.0/24", .documentation),
        ("203.0.113.0/24", .documentation), ("224.0.0.0/4", .multicast), ("240.0.0.0/4", .reserved),
    ])

    private static let v6 = rows([
        ("::", .unspecified), ("::1", .loopback), ("::ffff:0:0/96", .translated), ("::ffff:0:0:0/96", .translated),
        ("::/96", .translated), ("64:ff9b::/96", .translated), ("64:ff9b:1::/48", .translated),
        ("2001::/32", .translated), ("2001:2::/48", .documentation), ("2001::/23", .reserved),
        ("2001:db8::/32", .documentation), ("2002::/16", .translated), ("3fff::/20", .documentation),
        ("fc00::/7", .uniqueLocal), ("fe80::/10", .linkLocal), ("fec0::/10", .uniqueLocal), ("ff00::/8", .multicast),
    ])

    private static func rows(_ texts: [(String, AddressKind)]) -> [Row] {
        let rows = texts.compactMap { text, kind in AddressRange(text).map { Row(range: $0, kind: kind) } }
        precondition(rows.count == texts.count, "a range of the table is misspelt")
        return rows
    }
}

extension NetworkAddress {
    /// The IPv4 address inside a translated one; nil when it holds none, or cannot be told.
    var embedded: NetworkAddress? {
        guard AddressKind(self) == .translated, family == .v6 else { return nil }
        switch (bytes[0], bytes[1]) {
        // 6to4 has it behind its first 16 bits (RFC 3056).
        case (0x20, 0x02): return NetworkAddress(bytes: Array(bytes[2..<6]))
        // Teredo has it inverted at the end, the client's (RFC 4380, section 4).
        case (0x20, 0x01): return NetworkAddress(bytes: bytes[12...].map { ~$0 })
        // Mapped, compatible and NAT64 with a prefix of 96 bits: at the end (RFC 6052, section 2.2).
        default: return NetworkAddress(bytes: Array(bytes[12...]))
        }
    }
}
