internal import HTTPTypes
internal import Hummingbird
internal import RegistrationCore

/// An answer that says what is wrong, as RFC 9457 shapes it. Never holds what a client sent, but for names of members.
struct Problem: Error, Hashable, Sendable {
    /// Stable end of the `type` URN, and what a client switches on.
    var code: String
    var title: String
    var status: HTTPResponse.Status
    var detail: String
    var fields: [FieldProblem] = []
    /// Whole seconds, at least 1.
    var retryAfterSeconds: Int?
    /// Methods the path has (RFC 9110 15.5.6).
    var allow: [String] = []
    /// A 401 must say how to authenticate (RFC 9110 15.5.2).
    var asksForBearer = false

    var response: Response {
        var members: [JSONText.Member] = [
            .init("type", .text("urn:oakum:registration:\(code)")), .init("title", .text(title)),
            .init("status", .number(Int64(status.code))), .init("detail", .text(detail)),
        ]
        if !fields.isEmpty {
            let list = fields.map {
                JSONText.object([.init("pointer", .text($0.pointer)), .init("code", .text($0.code))])
            }
            members.append(.init("errors", .list(list)))
        }
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if let retryAfterSeconds { headers[.retryAfter] = "\(max(1, retryAfterSeconds))" }
        if !allow.isEmpty { headers[.allow] = allow.joined(separator: ", ") }
        if asksForBearer { headers[.wwwAuthenticate] = "Bearer" }
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: JSONText.object(members).bytes)))
    }

    static let malformed = Problem(
        code: "malformed-json", title: "The body is not a JSON object", status: .badRequest,
        detail: "Send one JSON object in UTF-8, without duplicate names.")

    static let incomplete = Problem(
        code: "incomplete-body", title: "The body ended early", status: .badRequest,
        detail: "Send as many bytes as Content-Length says.")

    static func tooLarge(limit: Int) -> Problem {
        Problem(
            code: "too-large", title: "The body is too large", status: .contentTooLarge,
            detail: "A body may have at most \(limit) bytes.")
    }

    static let mediaType = Problem(
        code: "unsupported-media-type", title: "The body is not JSON", status: .unsupportedMediaType,
        detail: "Send Content-Type: application/json.")

    static func invalid(_ fields: [FieldProblem]) -> Problem {
        Problem(
            code: "invalid-members", title: "Some members are not acceptable", status: .unprocessableContent,
            detail: "Each entry of errors points to a member and says what is wrong with it.", fields: fields)
    }

    static let wrongCredentials = Problem(
        code: "wrong-credentials", title: "Address or password is wrong", status: .unauthorized,
        detail: "Check both and try again, or sign up.", asksForBearer: true)

    static let noSession = Problem(
        code: "no-session", title: "No live session", status: .unauthorized,
        detail: "Log in and send Authorization: Bearer with the token.", asksForBearer: true)

    static let notFound = Problem(
        code: "not-found", title: "Nothing is here", status: .notFound, detail: "See /openapi.json for what there is.")

    static func methodNotAllowed(_ allowed: [String]) -> Problem {
        Problem(
            code: "method-not-allowed", title: "The path has other methods", status: .methodNotAllowed,
            detail: "See the Allow header.", allow: allowed)
    }

    static func busy(retryAfter: Duration) -> Problem {
        Problem(
            code: "busy", title: "Too many at once", status: .serviceUnavailable,
            detail: "Try again after the time in Retry-After.",
            retryAfterSeconds: Int((retryAfter / .seconds(1)).rounded(.up)))
    }

    static let unavailable = Problem(
        code: "unavailable", title: "Temporarily not possible", status: .serviceUnavailable,
        detail: "Try again after the time in Retry-After.", retryAfterSeconds: 1)

    static let failed = Problem(
        code: "internal", title: "Something went wrong here", status: .internalServerError,
        detail: "The request was fine; the service's log has the reason.")

    /// For what the web framework refuses by itself.
    static func other(_ status: HTTPResponse.Status) -> Problem {
        Problem(
            code: "http-\(status.code)", title: status.reasonPhrase, status: status,
            detail: "The request was refused before its handler ran.")
    }
}
