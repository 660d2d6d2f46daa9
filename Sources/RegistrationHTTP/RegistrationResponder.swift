internal import HTTPTypes
package import Hummingbird
internal import Logging

/// Stands before the router: every error becomes a problem document, every answer gets the headers that keep it private.
package struct RegistrationResponder: HTTPResponder {
    package typealias Context = RegistrationContext

    private let routes: RouterResponder<RegistrationContext>
    /// By path. All paths are without parameters.
    private let methods: [String: [String]]

    package init(_ router: Router<RegistrationContext>) {
        var methods: [String: [String]] = [:]
        for route in router.routes {
            methods["\(route.path)", default: []].append(route.method.rawValue)
            if route.method == .get { methods["\(route.path)", default: []].append(HTTPRequest.Method.head.rawValue) }
        }
        self.methods = methods
        routes = router.buildResponder()
    }

    package func respond(to request: Request, context: RegistrationContext) async throws -> Response {
        var response = await answer(request, context)
        response.headers[.cacheControl] = "no-store"
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }

    private func answer(_ request: Request, _ context: RegistrationContext) async -> Response {
        guard let allowed = methods[request.uri.path] else { return Problem.notFound.response }
        guard allowed.contains(request.method.rawValue) else { return Problem.methodNotAllowed(allowed).response }
        do {
            return try await routes.respond(to: request, context: context)
        } catch let problem as Problem {
            return problem.response
        } catch let error as any HTTPResponseError {
            return Problem.other(error.status).response
        } catch {
            // Nothing above throws anything else; should it ever, the log has to say what it was, but not what it holds.
            context.logger.error("a request failed", metadata: ["reason": "\(type(of: error))"])
            return Problem.failed.response
        }
    }
}
