import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI

/// `/login` and `/logout`.
struct SignInRoutes: Sendable {
    let parts: ResponseParts
    let behindProxy: Bool

    func add(to router: Router<OakumContext>) {
        router.get("/login") { request, context in
            let next = SignInPage.safeNext(QueryText.text(request, "next"))
            if context.principal != nil { throw HTTPFailure.redirect(to: next) }
            return PageAnswer.html(SignInPage.markup(next: next))
        }
        router.post("/login") { request, context in
            let form = try await FormBody.read(request)
            return await signIn(form, context)
        }
        router.post("/logout") { request, context in
            let form = try await FormBody.read(request)
            return signOut(request, everywhere: form["everywhere"] != nil, context)
        }
    }

    private func signIn(_ form: FormBody, _ context: OakumContext) async -> Response {
        let next = SignInPage.safeNext(form["next"])
        let token = (form["token"] ?? "").filter { !$0.isWhitespace }
        guard let access = parts.access, let principal = access.principal(ofToken: token),
            let secret = access.beginSession(principal)
        else { return refused(next, context) }
        context.audit.tell(object: principal.token, words: "\(principal.name), \(principal.role.rawValue)")
        var response = HTTPFailure.redirect(to: next).response
        response.headers[.setCookie] = SessionCookie(behindProxy: behindProxy).header(secret)
        return response
    }

    /// The guard records it with its status.
    private func refused(_ next: String, _ context: OakumContext) -> Response {
        let answer = parts.access?.failed(from: context.place) ?? .refuse
        switch answer {
        case .slowDown(let seconds):
            context.audit.mute()
            var response = PageAnswer.html(
                SignInPage.markup(next: next, wrong: "Too many wrong tokens: wait some seconds."), status: 429)
            response.headers[.retryAfter] = "\(Int(seconds.rounded(.up)))"
            return response
        case .refuse:
            return PageAnswer.html(
                SignInPage.markup(
                    next: next, wrong: "This is no token for people, or it has expired or was taken back."),
                status: 403)
        }
    }

    private func signOut(_ request: Request, everywhere: Bool, _ context: OakumContext) -> Response {
        let cookie = SessionCookie(behindProxy: behindProxy)
        if let secret = cookie.value(in: request) { parts.access?.endSession(secret) }
        if everywhere, let token = context.principal?.token {
            let count = parts.access?.endSessions(of: token) ?? 0
            context.audit.tell(object: token, words: "everywhere: \(count) further sessions ended")
        }
        var response = HTTPFailure.redirect(to: "/login").response
        response.headers[.setCookie] = cookie.expired
        return response
    }
}

/// Pages as answers.
enum PageAnswer {
    static func html(_ markup: Markup, status: Int = 200) -> Response {
        var response = APIRoutes.answer("text/html; charset=utf-8", ByteBuffer(string: markup.html))
        response.status = HTTPResponse.Status(code: status)
        return response
    }
}

/// What a form sends: `application/x-www-form-urlencoded`, of names sent twice the last.
struct FormBody: Sendable {
    private(set) var fields: [String: String] = [:]

    /// Fields beyond are dropped.
    private static let maxFields = 64

    subscript(_ name: String) -> String? { fields[name] }

    /// - Throws: 415 for another type, 413 for a longer body.
    static func read(_ request: Request) async throws -> FormBody {
        let type = request.headers[.contentType]?.lowercased() ?? "application/x-www-form-urlencoded"
        guard type.hasPrefix("application/x-www-form-urlencoded") else {
            throw HTTPFailure(
                Problem(
                    title: "Unsupported media type", status: 415, detail: "this takes what a form sends",
                    code: "unsupported_media_type"))
        }
        return FormBody(parsing: Array(try await RequestBody.whole(request).readableBytesView))
    }

    init(parsing bytes: [UInt8]) {
        for pair in bytes.split(separator: UInt8(ascii: "&")).prefix(Self.maxFields) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            fields[Self.decode(halves[0])] = halves.count > 1 ? Self.decode(halves[1]) : ""
        }
    }

    /// What is no escape stands for itself; what is no UTF-8 becomes U+FFFD.
    private static func decode(_ bytes: ArraySlice<UInt8>) -> String {
        var decoded: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "+") {
                decoded.append(0x20)
            } else if byte == UInt8(ascii: "%"), digits.count == 2, digits.allSatisfy({ isHexadecimal($0) }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                decoded.append(value)
                rest.removeFirst(2)
            } else {
                decoded.append(byte)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }
}
