import HTTPTypes
import Hummingbird
import OakumAPI
import OakumModel

/// Tokens, for admins.
struct TokenRoutes: Sendable {
    let parts: ResponseParts

    func add(to router: Router<OakumContext>) {
        router.get("/api/v1/tokens") { _, _ in
            try APIRoutes.json(try await desk().tokens())
        }
        router.post("/api/v1/tokens") { request, context in
            let body = try await RequestBody.members(request, known: ["name", "role", "service", "expires_s"])
            guard let role = try body.choice("role", AccessRole.self) else {
                throw ControlError.invalid(
                    "role is missing: one of \(AccessRole.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            let wanted = TokenRequest(
                name: try body.text("name", atMost: 64), role: role,
                service: try body.optionalText("service", atMost: 64),
                expiresSeconds: try body.number("expires_s", in: 60...366 * 86_400) ?? TokenRequest.defaultSeconds)
            let grant = try await desk().createToken(wanted, by: Self.actor(context))
            context.audit.tell(
                object: grant.summary.id, words: "\(grant.summary.role.rawValue) for \(grant.summary.name)")
            var response = try APIRoutes.json(grant)
            response.status = .created
            return response
        }
        router.delete("/api/v1/tokens/{id}") { _, context in
            let id = context.parameters.get("id") ?? ""
            return try APIRoutes.json(try await desk().revokeToken(id, by: Self.actor(context)))
        }
    }

    private func desk() throws(HTTPFailure) -> AccessDesk {
        guard let access = parts.access else { throw .notConfigured("tokens") }
        return access
    }

    private static func actor(_ context: OakumContext) -> String { context.principal?.name ?? "unknown" }
}
