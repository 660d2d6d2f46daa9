import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI

/// A refusal of the server's own, beside those of the control plane.
struct HTTPFailure: Error {
    var problem: Problem
    /// Beyond the content type.
    var extra: HTTPFields = [:]
    /// Instead of the problem, for people in a browser.
    private var page: Markup?

    init(_ problem: Problem, extra: HTTPFields = [:]) {
        self.problem = problem
        self.extra = extra
    }

    /// A page that is no failure to its reader, but ends the request.
    static func page(_ page: Markup, status: HTTPResponse.Status) -> HTTPFailure {
        var failure = HTTPFailure(
            Problem(title: status.reasonPhrase, status: status.code, detail: status.reasonPhrase, code: "page"))
        failure.page = page
        return failure
    }

    static func redirect(to path: String) -> HTTPFailure {
        HTTPFailure(
            Problem(title: "See other", status: 303, detail: "go on at \(path)", code: "see_other"),
            extra: [.location: path])
    }

    var status: HTTPResponse.Status { HTTPResponse.Status(code: problem.status) }

    var headers: HTTPFields {
        var headers = extra
        headers[.contentType] = page == nil ? Problem.contentType : "text/html; charset=utf-8"
        return headers
    }

    var body: ByteBuffer {
        if let page { return ByteBuffer(string: page.html) }
        do {
            return try JSONText.encode(problem)
        } catch {
            // Two integers' worth of strings: cannot fail, and has a plain answer if it does.
            return ByteBuffer(string: "{}")
        }
    }

    /// The same for people in a browser.
    var pageResponse: Response {
        guard page == nil, problem.status >= 400 else { return response }
        var failure = self
        failure.page = ConsolePage.trouble(problem.detail)
        return failure.response
    }

    var response: Response {
        Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    static func tooLarge(_ limit: Int) -> HTTPFailure {
        HTTPFailure(
            Problem(
                title: "Content too large", status: 413, detail: "a request body may have at most \(limit) bytes here",
                code: "too_large"))
    }

    static let noSuchPath = HTTPFailure(
        Problem(
            title: "Not found", status: 404, detail: "nothing is served at this path; start at / or /api/v1/overview",
            code: "no_such_path"))

    static func methodNotAllowed(_ methods: [HTTPRequest.Method]) -> HTTPFailure {
        let names = methods.map(\.rawValue).joined(separator: ", ")
        return HTTPFailure(
            Problem(
                title: "Method not allowed", status: 405, detail: "this path only answers \(names)",
                code: "method_not_allowed"),
            extra: [.allow: names])
    }

    static let unauthorized = HTTPFailure(
        Problem(
            title: "Unauthorized", status: 401,
            detail: "this takes a token: `Authorization: Bearer oak_…`, made with `oakum token create`",
            code: "unauthorized"),
        extra: [.wwwAuthenticate: "Bearer realm=\"oakum\""])

    static func tooManyFailures(_ seconds: Double) -> HTTPFailure {
        HTTPFailure(
            Problem(
                title: "Too many requests", status: 429,
                detail: "too many wrong tokens came from here; a right one is taken at any time",
                code: "too_many_failures"),
            extra: [.retryAfter: "\(Int(seconds.rounded(.up)))"])
    }

    static func notConfigured(_ what: String) -> HTTPFailure {
        HTTPFailure(
            Problem(
                title: "Not found", status: 404, detail: "\(what) are not configured in this oakum",
                code: "not_configured"))
    }

    static let commandsElsewhere = HTTPFailure(
        Problem(.forbidden("commands are taken on the control socket only: use `oakum recycle`, `pause` or `down`")))

    static let tooManyStreams = HTTPFailure(
        Problem(
            title: "Too many clients", status: 503,
            detail: "as many live streams as Oakum serves are open already; close a console window and try again",
            code: "too_many_clients"),
        extra: [.retryAfter: "5"])

    static let noDygraphs = HTTPFailure(
        Problem(
            title: "Not found", status: 404,
            detail: "dygraphs is not installed: on Debian, `apt install libjs-dygraphs`", code: "no_dygraphs"))

    static let ending = HTTPFailure(
        Problem(title: "Ending", status: 503, detail: "oakum is shutting down", code: "ending"),
        extra: [.retryAfter: "5"])
}
