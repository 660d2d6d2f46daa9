import CCurl

/// A checked target: what libcurl is told, and what may be said about it in an error.
struct Destination {
    var url: String
    var socketPath: String?
    /// Host (with port when given) or socket path.
    var peer: String
    /// As libcurl reads it from the URL; nil for a socket.
    var host: String?

    init(_ target: OutboundRequest.Target) throws(OutboundError) {
        switch target {
        case .url(let url):
            let (host, port) = try Self.host(of: url)
            self.host = host
            self.url = url
            peer = port.map { "\(host):\($0)" } ?? host
        case .unixSocket(let path, let requestTarget):
            // sockaddr_un.sun_path holds 108 bytes with the final NUL (unix(7)).
            guard !path.isEmpty, path.utf8.count < 108, !path.utf8.contains(0) else {
                throw .failed("a socket path has 1 to 107 bytes, this one has \(path.utf8.count): \(path)")
            }
            guard requestTarget.hasPrefix("/"), requestTarget.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x23 })
            else { throw .failed("a request target starts with / and holds only visible ASCII: \(requestTarget)") }
            url = "http://localhost\(requestTarget)"
            socketPath = path
            peer = path
        }
    }

    /// A mail server: what EHLO says stands in the path of libcurl's URL. All parts were checked (`checkSyntax`).
    init(_ mail: OutboundMail) throws(OutboundError) {
        try mail.checkSyntax()
        guard let host = HostName(mail.host) else { throw .failed("malformed name of a mail server") }
        let scheme = mail.security == .implicitTLS ? "smtps" : "smtp"
        let shown = host.address?.inURL ?? host.text
        url = "\(scheme)://\(shown):\(mail.port)/\(mail.helloName)"
        peer = "\(shown):\(mail.port)"
        self.host = shown
    }

    /// Parses with libcurl's own parser, so that both agree on what the host is. Also gives the port when it is written.
    private static func host(of url: String) throws(OutboundError) -> (String, String?) {
        guard !url.utf8.contains(0), let parser = curl_url() else { throw .failed("malformed URL") }
        defer { curl_url_cleanup(parser) }
        guard curl_url_set(parser, CURLUPART_URL, url, 0) == CURLUE_OK,
            let scheme = part(CURLUPART_SCHEME, of: parser), let host = part(CURLUPART_HOST, of: parser)
        else { throw .failed("malformed URL: expected http://HOST/… or https://HOST/…") }
        guard scheme == "http" || scheme == "https" else {
            throw .failed("only http and https are sent, not \(scheme)")
        }
        return (host, part(CURLUPART_PORT, of: parser))
    }

    private static func part(_ part: CURLUPart, of parser: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(parser, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}

extension OutboundRequest.Target {
    /// Whether it can be sent to at all: for configurations, which had better fail early.
    /// - Throws: `.failed` with a text that does not hold the URL.
    package func check() throws(OutboundError) {
        _ = try Destination(self)
    }
}

extension OutboundRequest {
    /// Refuses what could smuggle a second request: control characters in method, header names or values.
    /// - Throws: `.failed`, which may name a header but not its value.
    package func checkSyntax() throws(OutboundError) {
        guard !method.isEmpty, method.utf8.allSatisfy(Self.isToken) else {
            throw .failed("malformed request method")
        }
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isToken) else { throw .failed("malformed header name") }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw .failed("header \(name) holds a control character")
            }
        }
    }

    /// `tchar` of RFC 9110, section 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
