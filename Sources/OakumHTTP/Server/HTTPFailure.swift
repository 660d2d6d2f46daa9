import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI

/// A refusal of the server's own, beside those of the control plane.
struct HTTPFailure: Error {
    var problem: Problem
    /// Beyond the content type.
    var extra: HTTPFields = [:]

    init(_ problem: Problem, extra: HTTPFields = [:]) {
        self.problem = problem
        self.extra = extra
    }

    var status: HTTPResponse.Status { HTTPResponse.Status(code: problem.status) }

    var headers: HTTPFields {
        var headers = extra
        headers[.contentType] = Problem.contentType
        return headers
    }

    var body: ByteBuffer {
        do {
            return try JSONText.encode(problem)
        } catch {
            // Two integers' worth of strings: cannot fail, and has a plain answer if it does.
            return ByteBuffer(string: "{}")
        }
    }

    var response: Response {
        Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    static let tooLarge = HTTPFailure(
        Problem(
            title: "Content too large", status: 413,
            detail: "a request body may have at most \(RequestLimits.bodyBytes) bytes", code: "too_large"))

    static let noSuchPath = HTTPFailure(
        Problem(
            title: "Not found", status: 404, detail: "nothing is served at this path; start at / or /api/v1/overview",
            code: "no_such_path"))

    static let readOnly = HTTPFailure(
        Problem(
            title: "Method not allowed", status: 405, detail: "the console only answers GET and HEAD",
            code: "method_not_allowed"),
        extra: [.allow: "GET, HEAD"])

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
