import HTTPTypes
import Hummingbird
import OakumAPI

/// Lets through what is asked under one of the console's own names, and not from within pages of other sites.
///
/// The name check is the defence against DNS rebinding: a page of another site whose name suddenly resolves to
/// 127.0.0.1 still sends its own name as `Host`.
struct ConsoleGuard: RouterMiddleware {
    typealias Context = OakumContext

    /// Lower case; nil means any.
    let allowedHosts: Set<String>?

    init(_ configuration: ConsoleConfiguration) {
        if configuration.behindProxy, configuration.allowedHosts.isEmpty {
            allowedHosts = nil
        } else {
            allowedHosts = Set(configuration.allowedHosts.map { $0.lowercased() })
        }
    }

    func handle(
        _ request: Request, context: OakumContext, next: @concurrent (Request, OakumContext) async throws -> Response
    ) async throws -> Response {
        try checkHost(request.head.authority)
        try checkSite(request.headers)
        return try await next(request, context)
    }

    /// Pages of other sites may link here, and no more: what they make a browser ask for in passing (images, frames,
    /// scripts) is not answered, so that they cannot keep Oakum busy. Browsers say who asks (Fetch Metadata Request
    /// Headers, W3C); other clients say nothing.
    private func checkSite(_ headers: HTTPFields) throws(HTTPFailure) {
        guard HTTPField.Name("Sec-Fetch-Site").flatMap({ headers[$0] }) == "cross-site",
            HTTPField.Name("Sec-Fetch-Dest").flatMap({ headers[$0] }) != "document"
        else { return }
        throw HTTPFailure(
            Problem(.forbidden("the console does not answer pages of other sites; open it in a window of its own")))
    }

    private func checkHost(_ header: String?) throws(HTTPFailure) {
        guard let allowedHosts else { return }
        let host = LoopbackNames.host(ofHeader: header ?? "").lowercased()
        guard !LoopbackNames.isLoopback(host), !allowedHosts.contains(host) else { return }
        throw HTTPFailure(
            Problem(
                title: "Misdirected request", status: 421,
                detail: "the console does not answer to this host name; open it as http://127.0.0.1:PORT/",
                code: "misdirected"))
    }
}

/// What every answer of the console tells the browser.
enum ConsoleHeaders {
    /// No inline script or style, nothing from elsewhere, no framing, no guessing of types.
    static let all: HTTPFields = {
        let policy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        var headers: HTTPFields = [
            .contentSecurityPolicy: policy, .xContentTypeOptions: "nosniff", .cacheControl: "no-store",
        ]
        let more = [
            ("Referrer-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"), ("X-Frame-Options", "DENY"),
        ]
        for (name, value) in more {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return headers
    }()
}
