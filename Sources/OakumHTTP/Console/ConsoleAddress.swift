import NIOCore

/// A parsed `HOST:PORT`.
struct ConsoleAddress: Hashable, Sendable {
    var host: String
    var port: Int

    /// Throws `.invalidAddress` with what is expected.
    init(_ text: String) throws(ListenError) {
        let expected = "expected HOST:PORT such as 127.0.0.1:9100 or [::1]:9100"
        guard let colon = text.lastIndex(of: ":") else {
            throw .invalidAddress("console address \(text) has no port: \(expected)")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            throw .invalidAddress("console address \(text) needs brackets around its host: \(expected)")
        }
        let digits = text[text.index(after: colon)...]
        guard !host.isEmpty, !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(digits), port <= 65_535
        else { throw .invalidAddress("console address \(text) is malformed: \(expected)") }
        self.host = host
        self.port = port
    }

    /// `localhost` is taken for 127.0.0.1: what else it may resolve to is not asked.
    private var literal: String { host.lowercased() == "localhost" ? "127.0.0.1" : host }

    /// Where to bind. Throws `.notLoopback` when other machines could reach it and no proxy is announced.
    func socketAddress(behindProxy: Bool) throws(ListenError) -> SocketAddress {
        do {
            let address = try SocketAddress(ipAddress: literal, port: port)
            guard behindProxy || LoopbackNames.isLoopback(literal) else {
                throw ListenError.notLoopback(Self.refusal(host))
            }
            return address
        } catch let error as ListenError {
            throw error
        } catch {
            // No literal address: a name, which may resolve to anything.
            guard behindProxy else { throw .notLoopback(Self.refusal(host)) }
        }
        do {
            return try SocketAddress.makeAddressResolvingHost(host, port: port)
        } catch {
            throw .invalidAddress("console host \(host) does not resolve: name an address of this machine")
        }
    }

    private static func refusal(_ host: String) -> String {
        "the console has no passwords, so it listens on this machine alone, not on \(host). Use 127.0.0.1 and an SSH "
            + "tunnel, or put a proxy with TLS and authentication in front and set `behind_proxy: true`"
    }
}

/// Names that mean this machine, whatever a resolver says.
enum LoopbackNames {
    /// `localhost`, all of 127.0.0.0/8, and ::1; without port and brackets.
    static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "127" else { return false }
        return parts.allSatisfy { part in
            (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                && (Int(part) ?? 256) <= 255
        }
    }

    /// The host of a `Host` header: without port, and without the brackets of an IPv6 address.
    static func host(ofHeader header: String) -> String {
        if header.hasPrefix("[") {
            guard let end = header.firstIndex(of: "]") else { return header }
            return String(header[header.index(after: header.startIndex)..<end])
        }
        return String(header.prefix { $0 != ":" })
    }
}
