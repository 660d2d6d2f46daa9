import HTTPTypes
import OakumAPI

/// Tells requests of the console's own pages from those that another site makes a browser send (CSRF).
enum SameOrigin {
    /// For requests that change something and are let in by what a browser sends along by itself.
    ///
    /// Browsers say where a request comes from: `Sec-Fetch-Site` (W3C, Fetch Metadata), which no page can forge, or the older
    /// `Origin`, which must then be this very host. A request with neither comes from no browser of today, and from a browser
    /// of yesterday it could be anybody's: refused.
    static func check(_ headers: HTTPFields, authority: String?) throws(HTTPFailure) {
        if let site = HTTPField.Name("Sec-Fetch-Site").flatMap({ headers[$0] }) {
            guard site == "same-origin" || site == "none" else { throw refusal }
            return
        }
        guard let origin = headers[.origin], let authority, let host = origin.split(separator: "/").last,
            origin == "http://\(host)" || origin == "https://\(host)", host.lowercased() == authority.lowercased()
        else { throw refusal }
    }

    private static let refusal = HTTPFailure(
        Problem(
            .forbidden(
                "this must be asked from a page of the console itself (or with a token: `Authorization: Bearer oak_…`)")
        ))
}
