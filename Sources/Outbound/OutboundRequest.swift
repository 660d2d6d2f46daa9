/// One outgoing HTTP request. Redirects are never followed.
///
/// With a `network` policy it is guarded: its host is looked up once, every address found is checked, and the connection
/// goes to a checked one, whatever the name means a moment later. Where a proxy is named, the proxy looks names up; then
/// only addresses written in the URL can be checked, and the proxy is the guard.
package struct OutboundRequest: Sendable {
    /// Where a request goes.
    package enum Target: Sendable {
        /// `http://` or `https://`.
        case url(String)
        /// HTTP/1.1 over a Unix stream socket, on a connection of its own; no proxy. `requestTarget` starts with "/".
        case unixSocket(path: String, requestTarget: String)
    }

    package enum Proxy: Hashable, Sendable {
        /// What `http_proxy` and its kin say; none for a guarded request.
        case environment
        /// `http://HOST:PORT`. It may be anywhere: whoever names it knows where it is.
        case url(String)
    }
    /// What becomes of a body beyond `maxResponseBytes`.
    package enum Oversize: Sendable {
        /// `OutboundError.tooLarge`.
        case fails
        /// The transfer ends there; the answer holds the beginning and says so (`isCut`).
        case isCut
    }

    package var method: String
    package var target: Target
    package var headers: [(String, String)]
    package var body: [UInt8]
    /// For everything together: waiting for a free slot, name lookup, connecting, sending, and the whole answer.
    package var timeoutSeconds: Double
    /// A longer body ends the transfer; how is `oversize`'s to say.
    package var maxResponseBytes: Int
    package var oversize: Oversize = .fails
    /// nil: not guarded.
    package var network: NetworkPolicy?
    package var proxy: Proxy = .environment
    /// File of certificates (PEM) to trust instead of the system's.
    package var trustedCertificates: String?
    /// On a connection that was used before, libcurl sends a request again by itself when the server hangs up without a
    /// word, which may have been after reading it. `false`: a fresh connection, so that what is sent is sent once.
    package var reusesConnections = true
    package var progress = OutboundProgress()

    package init(
        method: String = "GET", target: Target, headers: [(String, String)] = [], body: [UInt8] = [],
        timeoutSeconds: Double = 10, maxResponseBytes: Int = 1 << 20
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.timeoutSeconds = timeoutSeconds
        self.maxResponseBytes = maxResponseBytes
    }
}

/// A complete answer, whatever its status.
package struct OutboundResponse: Sendable {
    package var status: Int
    /// In the order received; names as the server wrote them.
    package var headers: [(String, String)]
    package var body: [UInt8]
    /// The body went on beyond what was allowed; `body` is its beginning.
    package var isCut: Bool

    package init(status: Int, headers: [(String, String)], body: [UInt8], isCut: Bool = false) {
        self.status = status
        self.headers = headers
        self.body = body
        self.isCut = isCut
    }

    /// The first value of a header; names compare without regard to case.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.0.lowercased() == wanted }?.1
    }
}

/// Why there is no answer. The texts name host or socket path, never the rest of a URL: that may hold a secret.
package enum OutboundError: Error, Hashable, Sendable {
    /// Nothing listens there, the name does not resolve, or the network is unreachable. Retrying later may help.
    case cannotConnect(String)
    /// The request's own deadline passed. Whether the other side acted on it is unknown.
    case timedOut(String)
    /// The answer was longer than the request allows.
    case tooLarge(String)
    /// A malformed request or answer, a cut connection, a TLS failure, or too many requests waiting.
    case failed(String)
    /// The network policy forbids the address. Nothing was connected to.
    case refused(String)
    /// The task was cancelled, or the client was shut down.
    case cancelled
}
