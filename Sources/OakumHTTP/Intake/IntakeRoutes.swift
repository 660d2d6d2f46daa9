import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI
import OakumModel

/// Alerts and deploys of other systems. A 2xx is said when everything is durable, never before.
struct IntakeRoutes: Sendable {
    let parts: ResponseParts
    let gate: IntakeGate
    /// Whoever reaches it may tell: on a listener of its own, on loopback, when no tokens are configured.
    var isOpen = false

    func add(to router: Router<OakumContext>) {
        router.post("/intake/alertmanager") { request, context in
            try await known(request, context) { bytes, intake throws(IntakeProblem) in
                try AlertmanagerMessage.webhook(bytes, intake)
            }
        }
        router.post("/api/v2/alerts") { request, context in
            try await known(request, context) { bytes, intake throws(IntakeProblem) in
                try AlertmanagerMessage.list(bytes, intake)
            }
        }
        router.post("/intake/pagerduty/v2/enqueue") { request, context in
            try await pagerDuty(request, context) { root, intake in try await event(root, intake) }
        }
        router.post("/intake/pagerduty/v2/change/enqueue") { request, context in
            try await pagerDuty(request, context) { root, intake in try await change(root, intake) }
        }
        router.post("/intake/generic") { request, context in try await generic(request, context) }
    }

    // MARK: - Alertmanager

    private func known(
        _ request: Request, _ context: OakumContext,
        _ decode: @escaping @Sendable ([UInt8], IntakeContext) throws(IntakeProblem) -> [IntakeItem]
    ) async throws -> Response {
        let token = try await token(request, context)
        return try await gate.pass {
            let bytes = try await body(request, atMost: RequestLimits.intakeBytes)
            let items = try await decoded(bytes, intake(token), decode)
            let receipts = try await take(items)
            let new = receipts.count(where: \.isNew)
            return try APIRoutes.json(IntakeAnswer(status: "success", received: items.count, new: new))
        }
    }

    /// Off the event loop: two megabytes take a while.
    @concurrent
    private func decoded(
        _ bytes: [UInt8], _ intake: IntakeContext,
        _ decode: @Sendable ([UInt8], IntakeContext) throws(IntakeProblem) -> [IntakeItem]
    ) async throws -> [IntakeItem] {
        do throws(IntakeProblem) {
            return try decode(bytes, intake)
        } catch {
            throw ControlError.invalid(error.words)
        }
    }

    // MARK: - PagerDuty

    /// The token stands in the body; answers have PagerDuty's own shape, which its libraries read.
    private func pagerDuty(
        _ request: Request, _ context: OakumContext,
        _ handle: (JSONNode, IntakeContext) async throws -> PagerDutyAnswer
    ) async throws -> Response {
        try await gate.pass {
            do {
                let bytes = try await body(request, atMost: PagerDutyMessage.maxBytes)
                let (key, root) = try PagerDutyMessage.routingKey(bytes)
                guard let token = parts.access?.principal(ofToken: key), token.role.covers(.intake) else {
                    throw await wrongToken(context)
                }
                return try Self.answer(try await handle(root, intake(token)), status: .accepted)
            } catch let problem as IntakeProblem {
                return try Self.answer(.invalid(problem.words), status: .badRequest)
            } catch let failure as HTTPFailure where failure.problem.status == 401 {
                return try Self.answer(.invalid("the routing key is not known"), status: .unauthorized)
            }
        }
    }

    private func event(_ root: JSONNode, _ intake: IntakeContext) async throws -> PagerDutyAnswer {
        let message = try PagerDutyMessage.event(root, intake) { Hex.encode(Crypto.randomBytes(16)) }
        switch message.act {
        case .take(let item): _ = try await take([item])
        case .acknowledge(let fingerprint): try await acknowledge(fingerprint)
        }
        return PagerDutyAnswer(
            status: "success", message: "Event processed", dedupKey: message.dedupKey, errors: nil)
    }

    private func change(_ root: JSONNode, _ intake: IntakeContext) async throws -> PagerDutyAnswer {
        _ = try await take([try PagerDutyMessage.change(root, intake)])
        return PagerDutyAnswer(
            status: "success", message: "Change event processed", dedupKey: nil, errors: nil)
    }

    /// What nobody has open any more is no error: PagerDuty says the same.
    private func acknowledge(_ fingerprint: String) async throws {
        let plane = try parts.incidentPlane()
        let open = try await plane.incidents(IncidentQuery(states: [.open, .acknowledged, .mitigated], limit: 200))
        let incident = open.first { incident in
            incident.fingerprint == fingerprint || incident.alerts.contains { $0.fingerprint == fingerprint }
        }
        guard let incident else { return }
        _ = try await plane.act(.acknowledge(incident.id), by: "pagerduty")
    }

    private static func answer(_ answer: PagerDutyAnswer, status: HTTPResponse.Status) throws -> Response {
        var response = try APIRoutes.json(answer)
        response.status = status
        return response
    }

    // MARK: - Anything else

    private func generic(_ request: Request, _ context: OakumContext) async throws -> Response {
        let token = try await token(request, context)
        let wantsJSON = request.headers[.accept]?.contains("application/json") == true
        return try await gate.pass {
            let bytes = try await body(request, atMost: RequestLimits.bodyBytes)
            let message = try Self.message(bytes, request, intake(token))
            let receipts = try await take([message.item])
            guard wantsJSON else { return Response(status: .noContent, headers: [.cacheControl: "no-store"]) }
            return try APIRoutes.json(
                GenericAnswer(
                    alert: receipts.first?.incident, service: message.service ?? "",
                    isNew: receipts.first?.isNew ?? false))
        }
    }

    private static func message(
        _ bytes: [UInt8], _ request: Request, _ intake: IntakeContext
    ) throws -> GenericMessage {
        do throws(IntakeProblem) {
            let type = request.headers[.contentType]?.lowercased() ?? ""
            if !bytes.isEmpty, !type.hasPrefix("application/x-www-form-urlencoded") {
                return try GenericMessage(json: bytes, intake)
            }
            let form = FormBody(parsing: bytes)
            return try GenericMessage(
                field: { form[$0] ?? QueryText.text(request, Substring($0)) }, intake)
        } catch {
            throw ControlError.invalid(error.words)
        }
    }

    // MARK: - What all share

    private func intake(_ token: Principal) -> IntakeContext {
        IntakeContext(at: parts.clock.now(), service: token.service)
    }

    /// In `Authorization: Bearer`, as the password of `Basic`, or as `?token=`: what the senders can do.
    private func token(_ request: Request, _ context: OakumContext) async throws -> Principal {
        let text =
            BearerToken.of(request.headers) ?? BasicPassword.of(request.headers) ?? QueryText.text(request, "token")
        guard let text else {
            if isOpen { return .unnamedIntake }
            throw HTTPFailure.noIntakeToken
        }
        guard let token = parts.access?.principal(ofToken: text), token.role.covers(.intake) else {
            throw await wrongToken(context)
        }
        return token
    }

    private func wrongToken(_ context: OakumContext) async -> HTTPFailure {
        if case .slowDown(let seconds)? = parts.access?.failed(from: context.place) {
            return .tooManyFailures(seconds)
        }
        await parts.recordDenial("intake", context, principal: nil, status: 401)
        return .noIntakeToken
    }

    private func body(_ request: Request, atMost limit: Int) async throws -> [UInt8] {
        Array(try await RequestBody.whole(request, atMost: limit).readableBytesView)
    }

    /// 503 when it cannot be stored, so that the sender keeps it and comes again.
    private func take(_ items: [IntakeItem]) async throws -> [IntakeReceipt] {
        guard !items.isEmpty else { return [] }
        let plane = try parts.incidentPlane()
        do throws(ControlError) {
            return try await plane.take(items)
        } catch {
            switch error {
            case .failed(let text), .notRunning(let text), .refused(let text): throw HTTPFailure.cannotStore(text)
            case .notFound, .forbidden, .invalid: throw error
            }
        }
    }
}

/// `Authorization: Basic …` (RFC 7617): its password.
enum BasicPassword {
    static func of(_ headers: HTTPFields) -> String? {
        guard let text = headers[.authorization] else { return nil }
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "basic" else { return nil }
        var unpadded = words[1].replacing("+", with: "-").replacing("/", with: "_")
        while unpadded.hasSuffix("=") { unpadded.removeLast() }
        guard let bytes = Base64URL.decode(unpadded), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
            return nil
        }
        return String(decoding: bytes[(colon + 1)...], as: UTF8.self)
    }
}

private struct IntakeAnswer: Encodable {
    var status: String
    var received: Int
    var new: Int
}

private struct PagerDutyAnswer: Encodable {
    var status: String
    var message: String
    var dedupKey: String?
    var errors: [String]?

    static func invalid(_ words: String) -> PagerDutyAnswer {
        PagerDutyAnswer(status: "invalid event", message: "Event object is invalid", dedupKey: nil, errors: [words])
    }

    private enum CodingKeys: String, CodingKey {
        case status, message, errors
        case dedupKey = "dedup_key"
    }
}

/// As GoAlert answers.
private struct GenericAnswer: Encodable {
    var alert: Int64?
    var service: String
    var isNew: Bool

    private enum CodingKeys: String, CodingKey {
        case alert = "AlertID"
        case service = "ServiceID"
        case isNew = "IsNew"
    }
}

extension HTTPFailure {
    static let crowded = HTTPFailure(
        Problem(
            title: "Too much at once", status: 503, detail: "more comes in than can be stored; send it again",
            code: "crowded"),
        extra: [.retryAfter: "1"])

    static func cannotStore(_ why: String) -> HTTPFailure {
        HTTPFailure(
            Problem(
                title: "Cannot store", status: 503, detail: "nothing of it was taken, send it again: \(why)",
                code: "cannot_store"),
            extra: [.retryAfter: "10"])
    }

    static let noIntakeToken = HTTPFailure(
        Problem(
            title: "Unauthorized", status: 401,
            detail:
                "this takes an intake token, as `Authorization: Bearer` or `?token=`: `oakum token create NAME --role intake`",
            code: "unauthorized"),
        extra: [.wwwAuthenticate: "Bearer realm=\"oakum intake\""])
}
