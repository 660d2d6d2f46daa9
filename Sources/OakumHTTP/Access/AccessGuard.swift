import Glibc
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OakumAPI
import OakumModel

/// Lets a request through to its route when the table says that its caller may, and writes acts to the audit log.
struct AccessGuard: RouterMiddleware {
    typealias Context = OakumContext

    /// Where requests come from.
    enum Listener: Sendable {
        /// Peers were checked by the kernel's word when they connected.
        case control
        /// - Parameter behindProxy: others can reach it, so that everybody must sign in.
        case console(behindProxy: Bool)
    }

    let listener: Listener
    let table: [RouteRule]
    let parts: ResponseParts

    func handle(
        _ request: Request, context: OakumContext, next: @concurrent (Request, OakumContext) async throws -> Response
    ) async throws -> Response {
        let (rule, object) = try rule(for: request)
        var context = context
        context.place = await place(request, context)
        context.audit.tell(object: object)
        do {
            context.principal = try await admit(request, rule, context)
            let response = try await next(request, context)
            try await record(rule, context, status: response.status.code)
            return response
        } catch {
            try await record(rule, context, status: Problems.status(of: error), error)
            throw error
        }
    }

    private func rule(for request: Request) throws(HTTPFailure) -> (RouteRule, String?) {
        switch RoutePolicy.match(request.method, request.uri.path, in: table) {
        case .rule(let rule, let object): return (rule, object)
        case .otherMethods(let methods): throw .methodNotAllowed(methods)
        case .none:
            if request.uri.path == "/api/v1/commands", request.method != .get { throw .commandsElsewhere }
            throw .noSuchPath
        }
    }

    /// An address, or "uid 1000". Behind a proxy the address it saw: the last one it added, which its client cannot choose.
    private func place(_ request: Request, _ context: OakumContext) async -> String {
        switch listener {
        case .control: return await peer(context).map { "uid \($0)" } ?? "unknown"
        case .console(let behindProxy):
            let direct = context.channel.remoteAddress?.ipAddress ?? "unknown"
            guard behindProxy, let name = HTTPField.Name("X-Forwarded-For") else { return direct }
            let last = request.headers[values: name].last?.split(separator: ",").last.map { String($0) }
            return last.map { Plain.line($0, bytes: 64) } ?? direct
        }
    }

    private func peer(_ context: OakumContext) async -> UInt32? {
        do {
            return try await PeerCredentials.of(context.channel).uid
        } catch {
            context.logger.debug("no credentials of a peer", metadata: ["error": "\(error)"])
            return nil
        }
    }

    // MARK: - Who it is

    /// The caller, when it may; nil for routes that ask nobody.
    private func admit(_ request: Request, _ rule: RouteRule, _ context: OakumContext) async throws -> Principal? {
        guard case .role(let needed) = rule.need else { return try await visitor(request, rule, context) }
        guard let principal = try await identify(request, rule, context) else { throw refusal(request, rule) }
        if rule.method != .get, principal.isAmbient {
            try SameOrigin.check(request.headers, authority: request.head.authority)
        }
        guard principal.role.covers(needed) else {
            await recordDenial(rule, context, principal)
            throw HTTPFailure(
                Problem(
                    .forbidden("\(principal.name) is a \(principal.role.rawValue); this takes a \(needed.rawValue)")))
        }
        return principal
    }

    /// Pages that ask nobody still show who is signed in, and are still not to be used by other sites.
    private func visitor(_ request: Request, _ rule: RouteRule, _ context: OakumContext) async throws -> Principal? {
        guard rule.isPage, rule.need == .open else { return nil }
        if rule.method != .get { try SameOrigin.check(request.headers, authority: request.head.authority) }
        return session(of: request)
    }

    private func identify(
        _ request: Request, _ rule: RouteRule, _ context: OakumContext
    ) async throws -> Principal? {
        if case .control = listener {
            guard let uid = await peer(context) else { return nil }
            let name = rule.act == nil ? "uid \(uid)" : await UserNames.name(of: uid)
            return Principal(name: name, role: .admin, evidence: .socket)
        }
        if let token = BearerToken.of(request.headers) {
            guard let principal = parts.access?.principal(ofToken: token) else {
                throw await wrongToken(what: "access", context)
            }
            return principal
        }
        if let principal = session(of: request) { return principal }
        guard isOpen else { return nil }
        return try await neighbour(rule, context)
    }

    private func session(of request: Request) -> Principal? {
        SessionCookie(behindProxy: behindProxy).value(in: request).flatMap { parts.access?.principal(ofSession: $0) }
    }

    private var behindProxy: Bool {
        if case .console(behindProxy: true) = listener { true } else { false }
    }

    /// On loopback, as long as nobody was given a token for people.
    private var isOpen: Bool { !behindProxy && parts.access?.hasPeople != true }

    /// Reading is open to this machine. Acting is for those who might as well use the control socket: the user oakum runs as,
    /// and root.
    private func neighbour(_ rule: RouteRule, _ context: OakumContext) async throws -> Principal {
        guard rule.method != .get else { return Principal(name: "anybody", role: .reader, evidence: .open) }
        guard let uid = await LocalPeer.uid(of: context.channel), uid == geteuid() || uid == 0 else {
            throw HTTPFailure(
                Problem(
                    .forbidden(
                        "without a token only root and the user oakum runs as may act here: make a token with "
                            + "`oakum token create NAME --role responder` and sign in at /login")))
        }
        return Principal(name: await UserNames.name(of: uid), role: .responder, evidence: .local)
    }

    // MARK: - Refusals

    private func refusal(_ request: Request, _ rule: RouteRule) -> HTTPFailure {
        guard rule.isPage else { return .unauthorized }
        if rule.method == .get, SignInPage.comesFromElsewhere(request.headers) {
            // Its cookie is not sent along when another site or a mail leads here; on the next step it is.
            return .page(SignInPage.onceMore(request.uri.description), status: .ok)
        }
        let next = rule.method == .get ? request.uri.description : "/"
        return .redirect(to: "/login?next=\(PercentEncoding.encode(next))")
    }

    /// Counts the failure, records it, and says how to go on.
    private func wrongToken(what: String, _ context: OakumContext) async -> HTTPFailure {
        guard let access = parts.access else { return .unauthorized }
        switch access.failed(from: context.place) {
        case .slowDown(let seconds): return .tooManyFailures(seconds)
        case .refuse:
            await parts.recordDenial(what, context, principal: nil, status: 401)
            return .unauthorized
        }
    }

    private func recordDenial(_ rule: RouteRule, _ context: OakumContext, _ principal: Principal) async {
        // Acts are recorded with their result in any case.
        guard rule.act == nil else { return }
        await parts.recordDenial("access", context, principal: principal, status: 403)
    }

    // MARK: - Audit

    private func record(_ rule: RouteRule, _ context: OakumContext, status: Int, _ error: (any Error)? = nil)
        async throws
    {
        guard let act = rule.act, context.principal != nil || status != 401 else { return }
        await parts.record(act, context, principal: context.principal, status: status, error)
    }
}

/// `Authorization: Bearer …` (RFC 6750, section 2.1).
enum BearerToken {
    static func of(_ headers: HTTPFields) -> String? {
        guard let text = headers[.authorization] else { return nil }
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }
}

/// The cookie of a session.
struct SessionCookie {
    var behindProxy: Bool

    /// Behind a proxy, which speaks TLS, the prefix makes browsers insist on `Secure`, on no `Domain` and on `Path=/` (RFC 6265bis,
    /// section 4.1.3.2). On loopback there is no TLS, so neither.
    private var name: String { behindProxy ? "__Host-oakum" : "oakum_session" }

    func value(in request: Request) -> String? {
        request.cookies[name]?.value
    }

    func header(_ value: String) -> String {
        "\(name)=\(value); Path=/; HttpOnly; SameSite=Strict" + (behindProxy ? "; Secure" : "")
    }

    var expired: String { header("") + "; Max-Age=0" }
}
