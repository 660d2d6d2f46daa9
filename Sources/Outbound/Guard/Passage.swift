/// What has to hold before a connection is made: pure, asked once with the addresses of one lookup.
struct Passage: Sendable {
    var host: HostName
    var policy: NetworkPolicy
    /// Plain text: only this machine may hear it.
    var loopbackOnly = false

    /// More addresses of one host than this are not tried.
    static let tried = 4

    /// The addresses to try, in order. One bad address condemns the host: who mixes them means to be taken for the good one.
    func checked(_ addresses: [NetworkAddress]) throws(OutboundError) -> [NetworkAddress] {
        guard !addresses.isEmpty else { throw .cannotConnect("\(host.text) has no address") }
        for address in addresses {
            if let kind = policy.refusal(of: address, host: host) {
                let subject = host.isNumeric ? "\(address) is" : "\(host.text) has the address \(address), which is"
                let remedy =
                    kind.isHopeless || kind == .translated
                    ? "" : "; if that is meant, it must be listed as allowed"
                throw .refused("\(subject) \(kind.words), so nothing was sent there\(remedy)")
            }
            guard !loopbackOnly || AddressKind(address) == .loopback else {
                throw .refused("\(host.text) is not on this machine, and mail is not sent over a network without TLS")
            }
        }
        return Array(addresses.prefix(Self.tried))
    }

    /// Nil when nothing is to be checked: an unguarded request, or a socket of this machine.
    init?(_ request: OutboundRequest) throws(OutboundError) {
        guard let policy = request.network, let text = try Destination(request.target).host else { return nil }
        guard let host = HostName(text) else {
            throw .refused(
                "\(text.debugDescription) is no proper host name: write an address as 192.0.2.1 or [2001:db8::1], and a "
                    + "name in ASCII")
        }
        self.host = host
        self.policy = policy
    }

    init(_ mail: OutboundMail) throws(OutboundError) {
        try mail.checkSyntax()
        guard let host = HostName(mail.host) else { throw .failed("malformed name of a mail server") }
        self.host = host
        policy = mail.network
        let strippable = mail.security == .opportunistic && mail.password != nil
        loopbackOnly = mail.security == .none || strippable
    }
}
