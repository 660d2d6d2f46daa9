/// Where guarded requests may go: public addresses, and what is listed.
///
/// Pure: it is asked about addresses that were looked up already. Multicast, unspecified and reserved addresses are
/// refused whatever is listed.
package struct NetworkPolicy: Hashable, Sendable {
    /// What is allowed beside public addresses.
    package enum Permit: Hashable, Sendable, CustomStringConvertible {
        /// Any host with an address in it. A translated IPv4 address must be inside by both its spellings.
        case range(AddressRange)
        /// This host wherever it is (private, shared, unique-local or loopback), except on a link-local address: what
        /// hands out a machine's credentials must be listed as what it is. Lower case.
        case host(String)

        /// "10.0.0.0/8", "fd00::/8", "127.0.0.1" or "mail.example.org"; nil when the text is none of these.
        package init?(_ text: String) {
            if let range = AddressRange(text) {
                self = .range(range)
            } else if let host = HostName(text), !host.isNumeric {
                self = .host(host.text)
            } else {
                return nil
            }
        }

        package var description: String {
            switch self {
            case .range(let range): range.description
            case .host(let host): host
            }
        }
    }

    package var allow: [Permit]

    package init(allow: [Permit] = []) {
        self.allow = allow
    }

    /// Nothing but public addresses.
    package static let publicOnly = NetworkPolicy()

    /// Why a host with this address may not be connected to; nil when it may.
    package func refusal(of address: NetworkAddress, host: HostName) -> AddressKind? {
        let kind = AddressKind(address)
        guard kind != .global else { return nil }
        guard !kind.isHopeless else { return kind }
        let listed = allow.contains { permit in
            switch permit {
            case .range(let range): range.contains(address)
            case .host(let name): name == host.text && Self.followsName.contains(kind)
            }
        }
        guard listed else { return kind }
        // What is inside a translated address is where it ends.
        return address.embedded.flatMap { refusal(of: $0, host: host) }
    }

    private static let followsName: Set<AddressKind> = [.loopback, .privateUse, .uniqueLocal, .shared]
}
