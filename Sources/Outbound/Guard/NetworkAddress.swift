import Glibc

/// An IPv4 or IPv6 address, without port and zone.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Family: Hashable, Sendable {
        case v4
        case v6
    }

    package var family: Family
    /// 4 or 16 bytes, in network order.
    package var bytes: [UInt8]

    /// - Parameter bytes: 4 or 16 of them, in network order; nil otherwise.
    package init?(bytes: [UInt8]) {
        switch bytes.count {
        case 4: family = .v4
        case 16: family = .v6
        default: return nil
        }
        self.bytes = bytes
    }

    /// "192.0.2.1" or "2001:db8::1", as inet_pton(3) takes them: no octal, no hex, no missing parts, no brackets.
    package init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var four = [UInt8](repeating: 0, count: 4)
        var sixteen = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(bytes: four)
        } else if inet_pton(AF_INET6, text, &sixteen) == 1 {
            self.init(bytes: sixteen)
        } else {
            return nil
        }
    }

    package var description: String {
        var text = [CChar](repeating: 0, count: 64)
        let family = self.family == .v4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// As it stands in a URL.
    var inURL: String { family == .v6 ? "[\(self)]" : description }
}

/// All addresses that share their first bits.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    package let base: NetworkAddress
    /// How many bits count: 0 to 32, or to 128.
    package let bits: Int

    /// "10.0.0.0/8", "fd00::/8", or one address; nil when the text is none, or has bits set beyond its length, which
    /// would mean something else than what is written.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let base = NetworkAddress(String(parts[0])) else { return nil }
        var bits = base.bytes.count * 8
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let given = Int(parts[1]), given <= bits
            else { return nil }
            bits = given
        }
        self.base = base
        self.bits = bits
        guard Self.masked(base.bytes, bits) == base.bytes else { return nil }
    }

    package func contains(_ address: NetworkAddress) -> Bool {
        address.family == base.family && Self.masked(address.bytes, bits) == base.bytes
    }

    package var description: String {
        bits == base.bytes.count * 8 ? base.description : "\(base)/\(bits)"
    }

    private static func masked(_ bytes: [UInt8], _ bits: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(max(bits - index * 8, 0), 8)
            return kept == 0 ? 0 : byte & (0xFF << UInt8(8 - kept))
        }
    }
}
