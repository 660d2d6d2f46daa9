import Glibc

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
    /// The address that a listening socket has; `nil` for a kind we do not serve.
    init?(listener: CInt) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
        }
        guard result == 0 else { return nil }
        switch CInt(storage.ss_family) {
        case AF_INET:
            let address = Self.read(sockaddr_in.self, from: &storage)
            self = .hostname(Self.text(address.sin_addr, AF_INET), port: Int(UInt16(bigEndian: address.sin_port)))
        case AF_INET6:
            let address = Self.read(sockaddr_in6.self, from: &storage)
            self = .hostname(Self.text(address.sin6_addr, AF_INET6), port: Int(UInt16(bigEndian: address.sin6_port)))
        case AF_UNIX:
            let address = Self.read(sockaddr_un.self, from: &storage)
            let path = withUnsafeBytes(of: address.sun_path) { $0.prefix { $0 != 0 } }
            self = .unixDomainSocket(path: String(decoding: path, as: UTF8.self))
        default:
            return nil
        }
    }

    private static func read<Address>(_ type: Address.Type, from storage: inout sockaddr_storage) -> Address {
        withUnsafeBytes(of: &storage) { $0.load(as: type) }
    }

    private static func text<Address>(_ address: Address, _ family: CInt) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = withUnsafePointer(to: address) { inet_ntop(family, $0, &buffer, socklen_t(buffer.count)) }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
