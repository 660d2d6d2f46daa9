internal import HTTPTypes
package import Hummingbird
internal import Logging
internal import NIOCore
package import RegistrationCore

/// The public routes of the registration service.
package struct RegistrationRoutes: Sendable {
    /// Bytes of a request's body; more is refused with 413 before it is all read.
    package static let bodyLimit = 16 * 1024

    private let accounts: AccountService
    private let metrics: RegistrarMetrics

    package init(accounts: AccountService, metrics: RegistrarMetrics) {
        self.accounts = accounts
        self.metrics = metrics
    }

    /// A router with all routes. `/openapi.json` describes exactly these, which a test compares.
    package func router() -> Router<RegistrationContext> {
        let router = Router(context: RegistrationContext.self, options: .autoGenerateHeadEndpoints)
        router.post("/v1/signup") { request, context in try await signUp(request, context) }
        router.post("/v1/login") { request, context in try await login(request, context) }
        router.get("/v1/session") { request, context in try await session(request, context) }
        router.get("/v1/profile") { request, context in try await profile(request, context) }
        router.post("/v1/logout") { request, context in try await logout(request, context) }
        router.get("/openapi.json") { _, _ in Self.json(.ok, OpenAPIDocument.bytes) }
        router.get("/healthz") { _, _ in Self.json(.ok, .object([.init("status", "ok")])) }
        router.get("/readyz") { _, _ in
            guard await accounts.isReady() else { throw Problem.unavailable }
            return Self.json(.ok, .object([.init("status", "ready")]))
        }
        return router
    }

    private func signUp(_ request: Request, _ context: RegistrationContext) async throws -> Response {
        do {
            let (email, password) = try await Self.credentials(request)
            switch try await accounts.signUp(email: email, password: password) {
            case .accepted(let isNew):
                metrics.count(isNew ? RegistrarMetrics.SignUp.created : .duplicate)
                // The same bytes for a new address and a known one.
                return Self.json(.accepted, .object([.init("status", "accepted")]))
            case .invalid(let fields):
                throw Problem.invalid(fields)
            }
        } catch let error as AccountServiceError {
            metrics.count(Self.isBusy(error) ? RegistrarMetrics.SignUp.busy : .failed)
            throw Self.problem(error, context)
        } catch let problem as Problem {
            metrics.count(RegistrarMetrics.SignUp.invalid)
            throw problem
        }
    }

    private func login(_ request: Request, _ context: RegistrationContext) async throws -> Response {
        do {
            let (email, password) = try await Self.credentials(request)
            switch try await accounts.login(email: email, password: password) {
            case .opened(let token, let expiresInSeconds):
                metrics.count(RegistrarMetrics.Login.opened)
                return Self.json(
                    .ok,
                    .object([
                        .init("token", .text(token.text)), .init("token_type", "Bearer"),
                        .init("expires_in_seconds", .number(expiresInSeconds)),
                    ]))
            case .refused:
                metrics.count(RegistrarMetrics.Login.refused)
                return Problem.wrongCredentials.response
            case .invalid(let fields):
                throw Problem.invalid(fields)
            }
        } catch let error as AccountServiceError {
            metrics.count(Self.isBusy(error) ? RegistrarMetrics.Login.busy : .failed)
            throw Self.problem(error, context)
        } catch let problem as Problem {
            metrics.count(RegistrarMetrics.Login.invalid)
            throw problem
        }
    }

    private func session(_ request: Request, _ context: RegistrationContext) async throws -> Response {
        do throws(AccountServiceError) {
            guard let token = Self.bearerToken(request), let session = try await accounts.session(token: token) else {
                metrics.count(RegistrarMetrics.SessionCheck.none)
                return Problem.noSession.response
            }
            metrics.count(RegistrarMetrics.SessionCheck.live)
            return Self.json(
                .ok,
                .object([
                    .init("account", .text(session.info.accountID)), .init("email", .text(session.info.email)),
                    .init("expires_in_seconds", .number(session.expiresInSeconds)),
                ]))
        } catch {
            metrics.count(RegistrarMetrics.SessionCheck.failed)
            throw Self.problem(error, context)
        }
    }

    private func profile(_ request: Request, _ context: RegistrationContext) async throws -> Response {
        do throws(AccountServiceError) {
            guard let token = Self.bearerToken(request),
                let profile = try await accounts.profile(token: token, request: request.uri.string)
            else {
                metrics.count(RegistrarMetrics.ProfileRead.none)
                return Problem.noSession.response
            }
            metrics.count(RegistrarMetrics.ProfileRead.answered)
            return Self.json(
                .ok,
                .object([
                    .init("account", .text(profile.accountID)), .init("email", .text(profile.email)),
                    .init("created_at", .text(Timestamp.text(profile.createdAt))),
                ]))
        } catch {
            metrics.count(RegistrarMetrics.ProfileRead.failed)
            throw Self.problem(error, context)
        }
    }

    private func logout(_ request: Request, _ context: RegistrationContext) async throws -> Response {
        do throws(AccountServiceError) {
            guard let token = Self.bearerToken(request), try await accounts.logout(token: token) else {
                metrics.count(RegistrarMetrics.Logout.none)
                return Problem.noSession.response
            }
            metrics.count(RegistrarMetrics.Logout.ended)
            return Response(status: .noContent)
        } catch {
            metrics.count(RegistrarMetrics.Logout.failed)
            throw Self.problem(error, context)
        }
    }

    // MARK: - Requests

    /// The two members of sign-up and login, and nothing else.
    private static func credentials(_ request: Request) async throws -> (email: String, password: String) {
        guard isJSON(request.headers[.contentType]) else { throw Problem.mediaType }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > bodyLimit {
            throw Problem.tooLarge(limit: bodyLimit)
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: bodyLimit)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge(limit: bodyLimit)
        } catch {
            // The connection broke or stood still before its end; whoever serves it counts that.
            throw Problem.incomplete
        }
        let object: RequestObject
        do throws(RequestObjectProblem) {
            object = try RequestObject(parsing: Array(body.readableBytesView))
        } catch {
            throw Problem.malformed
        }
        var problems: [FieldProblem] = []
        let email = text("email", of: object, &problems)
        let password = text("password", of: object, &problems)
        for member in object.members where member.name != "email" && member.name != "password" {
            guard problems.count < 16 else { break }  // enough to be helpful; a body has room for thousands
            problems.append(FieldProblem(pointer: pointer(member.name), code: "unknown_member"))
        }
        guard problems.isEmpty, let email, let password else { throw Problem.invalid(problems) }
        return (email, password)
    }

    private static func text(_ name: String, of object: RequestObject, _ problems: inout [FieldProblem]) -> String? {
        switch object[name] {
        case .text(let text): return text
        case .other: problems.append(FieldProblem(pointer: pointer(name), code: "not_a_string"))
        case nil: problems.append(FieldProblem(pointer: pointer(name), code: "missing"))
        }
        return nil
    }

    /// RFC 6901; a long name is cut, since it is only echoed to help.
    private static func pointer(_ name: String) -> String {
        name.prefix(64).reduce(into: "/") { pointer, character in
            switch character {
            case "~": pointer += "~0"
            case "/": pointer += "~1"
            default: pointer.append(character)
            }
        }
    }

    private static func isJSON(_ contentType: String?) -> Bool {
        let type = contentType?.prefix { $0 != ";" }
        return type?.filter { $0 != " " && $0 != "\t" }.lowercased() == "application/json"
    }

    /// RFC 6750 2.1; the scheme's name in any case.
    private static func bearerToken(_ request: Request) -> Substring? {
        guard let value = request.headers[.authorization], let space = value.firstIndex(of: " "),
            value[..<space].lowercased() == "bearer"
        else { return nil }
        return value[value.index(after: space)...]
    }

    // MARK: - Answers

    private static func json(_ status: HTTPResponse.Status, _ value: JSONText) -> Response {
        json(status, value.bytes)
    }

    private static func json(_ status: HTTPResponse.Status, _ bytes: [UInt8]) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static func isBusy(_ error: AccountServiceError) -> Bool {
        if case .busy = error { return true }
        return false
    }

    private static func problem(_ error: AccountServiceError, _ context: RegistrationContext) -> Problem {
        switch error {
        case .busy(let retryAfter):
            return .busy(retryAfter: retryAfter)
        case .store(.failed(let reason)):
            context.logger.error("a request failed at the database", metadata: ["reason": "\(reason)"])
            return .failed
        case .store(let error):
            context.logger.warning("a request could not be served", metadata: ["reason": "\(error)"])
            return .unavailable
        case .cancelled:
            return .unavailable
        case .failed(let reason):
            context.logger.error("a request failed", metadata: ["reason": "\(reason)"])
            return .failed
        }
    }
}

/// What a request carries through the router.
package struct RegistrationContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    package var maxUploadSize: Int { RegistrationRoutes.bodyLimit }

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}
