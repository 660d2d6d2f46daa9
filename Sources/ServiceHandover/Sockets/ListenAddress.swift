import NIOCore

/// Where a service listens when nobody hands it a socket.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A TCP address: a name or an IPv4 or IPv6 address, and a port (0: the kernel chooses).
    case hostname(String, port: Int)
    /// A Unix stream socket. A stale socket file at this path is replaced; anything else there is an error.
    case unixDomainSocket(path: String)

    /// Reads `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; `nil` when the text is none of these.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty else { return nil }
            self = .unixDomainSocket(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self = .hostname(String(host), port: Int(port))
    }

    /// The form that `init(_:)` reads.
    public var description: String {
        switch self {
        case .hostname(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixDomainSocket(let path): "unix:\(path)"
        }
    }
}

extension ListenAddress {
    /// The address of an open socket; `nil` for a kind we do not serve.
    init?(socket address: SocketAddress) {
        switch address {
        case .v4, .v6:
            guard let host = address.ipAddress, let port = address.port else { return nil }
            self = .hostname(host, port: port)
        case .unixDomainSocket:
            guard let path = address.pathname else { return nil }
            self = .unixDomainSocket(path: path)
        }
    }
}
