import HTTPTypes
import OakumAPI

/// The page where a token is pasted, once a session.
enum SignInPage {
    /// - Parameters:
    ///   - next: a path of the console to go on to.
    ///   - wrong: what was wrong with the last try.
    static func markup(next: String, wrong: String? = nil) -> Markup {
        let notice: Markup =
            wrong.map { "<p class=\"notice\" data-tone=\"bad\" role=\"alert\" id=\"wrong\">\($0)</p>" } ?? ""
        let described: Markup = wrong == nil ? "" : " aria-invalid=\"true\" aria-describedby=\"wrong\""
        return """
            \(ConsolePage.head(title: "Oakum · sign in", style: "incidents.css"))
            <body class="narrow">
            <header class="top"><div class="brand">\(ConsolePage.mark)<h1>Oakum</h1></div></header>
            <main class="card"><p class="card-title">Sign in</p>
            \(notice)
            <form method="post" action="/login">
            <input type="hidden" name="next" value="\(next)">
            <label>Token<input type="password" name="token" required autocomplete="current-password" spellcheck="false" \
            autofocus\(described)></label>
            <button class="button primary" type="submit">Sign in</button>
            </form>
            <p class="small">An admin makes one on the machine Oakum runs on: \
            <code>oakum token create NAME --role responder</code>.</p>
            </main>
            </body>
            </html>

            """
    }

    /// Goes to the same address again, this time from a page of the console itself.
    static func onceMore(_ address: String) -> Markup {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>Oakum</title>
        <meta http-equiv="refresh" content="0;url=\(address)"></head>
        <body><p><a href="\(address)">Go on to Oakum</a></p></body></html>

        """
    }

    /// Whether another site, or a mail in a web page, led here.
    static func comesFromElsewhere(_ headers: HTTPFields) -> Bool {
        let site = HTTPField.Name("Sec-Fetch-Site").flatMap { headers[$0] }
        return site == "cross-site" || site == "same-site"
    }

    /// A path of this console; anything that could lead elsewhere becomes "/".
    static func safeNext(_ text: String?) -> String {
        guard let text, text.utf8.count <= 500, text.hasPrefix("/"), !text.hasPrefix("//"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") })
        else { return "/" }
        return text
    }
}
